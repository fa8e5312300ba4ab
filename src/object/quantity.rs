//! Kubernetes quantities (`1000m`, `0.5`, `1Gi`): read, compared by value, written in canonical form.
//!
//! In: the text or the number of a field that Kubernetes reads as a quantity. Out: a [`Quantity`], equal to every other
//! spelling of the same amount.
//!
//! Rule: apimachinery pkg/api/resource (quantity.go, suffix.go).

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

/// How an amount was written, and so how its canonical form is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `1500m`, `2k`, `3G`.
    DecimalSi,
    /// `1Ki`, `2Gi`.
    BinarySi,
    /// `1e3`.
    DecimalExponent,
}

/// An amount in billionths, with the format it was written in. Equality and order look at the amount alone.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

/// Why a text is not a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAQuantity {
    /// It is not a number and a suffix.
    #[error("is not a number with a suffix such as `m`, `k` or `Mi`")]
    Form,
    /// The suffix is not one of Kubernetes.
    #[error("has an unknown suffix")]
    Suffix,
    /// More than fits; Kubernetes may know it, this reader does not.
    #[error("is too large")]
    TooLarge,
}

const NANO: i128 = 1_000_000_000;
/// `maxAllowed`: binary amounts are capped at 2⁶³ − 1.
const BINARY_CAP: i128 = (i64::MAX as i128) * NANO;
/// More digits or larger exponents than these cannot end inside an `i128`.
const DIGITS: usize = 37;
const EXPONENT: i32 = 60;

impl Quantity {
    /// Reads a quantity as Kubernetes does; finer than a billionth is rounded up, away from zero.
    pub fn parse(text: &str) -> Result<Self, NotAQuantity> {
        let (negative, rest) = match text.as_bytes().first() {
            None => return Err(NotAQuantity::Form),
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            Some(_) => (false, text),
        };
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(number_end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        // A sign alone is not a number; `.` and `1.` are, as in apimachinery's own scanner.
        if number.is_empty() || fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
            return Err(NotAQuantity::Form);
        }
        let (base, exponent, format) = read_suffix(suffix)?;
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Ok(Self { nanos: 0, format });
        }
        if digits.len() > DIGITS {
            return Err(NotAQuantity::TooLarge);
        }
        let mantissa: i128 = digits.parse().map_err(|_error: std::num::ParseIntError| NotAQuantity::Form)?;
        let places = i32::try_from(fraction.len()).map_err(|_error| NotAQuantity::TooLarge)?;
        let (nanos, format) = match base {
            Base::Ten => (scaled(mantissa, exponent.saturating_sub(places).saturating_add(9))?, format),
            Base::Two => {
                let shifted = mantissa.checked_mul(1 << exponent).ok_or(NotAQuantity::TooLarge)?;
                let nanos = scaled(shifted, 9 - places)?.min(BINARY_CAP);
                // Quirk: a binary amount below one is written with a decimal suffix.
                (nanos, if nanos < NANO { Format::DecimalSi } else { format })
            }
        };
        Ok(Self { nanos: if negative { -nanos } else { nanos }, format })
    }

    /// Reads a field's value: text, or a bare number.
    pub fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text).ok(),
            Value::Number(number) => Self::parse(&number.to_string()).ok(),
            _ => None,
        }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl fmt::Display for Quantity {
    /// The canonical form: the largest suffix that leaves no fraction.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return formatter.write_str("0");
        }
        let (size, sign) = (self.nanos.abs(), if self.nanos < 0 { "-" } else { "" });
        if self.format == Format::BinarySi && size % NANO == 0 && size >= 1024 * NANO {
            let mut whole = size / NANO;
            let mut suffix = "";
            for next in ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] {
                if whole % 1024 != 0 {
                    break;
                }
                (whole, suffix) = (whole / 1024, next);
            }
            return write!(formatter, "{sign}{whole}{suffix}");
        }
        let (mut mantissa, mut exponent) = (size, -9_i32);
        while mantissa % 1000 == 0 && (exponent < 18 || self.format == Format::DecimalExponent) {
            (mantissa, exponent) = (mantissa / 1000, exponent + 3);
        }
        if self.format == Format::DecimalExponent && exponent != 0 {
            return write!(formatter, "{sign}{mantissa}e{exponent}");
        }
        let suffix = DECIMAL.iter().find(|(_, known)| *known == exponent).map_or("", |(suffix, _)| suffix);
        write!(formatter, "{sign}{mantissa}{suffix}")
    }
}

enum Base {
    Two,
    Ten,
}

const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [(&str, i32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

fn read_suffix(suffix: &str) -> Result<(Base, i32, Format), NotAQuantity> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(known, _)| *known == suffix) {
        return Ok((Base::Ten, *exponent, Format::DecimalSi));
    }
    if let Some((_, exponent)) = BINARY.iter().find(|(known, _)| *known == suffix) {
        return Ok((Base::Two, *exponent, Format::BinarySi));
    }
    let digits = suffix.strip_prefix(['e', 'E']).ok_or(NotAQuantity::Suffix)?;
    let exponent: i64 = digits.parse().map_err(|_error: std::num::ParseIntError| NotAQuantity::Suffix)?;
    let exponent = i32::try_from(exponent).map_err(|_error| NotAQuantity::TooLarge)?;
    Ok((Base::Ten, exponent, Format::DecimalExponent))
}

/// `mantissa × 10^exponent`, rounded up to a whole.
fn scaled(mantissa: i128, exponent: i32) -> Result<i128, NotAQuantity> {
    if exponent > EXPONENT {
        return Err(NotAQuantity::TooLarge);
    }
    if let Ok(up) = u32::try_from(exponent) {
        let factor = 10_i128.checked_pow(up).ok_or(NotAQuantity::TooLarge)?;
        return mantissa.checked_mul(factor).ok_or(NotAQuantity::TooLarge);
    }
    let Some(divisor) = 10_i128.checked_pow(exponent.unsigned_abs()) else { return Ok(1) };
    Ok(mantissa / divisor + i128::from(mantissa % divisor != 0))
}
