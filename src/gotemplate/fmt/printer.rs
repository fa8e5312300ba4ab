//! One value by one verb (`printArg` and `printValue`).

use std::rc::Rc;

use super::super::error::Limit;
use super::super::text::{Text, push_rune, rune_count, runes};
use super::super::value::{GoObject, List, Map, Type, Value};
use super::float::format_float;
use super::integer::IntegerArgument;
use super::quote::{can_backquote, quoted};

/// How deep values may be nested; Go has no limit, and dies of a map that holds itself.
const MAX_DEPTH: usize = 200;

/// The flags of one verb.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are Go's flags")]
pub(super) struct VerbFlags {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`.
    pub(super) plus_v: bool,
    /// `%#v`.
    pub(super) sharp_v: bool,
}

pub(super) struct Printer {
    pub(super) buffer: Vec<u8>,
    pub(super) flags: VerbFlags,
    limit: usize,
    is_too_deep: bool,
    /// Inside of a message about a bad verb, where no methods are called.
    is_erroring: bool,
}

impl Printer {
    pub(super) fn new(limit: usize) -> Self {
        Self { buffer: Vec::new(), flags: VerbFlags::default(), limit, is_too_deep: false, is_erroring: false }
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, Limit> {
        if self.is_too_deep {
            Err(Limit::Depth(MAX_DEPTH))
        } else if self.buffer.len() > self.limit {
            Err(Limit::Memory(self.limit))
        } else {
            Ok(self.buffer)
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.is_too_deep || self.buffer.len() > self.limit
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        if !self.is_full() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    pub(super) fn padding(&mut self, count: usize) {
        if !self.is_full() {
            let byte = if self.flags.zero && !self.flags.minus { b'0' } else { b' ' };
            self.buffer.extend(std::iter::repeat_n(byte, count));
        }
    }

    pub(super) fn pad(&mut self, bytes: &[u8]) {
        let missing = self.flags.width.map_or(0, |width| width.saturating_sub(rune_count(bytes)));
        if self.flags.minus {
            self.write(bytes);
            self.padding(missing);
        } else {
            self.padding(missing);
            self.write(bytes);
        }
    }

    pub(super) fn without_zeros(&mut self, print: impl FnOnce(&mut Self)) {
        let zero = std::mem::take(&mut self.flags.zero);
        print(self);
        self.flags.zero = zero;
    }

    /// Writes the value of an `interface{}` by a verb.
    pub(super) fn argument(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.pad(b"<nil>"),
            (_, 'T') => self.text(value.type_name().as_bytes()),
            _ => self.value(value, verb, 0),
        }
    }

    fn value(&mut self, value: &Value, verb: char, depth: usize) {
        if self.is_full() {
            return;
        }
        if depth > MAX_DEPTH {
            self.is_too_deep = true;
            return;
        }
        let is_done = match value {
            Value::Bool(value) if matches!(verb, 't' | 'v') => {
                self.pad(if *value { b"true" } else { b"false" });
                true
            }
            Value::Nil | Value::Bool(_) => false,
            Value::Int(_, value) => self.integer(IntegerArgument::signed(*value), verb),
            Value::Uint(_, value) => self.integer(IntegerArgument::unsigned(*value), verb),
            Value::Float32(value) => self.float(f64::from(*value), 32, verb),
            Value::Float64(value) => self.float(*value, 64, verb),
            Value::Complex128(real, imaginary) => self.complex(*real, *imaginary, verb),
            Value::Text(text) => self.string(text.bytes(), verb),
            Value::Bytes(bytes) => self.bytes(bytes.bytes(), verb),
            Value::List(list) => self.list(list, value, verb, depth),
            Value::Map(map) => self.map(map, value, verb, depth),
            Value::Object(object) => self.object(object, value, verb, depth),
        };
        if !is_done {
            self.bad_verb(value, verb);
        }
    }

    /// `%!d(string=text)`.
    fn bad_verb(&mut self, value: &Value, verb: char) {
        let was_erroring = std::mem::replace(&mut self.is_erroring, true);
        let mut text = b"%!".to_vec();
        push_rune(&mut text, verb);
        text.push(b'(');
        self.write(&text);
        if let Value::Nil = value {
            self.write(b"<nil>");
        } else {
            self.write(value.type_name().as_bytes());
            self.write(b"=");
            self.value(value, 'v', 0);
        }
        self.write(b")");
        self.is_erroring = was_erroring;
    }

    fn float(&mut self, value: f64, bits: u32, verb: char) -> bool {
        let (format, precision) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'f' | 'e' | 'E' => (verb, Some(6)),
            'F' => ('f', Some(6)),
            _ => return false,
        };
        let precision = self.flags.precision.or(precision);
        let mut text = format_float(value, format, precision, bits);
        if !text.starts_with(['+', '-']) {
            text.insert(0, '+');
        }
        if self.flags.space && text.starts_with('+') && !self.flags.plus {
            text.replace_range(..1, " ");
        }
        if matches!(text.as_bytes().get(1), Some(b'I' | b'N')) {
            if text.as_bytes()[1] == b'N' && !self.flags.space && !self.flags.plus {
                text.remove(0);
            }
            self.without_zeros(|printer| printer.pad(text.as_bytes()));
            return true;
        }
        if self.flags.sharp && verb != 'b' {
            with_point(&mut text, format, precision);
        }
        if self.flags.plus || !text.starts_with('+') {
            let width = self.flags.width.unwrap_or(0);
            if self.flags.zero && !self.flags.minus && width > text.len() {
                self.write(&text.as_bytes()[..1]);
                self.padding(width - text.len());
                self.write(&text.as_bytes()[1..]);
            } else {
                self.pad(text.as_bytes());
            }
        } else {
            self.pad(&text.as_bytes()[1..]);
        }
        true
    }

    fn complex(&mut self, real: f64, imaginary: f64, verb: char) -> bool {
        if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
            return false;
        }
        self.write(b"(");
        self.float(real, 64, verb);
        let plus = std::mem::replace(&mut self.flags.plus, true);
        self.float(imaginary, 64, verb);
        self.flags.plus = plus;
        self.write(b"i)");
        true
    }

    /// The first runes, as many as the precision says.
    fn truncated<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let end = self.flags.precision.and_then(|count| runes(bytes).nth(count)).map_or(bytes.len(), |(at, ..)| at);
        &bytes[..end]
    }

    fn text(&mut self, bytes: &[u8]) {
        let bytes = self.truncated(bytes);
        self.pad(bytes);
    }

    fn string(&mut self, bytes: &[u8], verb: char) -> bool {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(bytes),
            'v' | 's' => self.text(bytes),
            'x' | 'X' => self.hexadecimal_bytes(bytes, verb),
            'q' => self.quoted(bytes),
            _ => return false,
        }
        true
    }

    fn quoted(&mut self, bytes: &[u8]) {
        let bytes = self.truncated(bytes);
        if self.flags.sharp && can_backquote(bytes) {
            self.pad(&[b"`", bytes, b"`"].concat());
        } else {
            self.pad(&quoted(bytes, b'"', self.flags.plus));
        }
    }

    fn hexadecimal_bytes(&mut self, bytes: &[u8], verb: char) {
        let bytes = &bytes[..self.flags.precision.unwrap_or(usize::MAX).min(bytes.len())];
        let prefix = match (self.flags.sharp, verb) {
            (false, _) => "",
            (true, 'X') => "0X",
            (true, _) => "0x",
        };
        let mut text = String::new();
        for (index, byte) in bytes.iter().enumerate() {
            if index > 0 && self.flags.space {
                text.push(' ');
            }
            if index == 0 || self.flags.space {
                text.push_str(prefix);
            }
            let digits = if verb == 'X' { format!("{byte:02X}") } else { format!("{byte:02x}") };
            text.push_str(&digits);
        }
        self.pad(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8], verb: char) -> bool {
        match verb {
            's' => self.text(bytes),
            'x' | 'X' => self.hexadecimal_bytes(bytes, verb),
            'q' => self.quoted(bytes),
            _ => {
                let open: &[u8] = if self.flags.sharp_v { b"[]byte{" } else { b"[" };
                self.write(open);
                for (index, byte) in bytes.iter().enumerate() {
                    self.separator(index);
                    if self.flags.sharp_v {
                        self.hexadecimal(u64::from(*byte), true);
                    } else if !self.integer(IntegerArgument::unsigned(u64::from(*byte)), verb) {
                        self.bad_verb(&Value::Uint(super::super::value::UintType::U8, u64::from(*byte)), verb);
                    }
                }
                self.write(if self.flags.sharp_v { b"}" } else { b"]" });
            }
        }
        true
    }

    fn separator(&mut self, index: usize) {
        if index > 0 {
            self.write(if self.flags.sharp_v { b", " } else { b" " });
        }
    }

    /// An element of a container; a nil interface prints as such whatever the verb.
    fn element(&mut self, value: &Value, element: &Type, verb: char, depth: usize) {
        match (value, element) {
            (Value::Nil, Type::Interface) if self.flags.sharp_v => self.write(b"interface {}(nil)"),
            (Value::Nil, _) => self.write(b"<nil>"),
            _ => self.value(value, verb, depth + 1),
        }
    }

    fn list(&mut self, list: &List, value: &Value, verb: char, depth: usize) -> bool {
        if verb == 'p' || (verb == 'w' && !self.is_erroring) {
            return false;
        }
        if self.flags.sharp_v {
            self.write(value.type_name().as_bytes());
            if list.is_nil() {
                self.write(b"(nil)");
                return true;
            }
        }
        self.write(if self.flags.sharp_v { b"{" } else { b"[" });
        for (index, item) in list.items().iter().enumerate() {
            self.separator(index);
            self.element(item, list.element(), verb, depth);
        }
        self.write(if self.flags.sharp_v { b"}" } else { b"]" });
        true
    }

    fn map(&mut self, map: &Map, value: &Value, verb: char, depth: usize) -> bool {
        if verb == 'p' || (verb == 'w' && !self.is_erroring) {
            return false;
        }
        if self.flags.sharp_v {
            self.write(value.type_name().as_bytes());
            if map.is_nil() {
                self.write(b"(nil)");
                return true;
            }
            self.write(b"{");
        } else {
            self.write(b"map[");
        }
        for (index, (key, item)) in map.entries().into_iter().enumerate() {
            self.separator(index);
            self.value(&Value::Text(key), verb, depth + 1);
            self.write(b":");
            self.element(&item, map.element(), verb, depth);
        }
        self.write(if self.flags.sharp_v { b"}" } else { b"]" });
        true
    }

    fn object(&mut self, object: &Rc<dyn GoObject>, value: &Value, verb: char, depth: usize) -> bool {
        if !self.is_erroring && !self.flags.sharp_v && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
            if let Some(text) = object.to_text() {
                return self.string(Text::bytes(&text), verb);
            }
        } else if verb == 'p' || verb == 'w' {
            return false;
        }
        if object.is_pointer() {
            self.write(b"&");
        }
        if self.flags.sharp_v {
            self.write(value.type_name().trim_start_matches('*').as_bytes());
        }
        self.write(b"{");
        for (index, (name, field)) in object.fields().into_iter().enumerate() {
            self.separator(index);
            if self.flags.plus_v || self.flags.sharp_v {
                self.write(name.as_bytes());
                self.write(b":");
            }
            self.element(&field, &Type::Interface, verb, depth);
        }
        self.write(b"}");
        true
    }
}

/// The sharp flag: a decimal point in any case, and the zeros at the end that the precision asks for.
fn with_point(text: &mut String, format: char, precision: Option<usize>) {
    let mut digits = match format {
        'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let is_hexadecimal = matches!(format, 'x' | 'X');
    let marks: &[char] = if is_hexadecimal { &['p', 'P'] } else { &['e', 'E'] };
    let tail = text.find(marks).map(|at| text.split_off(at)).unwrap_or_default();
    let mut has_point = false;
    let mut saw_nonzero = false;
    for character in text.chars().skip(1) {
        if character == '.' {
            has_point = true;
            continue;
        }
        saw_nonzero |= character != '0';
        if saw_nonzero {
            digits = digits.saturating_sub(1);
        }
    }
    if !has_point {
        if text.len() == 2 && text.ends_with('0') {
            digits = digits.saturating_sub(1);
        }
        text.push('.');
    }
    text.extend(std::iter::repeat_n('0', digits));
    text.push_str(&tail);
}
