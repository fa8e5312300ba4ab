//! Values whose display cannot leak: [`Secret`], [`RepoUrl`], and the text of files ([`shown_text`]).
//!
//! In: tokens, passwords, URLs with credentials. Out: the same values, to be unwrapped only by name
//! ([`Secret::expose`], [`RepoUrl::with_credentials`]); `Display`, `Debug` and serialisation show `***`.

mod text;
mod url;

pub use text::shown_text;
pub use url::{RepoUrl, mask_credentials_in_text};

use std::fmt;

/// A value that shows itself as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value that must not be shown.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for the one place that needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}
