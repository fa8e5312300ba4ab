//! The globs of gobwas/glob v0.2.3, which Argo CD's RBAC and `AppProject`s are written in, with its quirks.
//!
//! In: a pattern, and the separators that `*` and `?` stop at. Out: whether a text matches. What the library decides is part of
//! what a policy means, so its parser, its way of building matchers and their odd answers are followed step by step: `?` and `[!a]`
//! at the end of a pattern match an empty text, `a*ab` matches `ab`, an open `{a,b` is a choice.
//!
//! Rule: github.com/gobwas/glob, `syntax`, `compiler` and `match`; a test asks the library itself.

mod compile;
mod lexer;
mod matcher;
mod text;
mod tree;

pub use matcher::GlobPanic;

use matcher::Matcher;

/// A pattern, ready to match.
#[derive(Debug, Clone)]
pub struct GobwasGlob {
    matcher: Matcher,
}

impl GobwasGlob {
    /// Reads a pattern; the error is the library's own.
    pub fn new(pattern: &str, separators: &[char]) -> Result<Self, String> {
        let tree = tree::parse(pattern)?;
        Ok(Self { matcher: compile::compile(&tree, separators)? })
    }

    /// Whether the whole of a text matches.
    pub fn matches(&self, text: &str) -> Result<bool, GlobPanic> {
        self.matcher.matches(text.as_bytes())
    }
}

/// The text that everything that matches a pattern begins with: what stands before the first special character.
pub(super) fn literal_prefix(pattern: &str) -> &str {
    let end = pattern.find(['*', '?', '[', ']', '{', '}', '\\', ',']).unwrap_or(pattern.len());
    &pattern[..end]
}
