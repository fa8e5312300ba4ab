//! The grammar: a document's text to libyaml's events, guarded.
//!
//! go-yaml is libyaml, translated; so is `libyaml_safer`, and it reads the same grammar but for the guards here:
//! a last line always ends, the encoding is known, and a panic of the library is a syntax error of the document.

use std::cell::Cell;
use std::io::{BufRead, Read};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use libyaml_safer::{Encoding, Event, Parser};

use super::complaint;

/// Why a document cannot be read, and where in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct YamlFault {
    /// The fault.
    pub(super) message: String,
    /// Where.
    pub(super) range: Range<usize>,
    /// The advice.
    pub(super) help: Option<&'static str>,
    /// Whether it is an escape in double quotes that the library does not know.
    pub(super) is_unknown_escape: bool,
}

impl YamlFault {
    pub(super) fn new(message: impl Into<String>, range: Range<usize>) -> Self {
        Self { message: message.into(), range, help: None, is_unknown_escape: false }
    }
}

/// The events of one document's text.
pub(super) struct YamlEvents<'text> {
    parser: Parser<Chunks<'text>>,
    text: &'text str,
}

impl<'text> YamlEvents<'text> {
    pub(super) fn new(text: &'text str) -> Self {
        quiet_the_library();
        let mut parser = Parser::new();
        // Given the encoding, the library does not look for a byte order mark, and mistake the first byte of `（` for one.
        parser.set_encoding(Encoding::Utf8);
        parser.set_input(Chunks::new(text));
        Self { parser, text }
    }

    pub(super) fn text(&self) -> &'text str {
        self.text
    }

    /// The next event. After an error there is none.
    pub(super) fn next(&mut self) -> Result<Event, YamlFault> {
        READING.set(true);
        let event = catch_unwind(AssertUnwindSafe(|| self.parser.parse()));
        READING.set(false);
        match event {
            Ok(Ok(event)) => Ok(event),
            Ok(Err(error)) => Err(complaint::of(&error, self.text)),
            Err(_panic) => Err(complaint::of_panic(self.text)),
        }
    }
}

thread_local! {
    /// Whether this thread is inside of the library right now.
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the library's panics, which are caught, off standard error. Every other panic reaches the hook that was there.
fn quiet_the_library() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !READING.get() {
                hook(panic);
            }
        }));
    });
}

/// Text in pieces, so that the library's buffer of characters stays small; ends with a line break, as apimachinery's
/// line reader ends every line.
struct Chunks<'text> {
    rest: &'text [u8],
    line_break_is_due: bool,
}

impl<'text> Chunks<'text> {
    const SIZE: usize = 4096;

    fn new(text: &'text str) -> Self {
        Self { rest: text.as_bytes(), line_break_is_due: !text.ends_with('\n') }
    }
}

impl Read for Chunks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let available = self.fill_buf()?;
        let amount = available.len().min(buffer.len());
        buffer[..amount].copy_from_slice(&available[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}

impl BufRead for Chunks<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.rest.is_empty() && self.line_break_is_due {
            return Ok(b"\n");
        }
        Ok(&self.rest[..self.rest.len().min(Self::SIZE)])
    }

    fn consume(&mut self, amount: usize) {
        if self.rest.is_empty() && amount > 0 {
            self.line_break_is_due = false;
        } else {
            self.rest = &self.rest[amount..];
        }
    }
}
