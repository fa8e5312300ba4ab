//! The patterns of a project's rules: globs, `!` denials, and Go's `filepath.Match` for kinds.

use crate::app::appset::path_match;
use crate::app::project_glob::ProjectGlob;

use super::repo_url::normalized;

/// A glob of a rule that may deny: `!pattern`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RulePattern {
    /// As it was written.
    pub(super) text: String,
    pub(super) is_deny: bool,
    /// One that is invalid matches nothing, as in Argo CD.
    glob: Result<ProjectGlob, String>,
    /// `*` alone, which crosses separators.
    is_any: bool,
}

impl RulePattern {
    /// A pattern of clusters or namespaces.
    pub(super) fn plain(text: &str) -> Self {
        Self::new(text, text.strip_prefix('!').unwrap_or(text), &[])
    }

    /// A pattern of repositories, of which `*` matches one segment.
    pub(super) fn of_repositories(text: &str) -> Self {
        Self::new(text, &normalized(text.strip_prefix('!').unwrap_or(text)), &['/'])
    }

    fn new(text: &str, pattern: &str, separators: &[char]) -> Self {
        let is_deny = text.starts_with('!');
        let glob = ProjectGlob::new(pattern, separators);
        Self { text: text.to_owned(), is_deny, glob, is_any: !is_deny && pattern == "*" }
    }

    /// Whether a text matches; what a denial names does not, and nothing does where Argo CD would crash.
    pub(super) fn matches(&self, text: &str) -> bool {
        let is_match = self.glob.as_ref().map_or(Ok(false), |glob| glob.matches(text));
        self.is_any || is_match.is_ok_and(|is_match| is_match != self.is_deny)
    }

    /// Why the pattern is not a glob.
    pub(super) fn fault(&self) -> Option<String> {
        self.glob.as_ref().err().cloned()
    }

    /// Whether it is a denial, and names the text.
    pub(super) fn denies(&self, text: &str) -> bool {
        self.is_deny && !self.matches(text)
    }
}

/// Whether a group, kind or name matches as Go's `filepath.Match` has it; an invalid pattern matches nothing.
pub(super) fn name_matches(pattern: &str, text: &str) -> bool {
    pattern == "*" && !text.contains('/') || pattern == text || path_match(pattern, text) == Some(true)
}
