//! Lines of a policy as text, and how their fields are matched.

use std::sync::Arc;

/// How the fields of a permission are matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MatchMode {
    /// gobwas/glob without separators: `*` stands for any text, slashes too.
    #[default]
    Glob,
    /// Go's regular expressions, found anywhere in the text.
    Regex,
}

impl MatchMode {
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Glob => "glob",
            Self::Regex => "regular expression",
        }
    }
}

/// Lines of a policy, and where they begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyText {
    /// The file.
    pub file: Arc<str>,
    /// The lines.
    pub text: String,
    /// The line of the file that they begin on.
    pub first_line: usize,
}

/// The line of a position, counted from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}
