//! Floats as `strconv.FormatFloat` writes them.

use std::fmt::Write as _;

use super::super::convert::narrow;

/// The significant digits of a finite float, without zeros at the end, and where its decimal point stands.
struct Digits {
    digits: Vec<u8>,
    point: i32,
}

/// A float by format (`e`, `E`, `f`, `g`, `G`, `b`, `x`, `X`), precision (none: the shortest that reads back) and bits.
pub(in super::super) fn format_float(value: f64, format: char, precision: Option<usize>, bits: u32) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("{}Inf", if sign.is_empty() { "+" } else { sign });
    }
    let positive = value.abs();
    let text = match format {
        'b' => binary(positive, bits),
        'x' | 'X' => hexadecimal(positive, precision, format),
        'e' | 'E' => {
            let digits = digits(positive, precision.map(|precision| precision + 1), bits);
            let precision = precision.unwrap_or_else(|| digits.digits.len().saturating_sub(1));
            exponential(&digits, precision, format)
        }
        'f' => precision.map_or_else(
            || {
                let digits = digits(positive, None, bits);
                let decimals = length(&digits) - digits.point;
                fixed(&digits, usize::try_from(decimals).unwrap_or(0))
            },
            |precision| format!("{positive:.precision$}"),
        ),
        _ => general(positive, format, precision, bits),
    };
    format!("{sign}{text}")
}

fn length(digits: &Digits) -> i32 {
    i32::try_from(digits.digits.len()).unwrap_or(i32::MAX)
}

fn digits(positive: f64, count: Option<usize>, bits: u32) -> Digits {
    let text = match count {
        Some(count) => format!("{positive:.*e}", count.max(1) - 1),
        None if bits == 32 => format!("{:e}", narrow(positive)),
        None => format!("{positive:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    let point = if digits.is_empty() { 0 } else { exponent.parse::<i32>().unwrap_or(0) + 1 };
    Digits { digits, point }
}

fn exponential(digits: &Digits, precision: usize, letter: char) -> String {
    let digit = |index: usize| char::from(digits.digits.get(index).copied().unwrap_or(b'0'));
    let mut text = String::from(digit(0));
    if precision > 0 {
        text.push('.');
        text.extend((1..=precision).map(digit));
    }
    let exponent = if digits.digits.is_empty() { 0 } else { digits.point - 1 };
    let sign = if exponent < 0 { '-' } else { '+' };
    // Writing to a string does not fail.
    let _ = write!(text, "{letter}{sign}{:02}", exponent.abs());
    text
}

fn fixed(digits: &Digits, decimals: usize) -> String {
    let digit = |index: i32| {
        let found = usize::try_from(index).ok().and_then(|index| digits.digits.get(index));
        char::from(found.copied().unwrap_or(b'0'))
    };
    let mut text = String::new();
    if digits.point > 0 {
        text.extend((0..digits.point).map(digit));
    } else {
        text.push('0');
    }
    if decimals > 0 {
        text.push('.');
        let decimals = i32::try_from(decimals).unwrap_or(i32::MAX);
        text.extend((0..decimals).map(|index| digit(digits.point + index)));
    }
    text
}

fn general(positive: f64, format: char, precision: Option<usize>, bits: u32) -> String {
    let precision = precision.map(|precision| precision.max(1));
    let digits = digits(positive, precision, bits);
    let count = length(&digits);
    let mut threshold = match precision {
        None => 6,
        Some(precision) => i32::try_from(precision).unwrap_or(i32::MAX),
    };
    if precision.is_some() && threshold > count && count >= digits.point {
        threshold = count;
    }
    let exponent = digits.point - 1;
    if exponent < -4 || exponent >= threshold {
        let letter = if format == 'G' { 'E' } else { 'e' };
        return exponential(&digits, digits.digits.len().saturating_sub(1), letter);
    }
    fixed(&digits, usize::try_from(count - digits.point).unwrap_or(0))
}

/// Mantissa and exponent of a float, as integers.
fn parts(positive: f64, bits: u32) -> (u64, i32) {
    let (fraction, exponent, mantissa_bits, offset) = if bits == 32 {
        let raw = narrow(positive).to_bits();
        (u64::from(raw & 0x7F_FFFF), raw >> 23, 23, 127)
    } else {
        let raw = positive.to_bits();
        (raw & 0xF_FFFF_FFFF_FFFF, u32::try_from(raw >> 52).unwrap_or(0), 52, 1023)
    };
    let exponent = i32::try_from(exponent).unwrap_or(0);
    if exponent == 0 {
        (fraction, 1 - offset - mantissa_bits)
    } else {
        (fraction | 1 << mantissa_bits, exponent - offset - mantissa_bits)
    }
}

fn binary(positive: f64, bits: u32) -> String {
    let (mantissa, exponent) = parts(positive, bits);
    format!("{mantissa}p{exponent:+}")
}

fn hexadecimal(positive: f64, precision: Option<usize>, format: char) -> String {
    let (mut mantissa, mut exponent) = parts(positive, 64);
    if mantissa == 0 {
        exponent = 0;
    } else {
        let shift = mantissa.leading_zeros().saturating_sub(11);
        mantissa <<= shift;
        exponent += 52 - i32::try_from(shift).unwrap_or(0);
    }
    if let Some(precision) = precision
        && precision < 13
    {
        let dropped = (13 - precision) * 4;
        let half = 1_u64 << (dropped - 1);
        let rest = mantissa & ((1 << dropped) - 1);
        mantissa >>= dropped;
        mantissa += u64::from(rest > half || (rest == half && mantissa & 1 == 1));
        mantissa <<= dropped;
        if mantissa >> 53 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let whole = mantissa >> 52;
    let mut fraction = format!("{:013x}", mantissa & 0xF_FFFF_FFFF_FFFF);
    match precision {
        None => fraction.truncate(fraction.trim_end_matches('0').len()),
        Some(precision) if precision < 13 => fraction.truncate(precision),
        Some(precision) => fraction.extend(std::iter::repeat_n('0', precision - 13)),
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    let text = format!("0x{whole}{point}{fraction}p{sign}{:02}", exponent.abs());
    if format == 'X' { text.to_uppercase() } else { text }
}
