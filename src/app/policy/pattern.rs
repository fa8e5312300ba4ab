//! A field of a permission, ready to match: a glob or a regular expression.

use regex::Regex;

use super::text::MatchMode;
use crate::app::gobwas::{self, GobwasGlob};
use crate::gotemplate::go_regex;

/// How a field matches.
#[derive(Debug, Clone)]
pub(super) enum FieldPattern {
    /// A glob without special characters.
    Exactly(String),
    Glob(GobwasGlob),
    /// Found anywhere in the text, unless it is anchored, as in Go.
    Regex(Regex),
    /// A built-in glob where regular expressions are asked for: the engine fails on it.
    Unreadable,
}

/// The engine failed on a text, which casbin takes for a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EngineFailed;

impl FieldPattern {
    pub(super) fn new(text: &str, mode: MatchMode) -> Result<Self, String> {
        match mode {
            MatchMode::Regex => go_regex(text).map(Self::Regex),
            MatchMode::Glob if is_literal(text) => Ok(Self::Exactly(text.to_owned())),
            MatchMode::Glob => GobwasGlob::new(text, &[]).map(Self::Glob),
        }
    }

    pub(super) fn matches(&self, text: &str) -> Result<bool, EngineFailed> {
        match self {
            Self::Exactly(own) => Ok(own == text),
            Self::Glob(glob) => glob.matches(text).map_err(|_panic| EngineFailed),
            Self::Regex(regex) => Ok(regex.is_match(text)),
            Self::Unreadable => Err(EngineFailed),
        }
    }
}

/// Whether a glob matches itself alone.
fn is_literal(text: &str) -> bool {
    !text.is_empty() && gobwas::literal_prefix(text).len() == text.len() && !text.contains(['\0', '\u{FFFD}'])
}
