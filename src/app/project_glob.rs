//! The globs of projects and sync windows: gobwas/glob's, with the text that was written.
//!
//! In: a pattern, and the characters that `*` and `?` do not cross. Out: a [`ProjectGlob`] that matches texts, or why it is invalid.

use super::gobwas::{GlobPanic, GobwasGlob};

/// A pattern, compiled.
#[derive(Debug, Clone)]
pub struct ProjectGlob {
    text: String,
    separators: Vec<char>,
    glob: GobwasGlob,
}

/// Two patterns are equal if they are written alike.
impl PartialEq for ProjectGlob {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, &self.separators) == (&other.text, &other.separators)
    }
}

impl Eq for ProjectGlob {}

impl ProjectGlob {
    /// Compiles a pattern; `*` and `?` do not match separators. The error is the library's own.
    pub fn new(pattern: &str, separators: &[char]) -> Result<Self, String> {
        let glob = GobwasGlob::new(pattern, separators)?;
        Ok(Self { text: pattern.to_owned(), separators: separators.to_vec(), glob })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole of a text matches; an error where the library itself would crash.
    pub fn matches(&self, text: &str) -> Result<bool, GlobPanic> {
        self.glob.matches(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: gobwas/glob 0.2.3.
    #[test]
    fn patterns_match_as_argo_cd_matches_them() {
        let url = "https://git.example.com/shop/infra";
        for (pattern, separators, text, is_match) in [
            ("*", "", "", true),
            ("*", "", "a/b", true),
            ("*", "/", "a/b", false),
            ("**", "/", "a/b", true),
            ("https://git.example.com/shop/*", "/", url, true),
            ("https://git.example.com/*", "/", url, false),
            ("https://git.example.com/**", "/", url, true),
            ("https://*/shop/*", "/", url, true),
            ("team-?", "", "team-a", true),
            ("team-?", "", "team-ab", false),
            ("team-[ab]", "", "team-b", true),
            ("team-[!ab]", "", "team-b", false),
            ("team-[a-c]", "", "team-b", true),
            ("{prod,stage}-*", "", "stage-eu", true),
            ("{prod,stage}-*", "", "dev-eu", false),
            ("prod,stage", "", "prod,stage", true),
            ("{prod,stage", "", "stage", true),
            (r"a\*b", "", "a*b", true),
            (r"a\*b", "", "axb", false),
            ("ab*ba", "", "aba", true),
            ("*-*-*", "", "a-b-c", true),
            ("*-*-*", "", "a-b", false),
            ("?", "", "", true),
            ("", "", "", true),
            ("", "", "a", false),
            // Of texts in a row, the library counts letters and cuts bytes.
            ("ä?", "", "äö", false),
        ] {
            let separators: Vec<char> = separators.chars().collect();
            let glob = ProjectGlob::new(pattern, &separators).unwrap();
            assert_eq!(glob.matches(text).ok(), Some(is_match), "{pattern} {text}");
        }
    }

    #[test]
    fn what_gobwas_refuses_is_refused() {
        for pattern in ["[", "[a", "[]", "[!]", "[z-a]", "[a-cd]", "[a-]"] {
            assert!(ProjectGlob::new(pattern, &[]).is_err(), "{pattern}");
        }
    }
}
