//! A page of text being written, for a terminal: pieces by role, each through the door that makes it harmless.

use super::theme::Role;
use super::visible::visible;

/// A page of text. A line break is made by [`Page::end`] alone: nothing that is written can make one, or any escape code.
pub(super) struct Page {
    text: String,
    color: bool,
}

impl Page {
    /// An empty page, with or without colours.
    pub(super) fn new(color: bool) -> Self {
        Self { text: String::new(), color }
    }

    /// Writes a piece of text in its role.
    pub(super) fn write(&mut self, role: Role, text: impl AsRef<str>) -> &mut Self {
        use std::fmt::Write;

        let shown = visible(text.as_ref());
        if self.color && role != Role::Plain && !shown.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(self.text, "{}", role.style().style(shown));
        } else {
            self.text.push_str(&shown);
        }
        self
    }

    /// Writes several pieces, parted by a text.
    pub(super) fn list(&mut self, pieces: &[(Role, String)], between: &str) -> &mut Self {
        for (index, (role, piece)) in pieces.iter().enumerate() {
            if index > 0 {
                self.write(Role::Plain, between);
            }
            self.write(*role, piece);
        }
        self
    }

    /// Ends the line.
    pub(super) fn end(&mut self) -> &mut Self {
        self.text.push('\n');
        self
    }

    /// The whole page.
    pub(super) fn finish(self) -> String {
        self.text
    }
}
