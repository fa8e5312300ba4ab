//! Patterns of `directory.include` and `exclude`: they match a whole path, and `*` crosses `/`.
//!
//! In: a pattern. Out: whether a path matches it.
//!
//! Rules: gobwas/glob without separators, which Argo CD matches with.

use globset::{GlobBuilder, GlobMatcher};

/// A pattern, ready to match.
pub(super) struct Glob {
    matcher: GlobMatcher,
    /// Text, one star, text. Quirk: gobwas lets the two texts overlap, so that `env/*/web.yaml` matches `env/web.yaml`.
    around_a_star: Vec<(String, String)>,
}

impl Glob {
    pub(super) fn new(pattern: &str) -> Result<Self, globset::Error> {
        let pattern = one_star_each(pattern);
        let matcher = GlobBuilder::new(&pattern)
            .literal_separator(false)
            .backslash_escape(true)
            .empty_alternates(true)
            .build()?
            .compile_matcher();
        let inside = pattern.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let alternatives = inside.map_or_else(|| vec![pattern.as_str()], |inside| inside.split(',').collect());
        Ok(Self { matcher, around_a_star: alternatives.into_iter().filter_map(around_a_star).collect() })
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        let overlaps = |(before, after): &(String, String)| path.starts_with(before) && path.ends_with(after);
        self.matcher.is_match(path) || self.around_a_star.iter().any(overlaps)
    }
}

/// `**` is `*` where nothing separates; globset would let `**/` stand for nothing at all.
fn one_star_each(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len());
    let (mut is_escaped, mut after_star) = (false, false);
    for letter in pattern.chars() {
        let is_star = letter == '*' && !is_escaped;
        if !(is_star && after_star) {
            written.push(letter);
        }
        after_star = is_star;
        is_escaped = letter == '\\' && !is_escaped;
    }
    written
}

fn around_a_star(pattern: &str) -> Option<(String, String)> {
    let (before, after) = pattern.split_once('*')?;
    let is_text = |text: &str| !text.contains(['*', '?', '[', ']', '{', '}', '\\']);
    (is_text(before) && is_text(after)).then(|| (before.to_owned(), after.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The results of gobwas/glob v0.2.3: with globset's own `**`, manifests were left out that Argo CD applies.
    #[test]
    fn patterns_match_as_gobwas_has_it() {
        let paths = [
            "a.yaml",
            "b.yml",
            "test.yaml",
            "sub/test.yaml",
            "env/x.yaml",
            "env/deep/x.yaml",
            "q/env/x.yaml",
            "q/env/d/x.yaml",
            "*.yaml",
        ];
        let cases: [(&str, &[&str]); 17] = [
            ("**/test.yaml", &["sub/test.yaml"]),
            ("{**/test.yaml,a.yaml}", &["a.yaml", "sub/test.yaml"]),
            ("**/env/**/x.yaml", &["q/env/d/x.yaml"]),
            ("env/**/x.yaml", &["env/x.yaml", "env/deep/x.yaml"]),
            ("env/*/x.yaml", &["env/x.yaml", "env/deep/x.yaml"]),
            ("{env/*/x.yaml,b.yml}", &["b.yml", "env/x.yaml", "env/deep/x.yaml"]),
            ("env/*/*/x.yaml", &[]),
            ("env/?*/x.yaml", &["env/deep/x.yaml"]),
            ("env/**", &["env/x.yaml", "env/deep/x.yaml"]),
            ("***x.yaml", &["env/x.yaml", "env/deep/x.yaml", "q/env/x.yaml", "q/env/d/x.yaml"]),
            ("*/*/x.yaml", &["env/deep/x.yaml", "q/env/x.yaml", "q/env/d/x.yaml"]),
            ("{a.yaml,{b.yml,test.yaml}}", &["a.yaml", "b.yml", "test.yaml"]),
            ("{a.yaml, b.yml}", &["a.yaml"]),
            ("[!a].y*ml", &["b.yml", "*.yaml"]),
            ("[a-c].y{a,}ml", &["a.yaml", "b.yml"]),
            ("\\**.yaml", &["*.yaml"]),
            ("a.yaml,b.yml", &[]),
        ];
        for (pattern, expected) in cases {
            let glob = Glob::new(pattern).expect(pattern);
            let matched: Vec<&str> = paths.into_iter().filter(|path| glob.matches(path)).collect();
            assert_eq!(matched, expected, "{pattern}");
        }
    }
}
