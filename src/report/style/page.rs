//! A page of text being written, for a terminal: pieces by role, each through the door that makes it harmless.

use crate::report::style::escape::visible;
use crate::report::style::theme::Role;

/// A page of text. A line break is made by [`Page::end`] alone: nothing that is written can make one, or any escape code.
pub(in crate::report) struct Page {
    text: String,
    color: bool,
}

impl Page {
    /// An empty page, with or without colours.
    pub(in crate::report) fn new(color: bool) -> Self {
        Self { text: String::new(), color }
    }

    /// Writes a piece of text in its role.
    pub(in crate::report) fn write(&mut self, role: Role, text: impl AsRef<str>) -> &mut Self {
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
    pub(in crate::report) fn list(&mut self, pieces: &[(Role, String)], between: &str) -> &mut Self {
        for (index, (role, piece)) in pieces.iter().enumerate() {
            if index > 0 {
                self.write(Role::Plain, between);
            }
            self.write(*role, piece);
        }
        self
    }

    /// Ends the line.
    pub(in crate::report) fn end(&mut self) -> &mut Self {
        self.text.push('\n');
        self
    }

    /// Leaves a line free, unless nothing is written yet.
    pub(in crate::report) fn gap(&mut self) -> &mut Self {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self
    }

    /// The whole page.
    pub(in crate::report) fn finish(self) -> String {
        self.text
    }
}
