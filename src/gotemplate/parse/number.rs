//! Number literals, kept under every type that can hold them (Go's `newNumber`), and Go's `strconv` on text.

use super::super::convert::{float_of_int, float_of_uint, int_of_float, uint_of_float};
use super::super::fmt::quote;
use super::lex::Kind;
use super::tree::Number;
use super::unquote::{Unquoted, unquote_char};

/// Why a text is no number for Go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum NotANumber {
    Syntax,
    Range,
}

pub(super) fn number(text: &str, kind: Kind) -> Result<Number, String> {
    match kind {
        Kind::CharConstant => return character(text),
        Kind::Complex => {
            let (real, imaginary) = complex(text).ok_or("expected complex")?;
            return Ok(of_complex(text, real, imaginary));
        }
        _ => {}
    }
    if let Some(imaginary) = text.strip_suffix('i').and_then(|text| parse_float(text).ok()) {
        return Ok(of_complex(text, 0.0, imaginary));
    }
    let mut number = Number { text: text.into(), ..Number::default() };
    number.uint = parse_uint(text, 0).ok();
    number.int = parse_int(text, 0).ok();
    if number.int == Some(0) {
        number.uint = Some(0);
    }
    if let Some(int) = number.int {
        number.float = Some(float_of_int(int));
    } else if let Some(uint) = number.uint {
        number.float = Some(float_of_uint(uint));
    } else if let Ok(float) = parse_float(text) {
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", quote(text.as_bytes())));
        }
        number.float = Some(float);
        number.int = int_of_float(float);
        number.uint = uint_of_float(float);
    } else {
        return Err(format!("illegal number syntax: {}", quote(text.as_bytes())));
    }
    Ok(number)
}

fn character(text: &str) -> Result<Number, String> {
    let bytes = text.as_bytes();
    let (character, tail) = unquote_char(bytes.get(1..).unwrap_or_default(), b'\'')?;
    if tail != b"'" {
        return Err(format!("malformed character constant: {text}"));
    }
    let code = match character {
        Unquoted::Rune(rune) => u32::from(rune),
        Unquoted::Byte(byte) => u32::from(byte),
    };
    Ok(Number {
        text: text.into(),
        int: Some(i64::from(code)),
        uint: Some(u64::from(code)),
        float: Some(f64::from(code)),
        complex: None,
    })
}

fn of_complex(text: &str, real: f64, imaginary: f64) -> Number {
    let float = (imaginary == 0.0).then_some(real);
    Number {
        text: text.into(),
        complex: Some((real, imaginary)),
        float,
        int: float.and_then(int_of_float),
        uint: float.and_then(uint_of_float),
    }
}

fn complex(text: &str) -> Option<(f64, f64)> {
    let text = text.strip_suffix('i')?;
    let bytes = text.as_bytes();
    let at = (1..bytes.len())
        .rev()
        .find(|at| matches!(bytes[*at], b'+' | b'-') && !matches!(bytes[at - 1], b'e' | b'E' | b'p' | b'P'))?;
    Some((parse_float(&text[..at]).ok()?, parse_float(&text[at..]).ok()?))
}

/// Underscores stand between digits, or after a prefix that names the base.
fn underscores_are_right(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text).as_bytes();
    let (mut last, digits) = match text {
        [b'0', b'b' | b'B' | b'o' | b'O' | b'x' | b'X', rest @ ..] => (b'0', rest),
        _ => (b'^', text),
    };
    let is_hex = matches!(text, [b'0', b'x' | b'X', ..]);
    for byte in digits {
        last = match byte {
            b'0'..=b'9' => b'0',
            b'a'..=b'f' | b'A'..=b'F' if is_hex => b'0',
            b'_' if last != b'0' => return false,
            b'_' => b'_',
            _ if last == b'_' => return false,
            _ => b'!',
        };
    }
    last != b'_'
}

/// `strconv.ParseUint` with 64 bits; base 0 goes by the prefix.
pub(in super::super) fn parse_uint(text: &str, base: u32) -> Result<u64, NotANumber> {
    if text.is_empty() {
        return Err(NotANumber::Syntax);
    }
    let (base, digits) = match (base, text.as_bytes()) {
        (0, [b'0', b'b' | b'B', _, ..]) => (2, &text[2..]),
        (0, [b'0', b'o' | b'O', _, ..]) => (8, &text[2..]),
        (0, [b'0', b'x' | b'X', _, ..]) => (16, &text[2..]),
        (0, [b'0', ..]) => (8, &text[1..]),
        (0, _) => (10, text),
        _ => (base, text),
    };
    let may_underscore = base != 10 || digits.len() == text.len();
    let mut value = 0_u64;
    let mut is_out_of_range = false;
    let mut underscored = false;
    for character in digits.chars() {
        if character == '_' && may_underscore {
            underscored = true;
            continue;
        }
        let digit = character.to_digit(base).ok_or(NotANumber::Syntax)?;
        match value.checked_mul(u64::from(base)).and_then(|value| value.checked_add(u64::from(digit))) {
            Some(next) => value = next,
            None => is_out_of_range = true,
        }
    }
    if underscored && !underscores_are_right(text) {
        return Err(NotANumber::Syntax);
    }
    if is_out_of_range { Err(NotANumber::Range) } else { Ok(value) }
}

/// `strconv.ParseInt` with 64 bits.
pub(in super::super) fn parse_int(text: &str, base: u32) -> Result<i64, NotANumber> {
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let value = parse_uint(digits, base)?;
    if is_negative {
        0_i64.checked_sub_unsigned(value).ok_or(NotANumber::Range)
    } else {
        i64::try_from(value).or(Err(NotANumber::Range))
    }
}

/// `strconv.ParseInt(text, 10, 64)`, which takes no underscores.
pub(in super::super) fn parse_decimal(text: &str) -> Result<i64, NotANumber> {
    if text.contains('_') { Err(NotANumber::Syntax) } else { parse_int(text, 10) }
}

/// `strconv.ParseFloat` with 64 bits.
pub(in super::super) fn parse_float(text: &str) -> Result<f64, NotANumber> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match unsigned.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => return Ok(sign * f64::INFINITY),
        "nan" if unsigned.len() == text.len() => return Ok(f64::NAN),
        _ => {}
    }
    if text.contains('_') && !underscores_are_right(text) {
        return Err(NotANumber::Syntax);
    }
    let plain = unsigned.replace('_', "");
    let value = if plain.starts_with("0x") || plain.starts_with("0X") {
        hex_float(&plain[2..]).ok_or(NotANumber::Syntax)?
    } else {
        let is_number =
            plain.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
        plain.parse::<f64>().ok().filter(|_| is_number).ok_or(NotANumber::Syntax)?
    };
    if value.is_infinite() { Err(NotANumber::Range) } else { Ok(sign * value) }
}

fn hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    let value = u64::from_str_radix(&digits, 16).ok()?;
    let shift = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    Some(float_of_uint(value) * 2.0_f64.powi(exponent.checked_sub(shift)?))
}
