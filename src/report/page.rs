//! A page of text being written, for a terminal: pieces by role, each through the door that makes it harmless.

use unicode_width::UnicodeWidthStr;

use super::theme::Role;
use super::visible::visible;

/// A page of text. A line break is made by [`Page::end`] alone: nothing that is written can make one, or any escape code.
pub(super) struct Page {
    text: String,
    color: bool,
    column: usize,
}

impl Page {
    /// An empty page, with or without colours.
    pub(super) fn new(color: bool) -> Self {
        Self { text: String::new(), color, column: 0 }
    }

    /// Writes a piece of text in its role.
    pub(super) fn write(&mut self, role: Role, text: impl AsRef<str>) -> &mut Self {
        use std::fmt::Write;

        let shown = visible(text.as_ref());
        self.column += UnicodeWidthStr::width(shown.as_ref());
        if self.color && role != Role::Plain && !shown.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(self.text, "{}", role.style().style(shown));
        } else {
            self.text.push_str(&shown);
        }
        self
    }

    /// Writes spaces up to a column, two at least: what follows stands apart.
    pub(super) fn column(&mut self, column: usize) -> &mut Self {
        let spaces = column.saturating_sub(self.column).max(2);
        self.write(Role::Plain, " ".repeat(spaces))
    }

    /// Ends the line.
    pub(super) fn end(&mut self) -> &mut Self {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
        self.column = 0;
        self
    }

    /// The whole page.
    pub(super) fn finish(self) -> String {
        self.text
    }
}
