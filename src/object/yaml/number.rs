//! Numbers as Go reads and writes them.
//!
//! Rule: go-yaml v2 resolve.go, on Go's `strconv.ParseInt` with base 0 and `encoding/json`.

use serde_json::Number;

/// A whole number, in the types that go-yaml distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Integer {
    /// Fits into 64 bits with a sign.
    Signed(i64),
    /// Fits into 64 bits only without a sign.
    Unsigned(u64),
}

/// Reads `12`, `-0x1F`, `0b101`, `017` and `0o17`; what does not fit is no integer.
///
/// `text` has lost its underscores.
pub(super) fn integer(text: &str) -> Option<Integer> {
    let (negative, signed, digits) = match text.as_bytes().first()? {
        b'-' => (true, true, &text[1..]),
        b'+' => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let bytes = digits.as_bytes();
    let (base, digits) = match (bytes.first()?, bytes.get(1).map(u8::to_ascii_lowercase)) {
        (b'0', Some(b'b')) if bytes.len() > 2 => (2, &digits[2..]),
        (b'0', Some(b'o')) if bytes.len() > 2 => (8, &digits[2..]),
        (b'0', Some(b'x')) if bytes.len() > 2 => (16, &digits[2..]),
        (b'0', Some(_)) => (8, &digits[1..]),
        _ => (10, digits),
    };
    magnitude(digits, base).and_then(|magnitude| with_sign(magnitude, negative, signed))
}

/// Quirk: go-yaml v2 takes the `0b` off and reads on, so that `0b-1` is -1.
pub(super) fn binary_with_inner_sign(text: &str) -> Option<Integer> {
    let digits = text.strip_prefix("0b")?;
    match digits.as_bytes().first()? {
        b'-' => with_sign(magnitude(&digits[1..], 2)?, true, true),
        b'+' => with_sign(magnitude(&digits[1..], 2)?, false, true),
        _ => None,
    }
}

fn magnitude(digits: &str, base: u32) -> Option<u64> {
    // `from_str_radix` takes a sign; Go does not, here.
    if digits.starts_with(['+', '-']) { None } else { u64::from_str_radix(digits, base).ok() }
}

fn with_sign(magnitude: u64, negative: bool, signed: bool) -> Option<Integer> {
    if negative {
        return 0_i64.checked_sub_unsigned(magnitude).map(Integer::Signed);
    }
    match i64::try_from(magnitude) {
        Ok(value) => Some(Integer::Signed(value)),
        Err(_) if signed => None,
        Err(_) => Some(Integer::Unsigned(magnitude)),
    }
}

/// Reads `1.5`, `.5`, `5.`, `1e3`; what is too large stays text, as in Go.
pub(super) fn float(text: &str) -> Option<f64> {
    if !has_the_form_of_a_float(text.as_bytes()) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn has_the_form_of_a_float(text: &[u8]) -> bool {
    let unsigned = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let (whole, rest) = digits(unsigned);
    let (rest, valid) = match rest.strip_prefix(b".") {
        Some(after) => {
            let (fraction, rest) = digits(after);
            (rest, whole + fraction > 0)
        }
        None => (rest, whole > 0),
    };
    match rest {
        [] => valid,
        [b'e' | b'E', exponent @ ..] => {
            let exponent = exponent.strip_prefix(b"-").or_else(|| exponent.strip_prefix(b"+")).unwrap_or(exponent);
            let (count, rest) = digits(exponent);
            valid && count > 0 && rest.is_empty()
        }
        _ => false,
    }
}

fn digits(text: &[u8]) -> (usize, &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count, &text[count..])
}

/// A float as JSON: without a fraction it is a whole number, as `encoding/json` writes it and Kubernetes reads it.
///
/// Nothing for what JSON cannot say: infinity, and what is not a number.
pub(super) fn json_number(value: f64) -> Option<Number> {
    // 2^53: up to here every whole number is a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() != 0.0 || (value == 0.0 && value.is_sign_negative()) {
        return Number::from_f64(value);
    }
    if value.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole, and within range")]
        return Some(Number::from(value as i64));
    }
    // Beyond, Go writes the shortest digits that read as the same float, and zeros: so does Rust.
    let digits = value.to_string();
    let whole = digits.parse::<i64>().map(Number::from).or_else(|_| digits.parse::<u64>().map(Number::from));
    whole.ok().or_else(|| Number::from_f64(value))
}

/// A float as a key: Go's `strconv.FormatFloat(value, 'g', -1, 32)`.
///
/// Rule: sigs.k8s.io/yaml `convertToJSONableObject`.
pub(super) fn key_of_float(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "keys lose precision in Go too")]
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let shortest = format!("{value:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("017", Some(15)),
            ("0o17", Some(15)),
            ("0O17", Some(15)),
            ("-0x1F", Some(-31)),
            ("+0b101", Some(5)),
            ("08", None),
            ("0x", None),
            ("0o", None),
            ("-", None),
            ("+-1", None),
            ("0x+1", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("-9223372036854775809", None),
            ("+9223372036854775808", None),
        ] {
            assert_eq!(integer(text), expected.map(Integer::Signed), "{text}");
        }
        assert_eq!(integer("18446744073709551615"), Some(Integer::Unsigned(u64::MAX)));
        assert_eq!(integer("18446744073709551616"), None);
        assert_eq!(binary_with_inner_sign("0b-11"), Some(Integer::Signed(-3)));
    }

    #[test]
    fn floats_without_a_fraction_are_whole_numbers() {
        for (text, json) in [
            ("1e3", Some("1000")),
            ("5.", Some("5")),
            ("+.5", Some("0.5")),
            ("-1.0", Some("-1")),
            ("-0.0", Some("-0.0")),
            ("1e19", Some("10000000000000000000")),
            ("1234567890123456789.0", Some("1234567890123456800")),
            ("1e21", Some("1e+21")),
            ("1e400", None),
            ("1e", None),
            (".", None),
            ("e3", None),
            ("1.2.3", None),
        ] {
            let read = float(text).and_then(json_number).map(|number| number.to_string());
            assert_eq!(read.as_deref(), json, "{text}");
        }
    }

    /// Go's own answers, from `strconv.FormatFloat(value, 'g', -1, 32)`.
    #[test]
    fn floats_as_keys_are_written_as_go_writes_them() {
        for (value, key) in [
            (1.5, "1.5"),
            (1000.0, "1000"),
            (100_000.0, "100000"),
            (1e6, "1e+06"),
            (1.25e21, "1.25e+21"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (0.1, "0.1"),
            (1e300, ".inf"),
            (f64::NAN, ".nan"),
        ] {
            assert_eq!(key_of_float(value), key);
        }
    }
}
