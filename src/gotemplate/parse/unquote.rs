//! Go's string and character literals (`strconv.Unquote` and `strconv.UnquoteChar`).

use super::super::text::push_rune;
use super::lex::rune_at;

/// Go's error for every invalid literal.
pub(super) const INVALID_SYNTAX: &str = "invalid syntax";

/// A character of a literal: a code point, or one byte (`\xff`, `\377`).
pub(super) enum Unquoted {
    Rune(char),
    Byte(u8),
}

/// The bytes of a quoted string, with its quotes on.
pub(super) fn unquote(quoted: &str) -> Result<Vec<u8>, &'static str> {
    let bytes = quoted.as_bytes();
    let [quote, inner @ .., end] = bytes else { return Err(INVALID_SYNTAX) };
    if quote != end {
        return Err(INVALID_SYNTAX);
    }
    if *quote == b'`' {
        if inner.contains(&b'`') {
            return Err(INVALID_SYNTAX);
        }
        return Ok(inner.iter().copied().filter(|byte| *byte != b'\r').collect());
    }
    let mut unquoted = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        if matches!(rest.first(), Some(b'"' | b'\n')) {
            return Err(INVALID_SYNTAX);
        }
        let (character, after) = unquote_char(rest, b'"')?;
        match character {
            Unquoted::Rune(rune) => push_rune(&mut unquoted, rune),
            Unquoted::Byte(byte) => unquoted.push(byte),
        }
        rest = after;
    }
    Ok(unquoted)
}

/// The first character of a literal's inside, and what follows it.
pub(super) fn unquote_char(bytes: &[u8], quote: u8) -> Result<(Unquoted, &[u8]), &'static str> {
    let first = *bytes.first().ok_or(INVALID_SYNTAX)?;
    if first == quote && matches!(quote, b'\'' | b'"') {
        return Err(INVALID_SYNTAX);
    }
    if first != b'\\' {
        let (rune, width) = rune_at(bytes).ok_or(INVALID_SYNTAX)?;
        return Ok((Unquoted::Rune(rune), &bytes[width..]));
    }
    let escape = *bytes.get(1).ok_or(INVALID_SYNTAX)?;
    let rest = &bytes[2..];
    let simple = |rune: char| Ok((Unquoted::Rune(rune), rest));
    match escape {
        b'a' => simple('\u{7}'),
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{C}'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'v' => simple('\u{B}'),
        b'\\' => simple('\\'),
        b'\'' | b'"' if escape == quote => simple(char::from(escape)),
        b'x' | b'u' | b'U' => {
            let length = match escape {
                b'x' => 2,
                b'u' => 4,
                _ => 8,
            };
            let value = number(rest.get(..length), 16)?;
            let character = if escape == b'x' { byte(value)? } else { rune(value)? };
            Ok((character, &rest[length..]))
        }
        b'0'..=b'7' => Ok((byte(number(bytes.get(1..4), 8)?)?, &bytes[4..])),
        _ => Err(INVALID_SYNTAX),
    }
}

fn number(digits: Option<&[u8]>, base: u32) -> Result<u32, &'static str> {
    digits.ok_or(INVALID_SYNTAX)?.iter().try_fold(0_u32, |value, digit| {
        let digit = char::from(*digit).to_digit(base).ok_or(INVALID_SYNTAX)?;
        value.checked_mul(base).and_then(|value| value.checked_add(digit)).ok_or(INVALID_SYNTAX)
    })
}

fn byte(value: u32) -> Result<Unquoted, &'static str> {
    u8::try_from(value).map(Unquoted::Byte).or(Err(INVALID_SYNTAX))
}

fn rune(value: u32) -> Result<Unquoted, &'static str> {
    char::from_u32(value).map(Unquoted::Rune).ok_or(INVALID_SYNTAX)
}
