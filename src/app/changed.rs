//! Whether changed files of a repository can change what an application renders.
//!
//! In: the files that changed, and for a source the paths that it is made of: what its annotation says, or what its tool can
//! read. Out: yes or no, with the reason. Where something is not known, the application counts as affected.
//!
//! Rules: Argo CD util/app/path `GetSourceRefreshPaths`, `AppFilesHaveChanged`; Go's path/filepath `Match`.

use std::fmt;

use super::{Application, Source};
use crate::object::annotations::MANIFEST_GENERATE_PATHS;

/// Why an application is in the run, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Affected {
    /// One of its files changed.
    ByFile {
        /// The first such file.
        file: String,
        /// The path that it belongs to.
        path: String,
    },
    /// Its own manifest changed.
    ByManifest(String),
    /// What changed, or what it is made of, is not known.
    Unknown(String),
    /// Nothing of it changed.
    No(String),
}

impl Affected {
    /// Whether the application stays in the run.
    pub fn is_kept(&self) -> bool {
        !matches!(self, Self::No(_))
    }
}

impl fmt::Display for Affected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByFile { file, path } if file == path => write!(formatter, "in: `{file}` changed"),
            Self::ByFile { file, path } => write!(formatter, "in: `{file}` changed, below `{path}`"),
            Self::ByManifest(file) => write!(formatter, "in: its manifest `{file}` changed"),
            Self::Unknown(why) => write!(formatter, "in: {why}"),
            Self::No(why) => write!(formatter, "out: {why}"),
        }
    }
}

/// The paths of the annotation, from the repository's root; nothing where an application has none.
pub fn annotated_paths(application: &Application, source: &Source) -> Option<Vec<String>> {
    let annotation = application.annotations.get(MANIFEST_GENERATE_PATHS)?;
    let items = annotation.split(';').map(str::trim).filter(|item| !item.is_empty());
    let paths: Vec<String> = items
        .map(|item| match item.strip_prefix('/') {
            Some(from_root) => cleaned("", from_root),
            None => cleaned(source.path.as_deref().unwrap_or_default(), item),
        })
        .collect();
    // Argo CD: an annotation without paths is none.
    (!paths.is_empty()).then_some(paths)
}

/// A path below a folder, without `.` and `..`; nothing leads above the root.
pub fn cleaned(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The first changed file that belongs to one of the paths, and the path: the file itself, a folder above it, or a pattern.
pub fn first_match<'paths>(files: &[String], paths: &'paths [String]) -> Option<(String, &'paths str)> {
    let belongs = |file: &str, path: &str| {
        path.is_empty()
            || file == path
            || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
            || is_match(path.as_bytes(), file.as_bytes())
    };
    files.iter().find_map(|file| {
        let path = paths.iter().find(|path| belongs(file, path))?;
        Some((file.clone(), path.as_str()))
    })
}

/// Go's `filepath.Match`: `*` and `?` do not cross `/`, `[a-z]` and `[^a-z]` are sets, `\` quotes. A pattern that is invalid
/// matches nothing.
fn is_match(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some(b'*'), _) => {
            is_match(&pattern[1..], text)
                || text.first().is_some_and(|byte| *byte != b'/' && is_match(pattern, &text[1..]))
        }
        (Some(b'?'), Some(byte)) if *byte != b'/' => is_match(&pattern[1..], &text[1..]),
        (Some(b'['), Some(byte)) if *byte != b'/' => {
            set(&pattern[1..], *byte).is_some_and(|(found, rest)| found && is_match(rest, &text[1..]))
        }
        (Some(b'\\'), Some(byte)) => pattern.get(1) == Some(byte) && is_match(&pattern[2..], &text[1..]),
        (Some(letter), Some(byte)) if !matches!(letter, b'?' | b'[') && letter == byte => {
            is_match(&pattern[1..], &text[1..])
        }
        _ => false,
    }
}

/// Whether a byte is in the set that a pattern begins with, and the pattern behind it.
fn set(pattern: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (is_negated, mut rest) = match pattern.first()? {
        b'^' => (true, &pattern[1..]),
        _ => (false, pattern),
    };
    let (mut is_in, mut count) = (false, 0);
    loop {
        if *rest.first()? == b']' && count > 0 {
            return Some((is_in != is_negated, &rest[1..]));
        }
        let (low, behind) = member(rest)?;
        let (high, behind) = match behind.strip_prefix(b"-") {
            Some(behind) => member(behind)?,
            None => (low, behind),
        };
        is_in |= (low..=high).contains(&byte);
        (rest, count) = (behind, count + 1);
    }
}

fn member(pattern: &[u8]) -> Option<(u8, &[u8])> {
    match pattern.first()? {
        b'-' | b']' => None,
        b'\\' => Some((*pattern.get(1)?, &pattern[2..])),
        letter => Some((*letter, &pattern[1..])),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::{self, Given, ManifestText};

    fn application(annotation: Option<&str>) -> Application {
        let mut manifest = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop"},
            "spec": {"project": "default", "source": {"repoURL": "https://git.example.com/infra", "path": "apps/shop"},
                "destination": {"name": "in-cluster"}}
        });
        if let Some(annotation) = annotation {
            manifest["metadata"]["annotations"] = json!({MANIFEST_GENERATE_PATHS: annotation});
        }
        let bytes = manifest.to_string().into_bytes();
        let text = ManifestText { name: "shop.yaml".into(), bytes, folder: ".".into(), given: Given::ByName };
        app::read(&[text]).applications.remove(0).unwrap()
    }

    /// Argo CD's own table, `util/app/path/path_test.go` (`Test_AppFilesHaveChanged`), and its documentation's examples.
    #[test]
    fn the_annotation_says_which_files_count() {
        for (annotation, file, expected) in [
            (".", "apps/shop/web.yaml", true),
            (".", "apps/other/web.yaml", false),
            (".", "apps/shop-two/web.yaml", false),
            ("/apps/shop", "apps/shop/deep/web.yaml", true),
            ("/other", "apps/shop/web.yaml", false),
            ("/other", "other/web.yaml", true),
            ("..", "apps/other/web.yaml", true),
            ("../base", "apps/base/web.yaml", true),
            (".;../base", "apps/base/web.yaml", true),
            (" . ; ../base ", "apps/base/web.yaml", true),
            ("web.yaml", "apps/shop/web.yaml", true),
            ("web.yaml", "apps/shop/api.yaml", false),
            ("/apps/*/web.yaml", "apps/shop/web.yaml", true),
            ("/apps/*/web.yaml", "apps/shop/deep/web.yaml", false),
            ("/apps/**/web.yaml", "apps/shop/deep/web.yaml", false),
            ("*.yaml", "apps/shop/web.yaml", true),
            ("/apps/s[a-i]op/web.yaml", "apps/shop/web.yaml", true),
            ("/apps/s[^a-i]op/web.yaml", "apps/shop/web.yaml", false),
            ("/apps/[/web.yaml", "apps/[/web.yaml", true),
            ("/", "anything", true),
            ("../../..", "anything", true),
        ] {
            let application = application(Some(annotation));
            let paths = annotated_paths(&application, &application.sources[0]).unwrap();
            let found = first_match(&[file.to_owned()], &paths).is_some();
            assert_eq!(found, expected, "{annotation} {file}");
        }
        for annotation in [None, Some(""), Some(" ; ")] {
            let application = application(annotation);
            assert_eq!(annotated_paths(&application, &application.sources[0]), None, "{annotation:?}");
        }
    }

    #[test]
    fn a_pattern_matches_as_gos_does() {
        for (pattern, text, expected) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "a/b", false),
            ("[-]", "-", false),
            ("[]a]", "]", false),
            ("[a", "a", false),
            ("a[", "a", false),
        ] {
            assert_eq!(is_match(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
