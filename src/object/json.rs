//! JSON that nests deep: one object must not keep its neighbours from being read.
//!
//! In: bytes of JSON. Out: the value. The library stops at 127 levels, API servers store custom resources that nest deeper.
//! What nests deeper than [`DEEPEST`] is replaced by a text that says so: it compares as a difference, never as equal.

use serde_json::{Map, Value};

/// How deep a value may nest; YAML is read as deep.
pub const DEEPEST: usize = 1000;

/// How deep the library reads.
const LIBRARY: usize = 120;

/// Replaces what nests deeper than [`DEEPEST`].
const TOO_DEEP: &str = "(not read: it nests deeper than 1000 levels)";

/// Where the text stops being JSON, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotJson(pub usize);

/// Whether the bytes nest deeper than the library reads.
pub fn is_deep(bytes: &[u8]) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > LIBRARY {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Reads a value, however deep it nests.
pub fn read(bytes: &[u8]) -> Result<Value, NotJson> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Ok(value),
        Err(_) if is_deep(bytes) => JsonReader { bytes, at: 0, open: Vec::new(), too_deep: 0 }.document(),
        Err(error) => Err(NotJson(offset_of(bytes, error.line(), error.column()))),
    }
}

fn offset_of(bytes: &[u8], line: usize, column: usize) -> usize {
    let start =
        bytes.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum::<usize>();
    (start + column.saturating_sub(1)).min(bytes.len())
}

/// The lists and maps around the value that is read: no call of a function stands for it, so that no depth ends the program.
enum Open {
    List(Vec<Value>),
    /// With the key that waits for its value.
    Map(Map<String, Value>, String),
}

struct JsonReader<'bytes> {
    bytes: &'bytes [u8],
    at: usize,
    open: Vec<Open>,
    /// How many lists and maps are open beyond [`DEEPEST`].
    too_deep: usize,
}

impl JsonReader<'_> {
    fn document(mut self) -> Result<Value, NotJson> {
        loop {
            let Some(mut value) = self.begin()? else { continue };
            loop {
                match self.put(value)? {
                    PutResult::Document(value) => {
                        self.blanks();
                        return if self.at == self.bytes.len() { Ok(value) } else { Err(self.wrong()) };
                    }
                    PutResult::Closed(closed) => value = closed,
                    PutResult::Next => break,
                }
            }
        }
    }

    /// Reads a value, or opens one.
    fn begin(&mut self) -> Result<Option<Value>, NotJson> {
        self.blanks();
        match self.peek() {
            Some(b'[') => {
                self.at += 1;
                self.blanks();
                if self.skips_close(b']') {
                    return Ok(Some(Value::Array(Vec::new())));
                }
                self.push(Open::List(Vec::new()));
                Ok(None)
            }
            Some(b'{') => {
                self.at += 1;
                self.blanks();
                if self.skips_close(b'}') {
                    return Ok(Some(Value::Object(Map::new())));
                }
                let key = self.key()?;
                self.push(Open::Map(Map::new(), key));
                Ok(None)
            }
            Some(b'"') => self.text().map(|text| Some(Value::String(text))),
            Some(_) => self.word().map(Some),
            None => Err(self.wrong()),
        }
    }

    /// Puts a value where it belongs, and reads on to the next one.
    fn put(&mut self, value: Value) -> Result<PutResult, NotJson> {
        let value = if self.too_deep > 0 { Value::Null } else { value };
        let Some(open) = self.open.last_mut() else { return Ok(PutResult::Document(value)) };
        let close = match open {
            Open::List(items) => {
                items.push(value);
                b']'
            }
            Open::Map(fields, key) => {
                fields.insert(std::mem::take(key), value);
                b'}'
            }
        };
        self.blanks();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                if close == b'}' {
                    let next = self.key()?;
                    if let Some(Open::Map(_, key)) = self.open.last_mut() {
                        *key = next;
                    }
                }
                Ok(PutResult::Next)
            }
            Some(found) if found == close => {
                self.at += 1;
                Ok(PutResult::Closed(self.pop()))
            }
            _ => Err(self.wrong()),
        }
    }

    fn push(&mut self, open: Open) {
        if self.open.len() >= DEEPEST {
            self.too_deep += 1;
        }
        self.open.push(open);
    }

    fn pop(&mut self) -> Value {
        let value = match self.open.pop() {
            Some(Open::List(items)) => Value::Array(items),
            Some(Open::Map(fields, _)) => Value::Object(fields),
            None => Value::Null,
        };
        if self.too_deep == 0 {
            return value;
        }
        self.too_deep -= 1;
        Value::String(TOO_DEEP.to_owned())
    }

    fn key(&mut self) -> Result<String, NotJson> {
        self.blanks();
        if self.peek() != Some(b'"') {
            return Err(self.wrong());
        }
        let key = self.text()?;
        self.blanks();
        if self.peek() != Some(b':') {
            return Err(self.wrong());
        }
        self.at += 1;
        Ok(key)
    }

    fn text(&mut self) -> Result<String, NotJson> {
        let start = self.at;
        let mut end = start + 1;
        while let Some(byte) = self.bytes.get(end) {
            match byte {
                b'\\' => end += 2,
                b'"' => {
                    self.at = end + 1;
                    let text = serde_json::from_slice(&self.bytes[start..=end]);
                    return text.map_err(|_error| NotJson(start));
                }
                _ => end += 1,
            }
        }
        Err(NotJson(start))
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Value, NotJson> {
        let rest = &self.bytes[self.at..];
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let value = serde_json::from_slice(&rest[..length]).map_err(|_error| self.wrong())?;
        self.at += length;
        Ok(value)
    }

    fn skips_close(&mut self, close: u8) -> bool {
        let closes = self.peek() == Some(close);
        self.at += usize::from(closes);
        closes
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn wrong(&self) -> NotJson {
        NotJson(self.at)
    }
}

/// The result of adding a value.
enum PutResult {
    /// It is the whole document.
    Document(Value),
    /// It was the last of what is around it, which is a value now.
    Closed(Value),
    /// Another one follows.
    Next,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn nested(depth: usize, inner: &str) -> String {
        format!("{}{inner}{}", "{\"a\":[".repeat(depth / 2), "]}".repeat(depth / 2))
    }

    fn by_hand(text: &str) -> Result<Value, NotJson> {
        JsonReader { bytes: text.as_bytes(), at: 0, open: Vec::new(), too_deep: 0 }.document()
    }

    #[test]
    fn what_nests_deeper_than_the_library_reads_is_read() {
        let text = nested(400, "7");
        assert!(serde_json::from_str::<Value>(&text).is_err());
        let mut value = &read(text.as_bytes()).unwrap();
        for _ in 0..200 {
            value = &value["a"][0];
        }
        assert_eq!(*value, json!(7));
    }

    /// An object of 100,000 levels is cut off, and what stands beside it is whole.
    #[test]
    fn what_nests_beyond_all_measure_is_cut_off() {
        let text = format!("[{}, {{\"name\": \"web\"}}]", nested(100_000, "\"x\""));
        let value = read(text.as_bytes()).unwrap();
        assert_eq!(value[1], json!({"name": "web"}));
        assert!(value.to_string().contains(TOO_DEEP));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = nested(400, "7");
        for text in [
            deep[..deep.len() - 1].to_owned(),
            format!("{deep} x"),
            deep.replace('7', "7,"),
            deep.replace('7', "07"),
            deep.replace('7', "\"open"),
            deep.replace('7', "{1: 2}"),
            deep.replace('7', "nil"),
        ] {
            assert!(read(text.as_bytes()).is_err(), "{}", &text[text.len() / 2 - 5..text.len() / 2 + 5]);
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::hash_map(".{0,4}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_reads_what_the_library_reads(value in values(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            prop_assert_eq!(by_hand(&text), Ok(value));
        }

        #[test]
        fn it_refuses_what_the_library_refuses(text in "[\\[\\]{},:\" 0-9a-e.\\\\-]{0,12}") {
            prop_assert_eq!(by_hand(&text).ok(), serde_json::from_str::<Value>(&text).ok());
        }
    }
}
