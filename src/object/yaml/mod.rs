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
mod error;
mod events;
mod json;
mod limits;
mod number;
mod position;
mod scalar;
mod timestamp;
mod write;

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

use super::Pointer;
use compose::{Composed, compose};
use documents::{Piece, pieces};
pub use error::YamlError;
use events::YamlFault;
pub use limits::Limits;
pub use position::{Positions, Span, WithPositions};

/// One document of a stream. Empty documents (nothing, `null`, or only comments) are left out of the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The document as JSON.
    pub value: Value,
    /// The line of its first content, counted from 1 in the whole input.
    pub line: usize,
    /// Where it stands, in bytes of the whole decoded input: from the line of its first content (in JSON: from its brace) to
    /// where the next document's separator, or the input, ends it. What stands before it belongs to nobody: comments.
    pub extent: Span,
    /// Where its parts stand, in bytes of the whole decoded input.
    pub positions: Option<Positions>,
    /// Keys that stand twice in one map, with the place of the later one, whose value holds, as in kubectl.
    pub duplicate_keys: Vec<(Pointer, Span)>,
    /// Text after the document's end (`...`, or an unindented bracket) that kubectl drops without a word.
    pub unread: Option<Span>,
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
    let mut reader = StreamReader { text, limits, positions, counted: (0, 1), read: Vec::new() };
    for piece in pieces(text) {
        reader.piece(piece);
    }
    reader.read
}

/// Writes a value as YAML: sorted keys, two spaces, quoted wherever the reader above would read another type.
pub fn write(value: &Value) -> String {
    write::write(value)
}

const TEMPLATE: &str = "this looks like a Helm template; it is YAML only after Helm has rendered it";

fn line_at(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |found| found + 1);
    let end = text[at..].find('\n').map_or(text.len(), |found| at + found);
    &text[start..end]
}

/// Reads the pieces of an input, one after the other.
struct StreamReader<'text> {
    text: &'text str,
    limits: &'text Limits,
    positions: WithPositions,
    /// A line start up to which lines are counted, and its line.
    counted: (usize, usize),
    read: Vec<Result<Document, YamlError>>,
}

impl StreamReader<'_> {
    fn piece(&mut self, piece: Piece) {
        match piece {
            Piece::BadSeparator(start, end) => {
                let length = self.text[start..end].trim_end().len();
                let mut fault = YamlFault::new("text follows `---` on its line", 0..length);
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
                let line_start = text[..composed.start].rfind('\n').map_or(0, |found| found + 1);
                let document = self.document(composed, start, line_start..text.len());
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
            let length = range.len();
            let looked_up = (has_duplicates || self.positions == WithPositions::Yes)
                .then(|| compose(&text[range], self.limits, self.positions).ok().flatten())
                .flatten();
            let composed = match looked_up {
                Some(composed) => Composed { value, ..composed },
                None => Composed::without_places(value),
            };
            let document = self.document(composed, start, 0..length);
            self.read.push(Ok(document));
        }
    }

    fn document(&mut self, composed: Composed, start: usize, extent: Range<usize>) -> Document {
        let span = |range: Range<usize>| Span { offset: start + range.start, length: range.len() };
        let places = composed.places.into_iter().map(|(pointer, (key, value))| (pointer, (key.map(span), span(value))));
        let positions = (self.positions == WithPositions::Yes).then(|| Positions { places: places.collect() });
        let duplicate_keys = composed.duplicate_keys.into_iter().map(|(pointer, key)| (pointer, span(key))).collect();
        let line = self.line_of(start + composed.start);
        let unread = composed.unread.map(span);
        Document { value: composed.value, line, extent: span(extent), positions, duplicate_keys, unread }
    }

    fn error(&mut self, fault: YamlFault, start: usize) -> YamlError {
        let span = Span { offset: start + fault.range.start, length: fault.range.len() };
        let help = if line_at(self.text, span.offset).contains("{{") { Some(TEMPLATE) } else { fault.help };
        YamlError { message: fault.message, span, line: self.line_of(span.offset), help }
    }

    /// The line of a place that is not before the one asked for last, in the same document or a later one.
    fn line_of(&mut self, offset: usize) -> usize {
        let (from, line) = self.counted;
        let (from, line) = if offset < from { (0, 1) } else { (from, line) };
        let offset = offset.min(self.text.len());
        let line = line + self.text[from..offset].matches('\n').count();
        self.counted = (offset, line);
        line
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_all(text: &str) -> Vec<Result<Document, YamlError>> {
        read(text, &Limits::default(), WithPositions::Yes)
    }

    fn one(text: &str) -> Document {
        let mut documents = read_all(text);
        assert_eq!(documents.len(), 1, "{documents:?}");
        documents.remove(0).unwrap()
    }

    fn error(text: &str) -> YamlError {
        let mut documents = read_all(text);
        assert_eq!(documents.len(), 1, "{documents:?}");
        documents.remove(0).unwrap_err()
    }

    fn at(text: &str, span: Span) -> &str {
        &text[span.offset..span.offset + span.length]
    }

    /// Whoever writes a document back has to leave the others, and the comments before it, as they are.
    #[test]
    fn a_document_says_where_it_stands() {
        let text = "# head\n---\n# about a\n  a: 1 # one\n\n---\n{\"b\": 2}\n{\"c\": 3}\n---\nd: 4";
        let extents: Vec<_> =
            read_all(text).into_iter().map(|document| at(text, document.unwrap().extent).to_owned()).collect();
        assert_eq!(extents, ["  a: 1 # one\n\n", "{\"b\": 2}", "{\"c\": 3}", "d: 4"]);
    }

    /// One template in a folder of manifests must not hide the others.
    #[test]
    fn a_broken_document_does_not_hide_the_others() {
        let text = "a: 1\n---\nb: {{ .Values.b }}\n---\n# nothing\n---\n\nc: 3\n";
        let documents = read_all(text);
        let lines: Vec<_> = documents.iter().map(|read| read.as_ref().map_or_else(|e| e.line, |d| d.line)).collect();
        assert_eq!(lines, [1, 3, 8]);
        assert_eq!(documents[2].as_ref().unwrap().value, json!({"c": 3}));
        assert!(documents[1].as_ref().unwrap_err().help.unwrap().contains("Helm"));
    }

    #[test]
    fn errors_say_what_and_where_in_our_own_words() {
        for (text, line, marked, message) in [
            ("a:\n\tb: 1\n", 2, "\t", "a tab is used to indent"),
            ("a: b: c\n", 1, ":", "a second key in one line, or a key where none can be"),
            ("a: [1, 2\nb: 1\n", 2, ":", "`,` or `]` is expected here, not `:`"),
            ("a: 1\nb: \"x\n", 2, "\"", "a quote is opened here and never closed"),
            ("a: @b\n", 1, "@", "no value can start with `@`"),
            ("a: *b\n", 1, "*b", "no anchor of this name comes before the alias"),
            ("a: &b [*b]\n", 1, "*b", "an alias stands inside of what it names"),
            ("a:\n  b: 1\n c: 2\n", 3, "c", "a key is expected here, not `c`"),
            ("a: !!int b\n", 1, "!!int b", "a value is not a whole number, as its tag says"),
            ("a: .inf\n", 1, ".inf", "infinity and `.nan` cannot be written as JSON"),
            ("a: 1\n~: 2\n", 2, "~", "a key is null"),
            ("? [a]\n: b\n", 1, "[", "a map or a list is the key of a map"),
            ("a: {<<: 1}\n", 1, "1", "`<<` takes a map, or a list of maps"),
            ("a: \"\\q\"\n", 1, "\\", "an escape in double quotes is not known"),
            ("a: [!b, c]\n", 1, "a", "the document is not valid YAML; the parser gives no details"),
            ("a: \u{1}\n", 1, "\u{1}", "the character U+0001 is not allowed in YAML"),
            ("--- a\n", 1, "--- a", "text follows `---` on its line"),
        ] {
            let error = error(text);
            assert_eq!((error.line, at(text, error.span), &*error.message), (line, marked, message), "{text}");
        }
    }

    #[test]
    fn every_key_and_value_has_its_place() {
        let text = "# é\nspec:\n  replicas: 2\n  list:\n  - name: 'x'\n  - [y]\n  more: &m {a: 1}\n  again: *m\n";
        let document = one(text);
        let positions = document.positions.unwrap();
        for (pointer, key, value) in [
            ("/spec/replicas", Some("replicas"), "2"),
            ("/spec/list", Some("list"), "- name: 'x'\n  - [y]"),
            ("/spec/list/0/name", Some("name"), "'x'"),
            ("/spec/list/1", None, "[y]"),
            ("/spec/more/a", Some("a"), "1"),
            ("/spec/again", Some("again"), "*m"),
        ] {
            let place = positions.places[&Pointer::parse(pointer).unwrap()];
            assert_eq!((place.0.map(|key| at(text, key)), at(text, place.1)), (key, value), "{pointer}");
        }
        let inside_of_an_alias = positions.nearest(&Pointer::parse("/spec/again/a").unwrap()).unwrap();
        assert_eq!(at(text, inside_of_an_alias), "again");
    }

    /// JSON takes a faster way, which must not lose anything.
    #[test]
    fn json_has_places_and_duplicate_keys_too() {
        let text = "\n{\"a\": 1.0, \"b\": {\"c\": \"\\ud83d\\ude00\"}}\n{\"a\": 1, \"a\": 2}\n";
        let documents: Vec<Document> = read_all(text).into_iter().map(Result::unwrap).collect();
        assert_eq!(documents[0].value, json!({"a": 1, "b": {"c": "😀"}}));
        assert_eq!((documents[0].line, documents[1].line), (2, 3));
        assert_eq!(documents[1].value, json!({"a": 2}));
        let (pointer, span) = &documents[1].duplicate_keys[0];
        assert_eq!((pointer.to_string().as_str(), at(text, *span), span.offset), ("/a", "\"a\"", text.len() - 8));
    }

    /// kubectl takes the last without a word; the user should hear of it.
    #[test]
    fn keys_that_stand_twice_are_reported() {
        let text = "m: &m {x: 1}\nspec:\n  a: 1\n  b: {c: 1, c: 2}\n  a: 3\n  <<: *m\n  x: 2\n";
        let document = one(text);
        assert_eq!(document.value["spec"], json!({"a": 3, "b": {"c": 2}, "x": 2}));
        let repeated: Vec<_> =
            document.duplicate_keys.iter().map(|(pointer, span)| (pointer.to_string(), span.offset)).collect();
        assert_eq!(repeated, [("/spec/b/c".to_owned(), 38), ("/spec/a".to_owned(), 46)]);
    }

    #[test]
    fn text_after_the_end_of_a_document_is_reported() {
        let text = "a: 1\n...\nb: 2\n";
        let document = one(text);
        assert_eq!(document.value, json!({"a": 1}));
        assert_eq!(at(text, document.unread.unwrap()), "b: 2");
        assert_eq!(one("a: 1\n...\n# comment\n").unread, None);
    }

    #[test]
    fn limits_end_in_errors() {
        let laughs = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c \
                      [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e \
                      [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
        assert_eq!(error(laughs).message, "aliases make up too much of the document");
        assert_eq!(error(&"[".repeat(100_000)).message, "maps and lists nest deeper than 1000");
        let limits = Limits { bytes: 10, ..Limits::default() };
        let large = read("a: 0123456789", &limits, WithPositions::No).remove(0).unwrap_err();
        assert_eq!(large.message, "13 bytes are more than the 10 that are read");
        let copies = format!("a: &a {}\nb: [{}]\n", "x".repeat(100), "*a,".repeat(100));
        let limits = Limits { bytes: 5_000, ..Limits::default() };
        let large = read(&copies, &limits, WithPositions::No).remove(0).unwrap_err();
        assert_eq!(large.message, "aliases make the document too large");
    }

    /// A generated list, and a ConfigMap with a whole archive in it: time grows with size, not with its square.
    #[test]
    fn long_files_and_long_texts_are_read() {
        let lines: Vec<String> = (0..50_000).map(|number| format!("- name: n{number}\n  value: {number}\n")).collect();
        assert_eq!(one(&lines.concat()).value.as_array().unwrap().len(), 50_000);
        let many: Vec<String> = (0..30_000).map(|number| format!("a: [{number}\n---\n")).collect();
        assert_eq!(read_all(&many.concat()).last().unwrap().as_ref().unwrap_err().line, 59_999);
        let text = format!("a: |\n  {}\n", "x".repeat(4 << 20));
        assert_eq!(one(&text).value["a"].as_str().unwrap().len(), (4 << 20) + 1);
    }

    /// libyaml refuses it, and people write it.
    #[test]
    fn the_escape_of_an_apostrophe_is_read_as_kubectl_reads_it() {
        let text = "a: \"it\\'s \\\\ \\\"\\'\"\nb: 'C:\\'\nc: \"\\'\"\n";
        let document = one(text);
        assert_eq!(document.value, json!({"a": "it's \\ \"'", "b": "C:\\", "c": "'"}));
        let place = document.positions.unwrap().places[&Pointer::parse("/c").unwrap()];
        assert_eq!(at(text, place.1), "\"\\'\"");
    }
}
