//! YAML and JSON exactly as kubectl and Argo CD read them.
//!
//! In: the bytes of a file or a stream. Out: its documents as JSON values, each with the line it starts at and, where
//! asked for, the position of every key and value; or a [`YamlError`] with the place. One bad document does not hide
//! the others.
//!
//! Rule: `sigs.k8s.io/yaml` (`YAMLToJSON`) over go-yaml v2, on documents as apimachinery's `YAMLReader` splits them.
//! Text that is JSON is read as JSON, as kubectl tries it first; its numbers are those that YAML would give.
//!
//! ```text
//! bytes ─ decode ─► text ─ documents ─► pieces ─┬─ json ──────────────────────────────────────┬─► Document
//!                                               └─ events (libyaml) ─► compose ─► scalar ─────┘
//! ```

mod aliases;
mod apostrophe;
mod complaint;
mod compose;
mod decode;
mod documents;
mod events;
mod json;
mod number;
mod scalar;
mod timestamp;
mod write;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use miette::Diagnostic;
use serde_json::Value;

use super::Pointer;
use compose::{Composed, compose};
use documents::{Piece, pieces};
use events::Fault;

/// A piece of text, in bytes of the decoded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it starts.
    pub offset: usize,
    /// How long it is.
    pub length: usize,
}

/// Where every key and value of a document stands in the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions {
    /// Key and value of each place; the root and list items have no key. What an alias or `<<` brings has no place of
    /// its own.
    pub places: HashMap<Pointer, (Option<Span>, Span)>,
}

impl Positions {
    /// The place of a value, or of the nearest value around it that has one; the key's, if it has one.
    pub fn nearest(&self, pointer: &Pointer) -> Option<Span> {
        let mut pointer = pointer.clone();
        loop {
            if let Some((key, value)) = self.places.get(&pointer) {
                return Some(key.unwrap_or(*value));
            }
            pointer = pointer.parent()?;
        }
    }
}

/// Whether positions are wanted: they cost time and memory, and only files that are typed need them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithPositions {
    /// Keep them.
    Yes,
    /// Leave them out.
    No,
}

/// What one input may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The whole input, in bytes.
    pub bytes: usize,
    /// How deep maps and lists may nest.
    pub depth: usize,
    /// How many values aliases may add to a document.
    pub alias_values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 20, depth: 1000, alias_values: 1_000_000 }
    }
}

/// One document of a stream. Empty documents (nothing, `null`, or only comments) are left out of the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The document as JSON.
    pub value: Value,
    /// The line of its first content, counted from 1 in the whole input.
    pub line: usize,
    /// Where its parts stand, in bytes of the whole decoded input.
    pub positions: Option<Positions>,
    /// Keys that stand twice in one map, with the place of the later one, whose value holds, as in kubectl.
    pub duplicate_keys: Vec<(Pointer, Span)>,
    /// Text after the document's end (`...`, or an unindented bracket) that kubectl drops without a word.
    pub unread: Option<Span>,
}

/// Why a document, or the whole input, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// What is wrong, in words of our own.
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

/// Bytes to text as YAML asks: UTF-8, UTF-16 with a byte order mark, the mark taken off.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, YamlError> {
    decode::decode(bytes)
}

/// Reads every document of a decoded input, in order; a broken one is an error in its place.
pub fn read(text: &str, limits: &Limits, positions: WithPositions) -> Vec<Result<Document, YamlError>> {
    if text.len() > limits.bytes {
        let message = format!("{} bytes are more than the {} that are read", text.len(), limits.bytes);
        return vec![Err(YamlError { message, span: Span { offset: 0, length: 0 }, line: 1, help: None })];
    }
    let mut reader = Reader { text, limits, positions, counted: (0, 1), read: Vec::new() };
    for piece in pieces(text) {
        reader.piece(piece);
    }
    reader.read
}

/// Writes a value as YAML: sorted keys, two spaces, quoted wherever the reader above would read another type.
pub fn write(value: &Value) -> String {
    write::write(value)
}

/// Reads the pieces of an input, one after the other.
struct Reader<'text> {
    text: &'text str,
    limits: &'text Limits,
    positions: WithPositions,
    /// A line start up to which lines are counted, and its line.
    counted: (usize, usize),
    read: Vec<Result<Document, YamlError>>,
}

impl Reader<'_> {
    fn piece(&mut self, piece: Piece) {
        match piece {
            Piece::BadSeparator(start, end) => {
                let length = self.text[start..end].trim_end().len();
                let mut fault = Fault::new("text follows `---` on its line", 0..length);
                fault.help = Some("kubectl takes only a comment there; put the document on the next line");
                let error = self.error(fault, start);
                self.read.push(Err(error));
            }
            Piece::Document(start, end) => {
                let text = &self.text[start..end];
                // Files joined with `cat` may have a byte order mark each.
                let (text, start) = text.strip_prefix('\u{FEFF}').map_or((text, start), |rest| (rest, start + 3));
                match json::documents(text) {
                    Some(documents) => self.json(text, start, documents),
                    None => self.yaml(text, start),
                }
            }
        }
    }

    fn yaml(&mut self, text: &str, start: usize) {
        match compose(text, self.limits, self.positions) {
            Ok(None) => {}
            Ok(Some(composed)) if composed.value.is_null() => {}
            Ok(Some(composed)) => {
                let document = self.document(composed, start);
                self.read.push(Ok(document));
            }
            Err(fault) => {
                let error = self.error(fault, start);
                self.read.push(Err(error));
            }
        }
    }

    /// Takes documents that are JSON; their places, if asked for, come from reading them as YAML, where that can be.
    fn json(&mut self, text: &str, start: usize, documents: Vec<json::JsonDocument>) {
        for json::JsonDocument { value, range, has_duplicates } in documents {
            let start = start + range.start;
            let looked_up = (has_duplicates || self.positions == WithPositions::Yes)
                .then(|| compose(&text[range], self.limits, self.positions).ok().flatten())
                .flatten();
            let composed = match looked_up {
                Some(composed) => Composed { value, ..composed },
                None => Composed::without_places(value),
            };
            let document = self.document(composed, start);
            self.read.push(Ok(document));
        }
    }

    fn document(&mut self, composed: Composed, start: usize) -> Document {
        let span = |range: Range<usize>| Span { offset: start + range.start, length: range.len() };
        let places = composed.places.into_iter().map(|(pointer, (key, value))| (pointer, (key.map(span), span(value))));
        let positions = (self.positions == WithPositions::Yes).then(|| Positions { places: places.collect() });
        let duplicate_keys = composed.duplicate_keys.into_iter().map(|(pointer, key)| (pointer, span(key))).collect();
        let line = self.line_of(start + composed.start);
        Document { value: composed.value, line, positions, duplicate_keys, unread: composed.unread.map(span) }
    }

    fn error(&mut self, fault: Fault, start: usize) -> YamlError {
        let span = Span { offset: start + fault.range.start, length: fault.range.len() };
        YamlError { message: fault.message, span, line: self.line_of(span.offset), help: fault.help }
    }

    /// The line of a place that is not before the one asked for last, in the same document or a later one.
    fn line_of(&mut self, offset: usize) -> usize {
        let (from, line) = self.counted;
        let (from, line) = if offset < from { (0, 1) } else { (from, line) };
        let offset = offset.min(self.text.len());
        let line = line + self.text.as_bytes()[from..offset].iter().filter(|byte| **byte == b'\n').count();
        self.counted = (offset, line);
        line
    }
}
