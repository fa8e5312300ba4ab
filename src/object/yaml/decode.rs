//! Bytes to text, before any YAML is read.
//!
//! Rule: YAML 1.1 section 5.2: UTF-8, or UTF-16 that says so with a byte order mark. A mark is taken off.

use std::borrow::Cow;

use super::{Span, YamlError};

const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, YamlError> {
    if let Some(rest) = bytes.strip_prefix(&[0xFF, 0xFE]) {
        return utf16(rest, u16::from_le_bytes).map(Cow::Owned);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xFE, 0xFF]) {
        return utf16(rest, u16::from_be_bytes).map(Cow::Owned);
    }
    let bytes = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) => {
            let at = error.valid_up_to();
            let line = bytes[..at].split(|byte| *byte == b'\n').count();
            Err(undecodable(format!("byte 0x{:02X} is not UTF-8", bytes[at]), at, line))
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, YamlError> {
    let mut text = String::with_capacity(bytes.len() / 2);
    let pairs = bytes.chunks_exact(2);
    let cut = !pairs.remainder().is_empty();
    for character in char::decode_utf16(pairs.map(|pair| unit([pair[0], pair[1]]))) {
        match character {
            Ok(character) => text.push(character),
            Err(lone) => {
                let message = format!("half a character, 0x{:04X}, stands alone in UTF-16", lone.unpaired_surrogate());
                return Err(undecodable(message, text.len(), 1 + text.matches('\n').count()));
            }
        }
    }
    if cut {
        let line = 1 + text.matches('\n').count();
        return Err(undecodable("the last character of UTF-16 is cut in half".to_owned(), text.len(), line));
    }
    Ok(text)
}

fn undecodable(message: String, offset: usize, line: usize) -> YamlError {
    YamlError {
        message,
        span: Span { offset, length: 0 },
        line,
        help: Some("save the file as UTF-8; binary data belongs in `binaryData` or `!!binary`, as base64"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_taken_off() {
        assert_eq!(decode(b"\xEF\xBB\xBFa: 1\n").unwrap(), "a: 1\n");
    }

    /// PowerShell's `>` writes UTF-16.
    #[test]
    fn utf16_of_both_orders_is_read() {
        let text = "a: \u{1F600}é\n";
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
            let bytes: Vec<u8> = units.flat_map(order).collect();
            assert_eq!(decode(&bytes).unwrap(), text);
        }
    }

    #[test]
    fn what_is_not_text_is_refused_with_its_line() {
        let error = decode(b"a: 1\nb: \xFF\n").unwrap_err();
        assert_eq!((error.line, error.span.offset), (2, 8));
        assert_eq!(error.message, "byte 0xFF is not UTF-8");
        assert_eq!(decode(b"\xFF\xFEa\0b").unwrap_err().message, "the last character of UTF-16 is cut in half");
        assert_eq!(decode(b"\xFF\xFE\x00\xD8a\0").unwrap_err().line, 1);
    }
}
