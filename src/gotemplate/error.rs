//! What goes wrong: in a template's text, while it runs, or because it wants too much.

use std::fmt;

/// Which limit a run hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// More steps than [`TemplateLimits::steps`](super::TemplateLimits::steps).
    #[error("the template took more than {0} steps")]
    Steps(u64),
    /// Nested deeper than [`TemplateLimits::depth`](super::TemplateLimits::depth).
    #[error("templates, actions or values nest deeper than {0} levels")]
    Depth(usize),
    /// More output than [`TemplateLimits::output`](super::TemplateLimits::output).
    #[error("the output is larger than {0} bytes")]
    Output(usize),
    /// Values larger than [`TemplateLimits::memory`](super::TemplateLimits::memory).
    #[error("the values made by the template are larger than {0} bytes")]
    Memory(usize),
    /// [`Host::is_stopped`](super::Host::is_stopped) said so.
    #[error("timed out waiting for the template to finish")]
    Stopped,
}

/// The kind of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is not a template.
    Parse,
    /// The template failed while it ran.
    Execute,
    /// The template needs more than it may have.
    Limit(Limit),
}

/// Why a template has no result, in Go's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Its kind.
    pub kind: ErrorKind,
    /// The name of the template's text.
    pub template: String,
    /// The line, from 1; 0 when the fault has no place.
    pub line: usize,
    /// The byte in the line, as Go counts; parse errors have none.
    pub column: Option<usize>,
    /// The whole message as Go prints it.
    pub message: String,
    /// The message without the place and the context.
    pub cause: String,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Why a function has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// In the function's own words.
    Message(String),
    /// It needs more than it may have.
    Limit(Limit),
}

impl Fault {
    /// An error in the function's own words.
    pub fn new(message: impl Into<String>) -> Self {
        Self::Message(message.into())
    }
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

impl From<&str> for Fault {
    fn from(message: &str) -> Self {
        Self::Message(message.to_owned())
    }
}

impl From<Limit> for Fault {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}
