//! Encodings and sums: base64, base32, JSON, SHA, Adler.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest;

use super::super::json::{Style, decode, encode};
use super::super::limits::MAX_TEXT;
use super::{A, Args, Fault, Result, T, TableEntry, Value};

const COMPACT: Style = Style { escapes_html: true, is_pretty: false };
const PRETTY: Style = Style { escapes_html: true, is_pretty: true };
const RAW: Style = Style { escapes_html: false, is_pretty: false };

pub(super) const TABLE: &[TableEntry] = &[
    ("b64enc", &[T], None, |_, args| Ok(Value::text(STANDARD.encode(args.text(0))))),
    ("b64dec", &[T], None, |_, args| Ok(decoded("base64", base64_decoded(args.text(0))))),
    ("b32enc", &[T], None, |_, args| Ok(Value::text(base32(args.text(0))))),
    ("b32dec", &[T], None, |_, args| Ok(decoded("base32", base32_decoded(args.text(0))))),
    ("fromJson", &[T], None, |_, args| without_error(decode(args.text(0)), &Value::Nil)),
    ("mustFromJson", &[T], None, |_, args| decode(args.text(0))),
    ("toJson", &[A], None, |_, args| without_error(json(args, COMPACT), &Value::text(""))),
    ("mustToJson", &[A], None, |_, args| json(args, COMPACT)),
    ("toPrettyJson", &[A], None, |_, args| without_error(json(args, PRETTY), &Value::text(""))),
    ("mustToPrettyJson", &[A], None, |_, args| json(args, PRETTY)),
    ("toRawJson", &[A], None, |_, args| json(args, RAW)),
    ("mustToRawJson", &[A], None, |_, args| json(args, RAW)),
    ("sha1sum", &[T], None, |_, args| Ok(sum(&digest::SHA1_FOR_LEGACY_USE_ONLY, args))),
    ("sha256sum", &[T], None, |_, args| Ok(sum(&digest::SHA256, args))),
    ("sha512sum", &[T], None, |_, args| Ok(sum(&digest::SHA512, args))),
    ("adler32sum", &[T], None, |_, args| Ok(Value::text(adler32(args.text(0)).to_string()))),
];

fn json(args: Args<'_>, style: Style) -> Result {
    Ok(Value::text(encode(args.value(0), style, MAX_TEXT)?))
}

/// Errors are swallowed, limits are not.
fn without_error(result: Result, otherwise: &Value) -> Result {
    match result {
        Err(Fault::Message(_)) => Ok(otherwise.clone()),
        result => result,
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn sum(algorithm: &'static digest::Algorithm, args: Args<'_>) -> Value {
    Value::text(hex(digest::digest(algorithm, args.text(0)).as_ref()))
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in bytes {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    high << 16 | low
}

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    for block in bytes.chunks(5) {
        let mut bits = [0; 8];
        bits[3..3 + block.len()].copy_from_slice(block);
        let bits = u64::from_be_bytes(bits);
        let used = (block.len() * 8).div_ceil(5);
        for at in 0..8 {
            let digit = usize::try_from(bits >> (35 - 5 * at) & 31).unwrap_or(0);
            text.push(if at < used { char::from(ALPHABET[digit]) } else { '=' });
        }
    }
    text
}

fn base64_digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

fn base32_digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'2'..=b'7' => byte - b'2' + 26,
        _ => return None,
    })
}

/// The decoded bytes, or the text of Go's error: sprig returns it as if it were the content.
fn decoded(name: &str, bytes: std::result::Result<Vec<u8>, usize>) -> Value {
    Value::text(bytes.unwrap_or_else(|at| format!("illegal {name} data at input byte {at}").into_bytes()))
}

fn skip_newlines(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The bytes, or where Go says that the text is wrong.
fn base64_decoded(text: &[u8]) -> std::result::Result<Vec<u8>, usize> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let mut digits = Vec::with_capacity(4);
        let mut is_last = false;
        while digits.len() < 4 && !is_last {
            let Some(byte) = text.get(at) else {
                if digits.is_empty() {
                    return Ok(bytes);
                }
                return Err(at - digits.len());
            };
            at += 1;
            match (base64_digit(*byte), byte) {
                (Some(digit), _) => digits.push(digit),
                (None, b'\n' | b'\r') => {}
                (None, b'=') if digits.len() >= 2 => {
                    at = base64_padding(text, at, digits.len())?;
                    is_last = true;
                }
                _ => return Err(at - 1),
            }
        }
        let bits = digits.iter().fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit));
        let bits = bits << (6 * (4 - digits.len())) << 8;
        bytes.extend_from_slice(&bits.to_be_bytes()[..digits.len() - 1]);
    }
    Ok(bytes)
}

/// The end of the text, after a first `=`.
fn base64_padding(text: &[u8], mut at: usize, digits: usize) -> std::result::Result<usize, usize> {
    if digits == 2 {
        at = skip_newlines(text, at);
        match text.get(at) {
            None => return Err(text.len()),
            Some(b'=') => at += 1,
            Some(_) => return Err(at - 1),
        }
    }
    at = skip_newlines(text, at);
    if at < text.len() { Err(at) } else { Ok(at) }
}

/// The same for base32, which drops line breaks first and counts what is left.
fn base32_decoded(text: &[u8]) -> std::result::Result<Vec<u8>, usize> {
    let text: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    let mut is_last = false;
    while at < text.len() && !is_last {
        let mut digits = Vec::with_capacity(8);
        while digits.len() < 8 && !is_last {
            let Some(byte) = text.get(at) else { return Err(text.len() - digits.len()) };
            at += 1;
            let rest = &text[at..];
            if *byte == b'=' && digits.len() >= 2 && rest.len() < 8 {
                base32_padding(rest, digits.len(), at, text.len())?;
                is_last = true;
            } else {
                digits.push(base32_digit(*byte).ok_or(at - 1)?);
            }
        }
        let bits = digits.iter().fold(0_u64, |bits, digit| bits << 5 | u64::from(*digit));
        let bits = bits << (5 * (8 - digits.len())) << 24;
        bytes.extend_from_slice(&bits.to_be_bytes()[..digits.len() * 5 / 8]);
    }
    Ok(bytes)
}

fn base32_padding(rest: &[u8], digits: usize, at: usize, length: usize) -> std::result::Result<(), usize> {
    if rest.len() + digits < 7 {
        return Err(length);
    }
    if let Some(wrong) = rest.iter().take(7 - digits).position(|byte| *byte != b'=') {
        return Err(at + wrong - 1);
    }
    if matches!(digits, 3 | 6) { Err(at - 1) } else { Ok(()) }
}
