//! Applications that are kept in git: `--apps-from URL[#PATH][@REVISION]`.

use std::fmt;
use std::path::Path;

use crate::secret::RepoUrl;
use crate::source::{locate, path_start};

/// A file or folder with Application manifests in a git repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppsFrom {
    /// The repository.
    pub(crate) url: RepoUrl,
    /// The file or folder below its root; empty for all of it.
    pub(crate) path: String,
    /// A branch, tag or commit; empty for the default branch.
    pub(crate) revision: String,
}

/// As it was given, without credentials.
impl fmt::Display for AppsFrom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.url)?;
        if !self.path.is_empty() {
            write!(formatter, "#{}", self.path)?;
        }
        if !self.revision.is_empty() {
            write!(formatter, "@{}", self.revision)?;
        }
        Ok(())
    }
}

/// Reads `URL[#PATH][@REVISION]`: the revision follows the first `@` behind the URL's host, or behind `#PATH`.
pub(crate) fn parse_apps_from(text: &str) -> Result<AppsFrom, String> {
    let expected = || "expected URL[#PATH][@REVISION]: a git repository, a file or folder in it, a revision".to_owned();
    let (url, rest) = text.split_once('#').map_or((text, None), |(url, rest)| (url, Some(rest)));
    let (repository, of_url) = revision_after(url, path_start(url));
    let (path, of_path) = rest.map_or(("", None), |rest| revision_after(rest, 0));
    let revision = match (of_url, of_path) {
        (Some(_), Some(_)) => return Err(expected()),
        (one, other) => one.or(other),
    };
    let is_empty = |text: Option<&str>| text.is_some_and(str::is_empty);
    if repository.trim().is_empty() || is_empty(revision) || is_empty(rest) {
        return Err(expected());
    }
    Ok(AppsFrom {
        url: locate(repository, &Path::new(".").into()),
        path: path.trim_matches('/').to_owned(),
        revision: revision.unwrap_or_default().to_owned(),
    })
}

fn revision_after(text: &str, start: usize) -> (&str, Option<&str>) {
    match text[start..].find('@') {
        Some(at) => (&text[..start + at], Some(&text[start + at + 1..])),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_git_is_a_url_a_path_and_a_revision() {
        for (text, url, path, revision) in [
            ("https://git.example.com/shop/infra", "https://git.example.com/shop/infra", "", ""),
            ("https://git.example.com/shop/infra#apps", "https://git.example.com/shop/infra", "apps", ""),
            ("https://git.example.com/infra.git#apps/@v1", "https://git.example.com/infra.git", "apps", "v1"),
            ("https://git.example.com/infra@release/1.4", "https://git.example.com/infra", "", "release/1.4"),
            ("https://git.example.com/infra@v1#apps", "https://git.example.com/infra", "apps", "v1"),
            ("https://ci:x@git.example.com/infra#a.yaml", "https://ci:x@git.example.com/infra", "a.yaml", ""),
            ("git@git.example.com:shop/infra", "git@git.example.com:shop/infra", "", ""),
            ("git@git.example.com:shop/infra@main", "git@git.example.com:shop/infra", "", "main"),
            (
                "ssh://git@git.example.com:22/infra#apps@@shop/web@1.2.0",
                "ssh://git@git.example.com:22/infra",
                "apps",
                "@shop/web@1.2.0",
            ),
            ("/srv/git/infra@main", "/srv/git/infra", "", "main"),
            ("file:///srv/git/infra#apps", "file:///srv/git/infra", "apps", ""),
        ] {
            let found = parse_apps_from(text).unwrap();
            let parts = (found.url.with_credentials(), found.path.as_str(), found.revision.as_str());
            assert_eq!(parts, (url, path, revision), "{text}");
        }
        for text in ["", "#apps", "https://git.example.com/a#", "https://git.example.com/a@", "/a@main#apps@v1"] {
            parse_apps_from(text).unwrap_err();
        }
    }

    #[test]
    fn a_place_in_git_is_shown_without_credentials() {
        let shown = parse_apps_from("https://ci:s3cret@git.example.com/infra#apps@v1").unwrap().to_string();
        assert!(shown.ends_with("git.example.com/infra#apps@v1") && !shown.contains("s3cret"), "{shown}");
    }
}
