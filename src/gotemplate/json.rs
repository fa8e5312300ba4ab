//! JSON as Go's `encoding/json` writes and reads it, with its errors.

use super::error::{Fault, Limit};
use super::fmt::{format_float, quote};
use super::parse::parse_float;
use super::text::{RUNE_ERROR, Text, push_rune, runes};
use super::value::Value;

/// How deep values may be nested; Go reads 10,000 levels.
const MAX_DEPTH: usize = 200;

/// How it is written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Style {
    /// Whether `<`, `>` and `&` are escaped.
    pub(super) escapes_html: bool,
    /// Whether it is spread over lines, with two spaces a level.
    pub(super) is_pretty: bool,
}

struct Writer {
    buffer: Vec<u8>,
    style: Style,
    limit: usize,
}

/// A value as JSON.
pub(super) fn encode(value: &Value, style: Style, limit: usize) -> Result<Vec<u8>, Fault> {
    let mut writer = Writer { buffer: Vec::new(), style, limit };
    writer.value(value, 0)?;
    Ok(writer.buffer)
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return Err(Limit::Depth(MAX_DEPTH).into());
        }
        if self.buffer.len() > self.limit {
            return Err(Limit::Memory(self.limit).into());
        }
        match value {
            Value::Nil => self.raw("null"),
            Value::Bool(value) => self.raw(if *value { "true" } else { "false" }),
            Value::Int(_, value) => self.raw(&value.to_string()),
            Value::Uint(_, value) => self.raw(&value.to_string()),
            Value::Float32(value) => self.float(f64::from(*value), 32)?,
            Value::Float64(value) => self.float(*value, 64)?,
            Value::Complex128(..) => return Err("json: unsupported type: complex128".into()),
            Value::Text(text) => self.string(text.bytes()),
            Value::Bytes(bytes) => {
                use base64::Engine as _;
                let encoded = base64::engine::general_purpose::STANDARD.encode(bytes.bytes());
                self.string(encoded.as_bytes());
            }
            Value::List(list) if list.is_nil() => self.raw("null"),
            Value::List(list) => {
                let items = list.items();
                self.members("[", "]", items.iter().map(|item| (None, item)), depth)?;
            }
            Value::Map(map) if map.is_nil() => self.raw("null"),
            Value::Map(map) => {
                let entries = map.entries();
                self.members("{", "}", entries.iter().map(|(key, value)| (Some(key.bytes()), value)), depth)?;
            }
            Value::Object(object) => {
                if let Some(json) = object.to_json() {
                    self.raw(&json);
                    return Ok(());
                }
                let mut fields = object.fields();
                fields.retain(|(name, _)| super::value::is_exported(name));
                let members = fields.iter().map(|(name, value)| (Some(name.as_bytes()), value));
                self.members("{", "}", members, depth)?;
            }
        }
        Ok(())
    }

    fn raw(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn members<'v>(
        &mut self,
        open: &str,
        close: &str,
        members: impl ExactSizeIterator<Item = (Option<&'v [u8]>, &'v Value)>,
        depth: usize,
    ) -> Result<(), Fault> {
        let is_empty = members.len() == 0;
        self.raw(open);
        for (index, (key, value)) in members.enumerate() {
            if index > 0 {
                self.raw(",");
            }
            self.line(depth + 1);
            if let Some(key) = key {
                self.string(key);
                self.raw(if self.style.is_pretty { ": " } else { ":" });
            }
            self.value(value, depth + 1)?;
        }
        if !is_empty {
            self.line(depth);
        }
        self.raw(close);
        Ok(())
    }

    fn line(&mut self, depth: usize) {
        if self.style.is_pretty {
            self.raw("\n");
            self.raw(&"  ".repeat(depth));
        }
    }

    fn float(&mut self, value: f64, bits: u32) -> Result<(), Fault> {
        if !value.is_finite() {
            return Err(Fault::Message(format!("json: unsupported value: {}", format_float(value, 'g', None, bits))));
        }
        let magnitude = value.abs();
        if magnitude > 0.0 && !(1e-6..1e21).contains(&magnitude) {
            let text = format_float(value, 'e', None, bits);
            self.raw(&text.replace("e-0", "e-"));
        } else {
            self.raw(&format_float(value, 'f', None, bits));
        }
        Ok(())
    }

    fn string(&mut self, bytes: &[u8]) {
        self.raw("\"");
        for (at, rune, width) in runes(bytes) {
            match rune {
                '"' => self.raw("\\\""),
                '\\' => self.raw("\\\\"),
                '\u{8}' => self.raw("\\b"),
                '\u{C}' => self.raw("\\f"),
                '\n' => self.raw("\\n"),
                '\r' => self.raw("\\r"),
                '\t' => self.raw("\\t"),
                '<' | '>' | '&' if self.style.escapes_html => self.raw(&format!("\\u{:04x}", u32::from(rune))),
                '\0'..='\u{1F}' | '\u{2028}' | '\u{2029}' => self.raw(&format!("\\u{:04x}", u32::from(rune))),
                RUNE_ERROR if width == 1 => self.raw("\\ufffd"),
                _ => self.buffer.extend_from_slice(&bytes[at..at + width]),
            }
        }
        self.raw("\"");
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// JSON as `json.Unmarshal` reads it into an `interface{}`.
pub(super) fn decode(bytes: &[u8]) -> Result<Value, Fault> {
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.value(0)?;
    reader.spaces();
    match reader.peek() {
        None => Ok(value),
        Some(byte) => Err(unexpected(byte, "after top-level value")),
    }
}

fn unexpected(byte: u8, context: &str) -> Fault {
    let shown = match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        _ => {
            let quoted = quote(char::from(byte).to_string().as_bytes());
            format!("'{}'", &quoted[1..quoted.len() - 1])
        }
    };
    Fault::Message(format!("invalid character {shown} {context}"))
}

fn ended() -> Fault {
    "unexpected end of JSON input".into()
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, Fault> {
        let byte = self.peek().ok_or_else(ended)?;
        self.at += 1;
        Ok(byte)
    }

    /// The same inside of what a space cannot end: at the end of the text Go looks at a space.
    fn next_inside(&mut self) -> u8 {
        let byte = self.peek().unwrap_or(b' ');
        self.at += 1;
        byte
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Fault> {
        if depth > MAX_DEPTH {
            return Err(Limit::Depth(MAX_DEPTH).into());
        }
        self.spaces();
        match self.next()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => Ok(Value::Text(self.string()?)),
            b't' => self.literal("true", Value::Bool(true)),
            b'f' => self.literal("false", Value::Bool(false)),
            b'n' => self.literal("null", Value::Nil),
            first @ (b'-' | b'0'..=b'9') => self.number(first),
            other => Err(unexpected(other, "looking for beginning of value")),
        }
    }

    fn literal(&mut self, literal: &str, value: Value) -> Result<Value, Fault> {
        for expected in literal.chars().skip(1) {
            let byte = self.next_inside();
            if char::from(byte) != expected {
                return Err(unexpected(byte, &format!("in literal {literal} (expecting '{expected}')")));
            }
        }
        Ok(value)
    }

    fn array(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut items = Vec::new();
        self.spaces();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::list(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.spaces();
            match self.next()? {
                b',' => {}
                b']' => return Ok(Value::list(items)),
                other => return Err(unexpected(other, "after array element")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut entries = Vec::new();
        self.spaces();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::map(entries));
        }
        loop {
            self.spaces();
            match self.next()? {
                b'"' => {}
                other => return Err(unexpected(other, "looking for beginning of object key string")),
            }
            let key = self.string()?;
            self.spaces();
            match self.next()? {
                b':' => {}
                other => return Err(unexpected(other, "after object key")),
            }
            entries.push((key, self.value(depth + 1)?));
            self.spaces();
            match self.next()? {
                b',' => {}
                b'}' => return Ok(Value::map(entries)),
                other => return Err(unexpected(other, "after object key:value pair")),
            }
        }
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn digit(&mut self, context: &str) -> Result<u8, Fault> {
        match self.next_inside() {
            digit @ b'0'..=b'9' => Ok(digit),
            other => Err(unexpected(other, context)),
        }
    }

    fn number(&mut self, mut first: u8) -> Result<Value, Fault> {
        let start = self.at - 1;
        if first == b'-' {
            first = self.digit("in numeric literal")?;
        }
        if first != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digit("in exponent of numeric literal")?;
            self.digits();
        }
        let text = String::from_utf8_lossy(&self.bytes[start..self.at]);
        let too_large =
            || Fault::Message(format!("json: cannot unmarshal number {text} into Go value of type float64"));
        parse_float(&text).ok().map(Value::Float64).ok_or_else(too_large)
    }

    /// The opening quote is read.
    fn string(&mut self) -> Result<Text, Fault> {
        let mut text = Vec::new();
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => self.escape(&mut text)?,
                control @ 0..=0x1F => return Err(unexpected(control, "in string literal")),
                byte => text.push(byte),
            }
        }
        Ok(if std::str::from_utf8(&text).is_ok() {
            text.into()
        } else {
            let mut valid = Vec::new();
            runes(&text).for_each(|(_, rune, _)| push_rune(&mut valid, rune));
            valid.into()
        })
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), Fault> {
        match self.next_inside() {
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            byte @ (b'"' | b'\\' | b'/') => text.push(byte),
            b'u' => {
                let unit = self.code_unit()?;
                let rune = match unit {
                    0xD800..=0xDBFF => self.low_surrogate(unit)?,
                    _ => char::from_u32(unit).unwrap_or(RUNE_ERROR),
                };
                push_rune(text, rune);
            }
            other => return Err(unexpected(other, "in string escape code")),
        }
        Ok(())
    }

    fn code_unit(&mut self) -> Result<u32, Fault> {
        let mut unit = 0;
        for _ in 0..4 {
            let byte = self.next_inside();
            let digit = char::from(byte).to_digit(16);
            unit = unit * 16 + digit.ok_or_else(|| unexpected(byte, "in \\u hexadecimal character escape"))?;
        }
        Ok(unit)
    }

    /// The half after a high surrogate; without it it is U+FFFD, and what follows is read on its own.
    fn low_surrogate(&mut self, high: u32) -> Result<char, Fault> {
        if !self.bytes[self.at..].starts_with(b"\\u") {
            return Ok(RUNE_ERROR);
        }
        let start = self.at;
        self.at += 2;
        let low = self.code_unit()?;
        if (0xDC00..=0xDFFF).contains(&low) {
            return Ok(char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)).unwrap_or(RUNE_ERROR));
        }
        self.at = start;
        Ok(RUNE_ERROR)
    }
}
