//! A JSON value to YAML, as kubectl prints it.
//!
//! Rule: go-yaml v2 encode.go and emitterc.go for quotes and blocks; but long lines are not folded, so that a diff shows
//! what changed, and text with blanks at the end of a line is still a block.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::scalar::means_something_else;

/// From this length on a key stands after `? `, on a line of its own.
const LONGEST_SIMPLE_KEY: usize = 128;

pub(super) fn write(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => write_map(&mut text, map, 0),
        Value::Array(items) if !items.is_empty() => write_list(&mut text, items, 0),
        other => {
            write_scalar(&mut text, other, 0);
            text.push('\n');
        }
    }
    text
}

/// Writes the entries of a map, each on its own line; the first continues the line that is open.
fn write_map(text: &mut String, map: &Map<String, Value>, indent: usize) {
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 {
            push_indent(text, indent);
        }
        if key.len() > LONGEST_SIMPLE_KEY {
            text.push_str("? ");
            write_text(text, key, None);
            text.push('\n');
            push_indent(text, indent);
        } else {
            write_text(text, key, None);
        }
        text.push(':');
        write_value(text, value, indent);
    }
}

/// Writes the items of a list, each on its own line; the first continues the line that is open.
fn write_list(text: &mut String, items: &[Value], indent: usize) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            push_indent(text, indent);
        }
        text.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => write_map(text, map, indent + 2),
            Value::Array(items) if !items.is_empty() => write_list(text, items, indent + 2),
            scalar => {
                write_scalar(text, scalar, indent);
                text.push('\n');
            }
        }
    }
}

/// Writes what follows the `:` of a key.
fn write_value(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            push_indent(text, indent + 2);
            write_map(text, map, indent + 2);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            push_indent(text, indent);
            write_list(text, items, indent);
        }
        scalar => {
            text.push(' ');
            write_scalar(text, scalar, indent);
            text.push('\n');
        }
    }
}

fn write_scalar(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        // Writing to a String does not fail.
        Value::Number(number) => drop(write!(text, "{number}")),
        Value::String(string) => write_text(text, string, Some(indent)),
        Value::Array(_) => text.push_str("[]"),
        Value::Object(_) => text.push_str("{}"),
    }
}

fn push_indent(text: &mut String, indent: usize) {
    text.extend(std::iter::repeat_n(' ', indent));
}

/// Writes text in the plainest style that reads as the same text. `block` is the indentation of what a block would stand
/// in, where a block may stand.
fn write_text(out: &mut String, text: &str, block: Option<usize>) {
    if text.contains(|character: char| !is_printable(character)) {
        return write_double_quoted(out, text);
    }
    if text.contains('\n') {
        return match block {
            Some(indent) if is_fit_for_a_block(text) => write_block(out, text, indent + 2),
            _ => write_double_quoted(out, text),
        };
    }
    if text.contains('\t') || means_something_else(text) {
        write_double_quoted(out, text);
    } else if is_plain(text) {
        out.push_str(text);
    } else {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    }
}

/// Rule: emitterc.go `is_printable`; tabs and line breaks have cases of their own here.
fn is_printable(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | ' '..='~' | '\u{A0}'..='\u{2027}' | '\u{202A}'..='\u{D7FF}' | '\u{E000}'..='\u{FEFE}'
            | '\u{FF00}'..='\u{FFFD}' | '\u{10000}'..
    )
}

/// Whether text without line breaks can stand without quotes.
///
/// Rule: emitterc.go `yaml_emitter_analyze_scalar`, in block context.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    let has_blank_second = bytes.get(1).is_none_or(|second| *second == b' ');
    let starts_badly = match first {
        b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@'
        | b'`' | b' ' => true,
        b'?' | b':' | b'-' => has_blank_second,
        _ => false,
    };
    !starts_badly
        && !matches!(last, b' ' | b':')
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
}

/// Whether text with line breaks can stand as a literal block: it holds more than blanks and breaks.
fn is_fit_for_a_block(text: &str) -> bool {
    text.contains(|character| !matches!(character, '\n' | ' ' | '\t'))
}

fn write_block(out: &mut String, text: &str, indent: usize) {
    out.push('|');
    if text.starts_with(['\n', ' ', '\t']) {
        out.push('2');
    }
    if !text.ends_with('\n') {
        out.push('-');
    } else if text.ends_with("\n\n") {
        out.push('+');
    }
    let lines = text.strip_suffix('\n').unwrap_or(text);
    for line in lines.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            push_indent(out, indent);
            out.push_str(line);
        }
    }
}

/// Rule: emitterc.go `yaml_emitter_write_double_quoted`.
fn write_double_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{B}' => out.push_str("\\v"),
            '\u{C}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1B}' => out.push_str("\\e"),
            '\u{85}' => out.push_str("\\N"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            printable if is_printable(printable) => out.push(printable),
            // Writing to a String does not fail.
            other => drop(match u32::from(other) {
                code @ ..=0xFF => write!(out, "\\x{code:02X}"),
                code @ ..=0xFFFF => write!(out, "\\u{code:04X}"),
                code => write!(out, "\\U{code:08X}"),
            }),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::{Limits, WithPositions, read};
    use super::*;

    #[test]
    fn values_are_written_as_kubectl_prints_them() {
        let value = json!({
            "list": ["a", {"b": 1, "a": null}, [], {}, [1, [2]]],
            "map": {"on": true, "y": "n", "1": 1.5},
            "text": {
                "base60": "12:30", "bool": "on", "colon": "a: b", "comment": "a #b", "control": "\u{1}\u{1b}",
                "date": "2001-12-14", "empty": "", "exponent": "1e3", "indicator": "*a", "leading": " a", "null": "null",
                "octal": "017", "plain": "it's 100% a:b", "quote": "'a'", "tab": "a\tb", "trailing": "a ", "unicode": "é😀",
            },
            "script": "#!/bin/sh\n\necho 'hi'\n",
            "stripped": "a\nb",
            "kept": "a\n\n",
            "indented": "  a\nb\n",
            "crlf": "a\r\nb",
        });
        let text = r#"crlf: "a\r\nb"
indented: |2
    a
  b
kept: |+
  a

list:
- a
- a: null
  b: 1
- []
- {}
- - 1
  - - 2
map:
  "1": 1.5
  "on": true
  "y": "n"
script: |
  #!/bin/sh

  echo 'hi'
stripped: |-
  a
  b
text:
  base60: "12:30"
  bool: "on"
  colon: 'a: b'
  comment: 'a #b'
  control: "\x01\e"
  date: "2001-12-14"
  empty: ""
  exponent: "1e3"
  indicator: '*a'
  leading: ' a'
  "null": "null"
  octal: "017"
  plain: it's 100% a:b
  quote: '''a'''
  tab: "a\tb"
  trailing: 'a '
  unicode: é😀
"#;
        assert_eq!(write(&value), text);
    }

    fn read_back(text: &str) -> Value {
        match read(text, &Limits::default(), WithPositions::No).pop() {
            Some(document) => document.unwrap_or_else(|error| panic!("{error} in {text}")).value,
            None => Value::Null,
        }
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[ -~\n\t]{0,12}",
            "[-+0-9_.:eExob]{1,8}",
            "[ \n\ta#:'\"|>-]{0,10}",
            "(y|n|on|off|yes|no|true|null|~|<<|=|\\.inf|2001-01-01)[ \n]?",
        ]
    }

    /// Any JSON value. Floats without a fraction are left out: Go, and so the reader, makes them whole numbers.
    fn any_value() -> impl Strategy<Value = Value> {
        let number = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_filter("whole", |value| value.fract() != 0.0 || value.abs() > 1e20).prop_map(Value::from),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            number,
            any_text().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(any_text(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_the_same_value(value in any_value()) {
            prop_assert_eq!(read_back(&write(&value)), value);
        }

        #[test]
        fn text_reads_back_as_the_same_text(text in any_text()) {
            let value = json!({"key": text.as_str(), "list": [text.as_str(), [text.as_str()]], "z": 1});
            prop_assert_eq!(read_back(&write(&value)), value);
        }
    }
}
