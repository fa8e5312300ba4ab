//! Go's quoted strings and runes (`strconv.Quote` and its kin).

use super::super::text::{RUNE_ERROR, push_rune, runes};
use super::super::unicode::is_print;

/// `%q`.
pub(in super::super) fn quote(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&quoted(bytes, b'"', false)).into_owned()
}

/// `%.Nq`: of the first runes only.
pub(in super::super) fn quote_truncated(text: &str, runes: usize) -> String {
    quote(text.chars().take(runes).collect::<String>().as_bytes())
}

/// A literal of these bytes, with `ascii_only` as `%+q` prints it.
pub(super) fn quoted(bytes: &[u8], quote: u8, ascii_only: bool) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(bytes.len() + 2);
    quoted.push(quote);
    for (at, rune, width) in runes(bytes) {
        if width == 1 && rune == RUNE_ERROR {
            quoted.extend_from_slice(format!("\\x{:02x}", bytes[at]).as_bytes());
        } else {
            escape(&mut quoted, rune, quote, ascii_only);
        }
    }
    quoted.push(quote);
    quoted
}

fn escape(quoted: &mut Vec<u8>, rune: char, quote: u8, ascii_only: bool) {
    if rune == char::from(quote) || rune == '\\' {
        quoted.push(b'\\');
        push_rune(quoted, rune);
        return;
    }
    if is_print(rune) && (!ascii_only || rune.is_ascii()) {
        push_rune(quoted, rune);
        return;
    }
    let code = u32::from(rune);
    let escaped = match rune {
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{C}' => "\\f".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{B}' => "\\v".to_owned(),
        _ if rune < ' ' || rune == '\u{7F}' => format!("\\x{code:02x}"),
        _ if code < 0x1_0000 => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    };
    quoted.extend_from_slice(escaped.as_bytes());
}

/// Whether a raw string can hold these bytes.
pub(super) fn can_backquote(bytes: &[u8]) -> bool {
    runes(bytes).all(|(_, rune, width)| {
        let is_invalid = rune == RUNE_ERROR && width == 1;
        !is_invalid && rune != '\u{FEFF}' && (rune >= ' ' || rune == '\t') && rune != '`' && rune != '\u{7F}'
    })
}
