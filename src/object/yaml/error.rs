//! The error of a document.

use std::fmt;

use miette::Diagnostic;

use super::position::Span;

/// Why a document, or the whole input, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// The fault, in trueup's words.
    pub message: String,
    /// Where, in bytes of the decoded input.
    pub span: Span,
    /// The line, counted from 1 in the whole input.
    pub line: usize,
    /// One thing to do, where there is one.
    pub help: Option<&'static str>,
}

impl Diagnostic for YamlError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new("trueup::yaml::syntax"))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
}
