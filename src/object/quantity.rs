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
pub enum QuantityFormat {
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
    format: QuantityFormat,
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
        // apimachinery's scanner takes some forms without digits (`Ki`, `+`) for zero; no one writes them.
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
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
                let shifted = mantissa.checked_mul(1 << exponent);
                let nanos = match shifted.map(|shifted| scaled(shifted, 9 - places)) {
                    Some(Ok(nanos)) => nanos.min(BINARY_CAP),
                    // A whole number that does not fit here is far above the cap.
                    _ if places == 0 => BINARY_CAP,
                    _ => return Err(NotAQuantity::TooLarge),
                };
                // Quirk: a binary amount below one is written with a decimal suffix.
                (nanos, if nanos < NANO { QuantityFormat::DecimalSi } else { format })
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
        if self.format == QuantityFormat::BinarySi && size % NANO == 0 && size >= 1024 * NANO {
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
        while mantissa % 1000 == 0 && (exponent < 18 || self.format == QuantityFormat::DecimalExponent) {
            (mantissa, exponent) = (mantissa / 1000, exponent + 3);
        }
        if self.format == QuantityFormat::DecimalExponent && exponent != 0 {
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

fn read_suffix(suffix: &str) -> Result<(Base, i32, QuantityFormat), NotAQuantity> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(known, _)| *known == suffix) {
        return Ok((Base::Ten, *exponent, QuantityFormat::DecimalSi));
    }
    if let Some((_, exponent)) = BINARY.iter().find(|(known, _)| *known == suffix) {
        return Ok((Base::Two, *exponent, QuantityFormat::BinarySi));
    }
    let digits = suffix.strip_prefix(['e', 'E']).ok_or(NotAQuantity::Suffix)?;
    let exponent: i64 = digits.parse().map_err(|_error: std::num::ParseIntError| NotAQuantity::Suffix)?;
    let exponent = i32::try_from(exponent).map_err(|_error| NotAQuantity::TooLarge)?;
    Ok((Base::Ten, exponent, QuantityFormat::DecimalExponent))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> Result<String, NotAQuantity> {
        Quantity::parse(text).map(|quantity| quantity.to_string())
    }

    /// Both columns are apimachinery's own: `TestQuantityParse`, `TestQuantityString`.
    #[test]
    fn spellings_have_the_canonical_form_of_apimachinery() {
        let cases = [
            ("0", "0"),
            ("0n", "0"),
            ("0Ki", "0"),
            ("0.0", "0"),
            ("-0", "0"),
            ("00", "0"),
            ("1", "1"),
            ("+1", "1"),
            ("1.", "1"),
            ("1.G", "1G"),
            (".001", "1m"),
            (".0001k", "100m"),
            ("1Ki", "1Ki"),
            ("8Ki", "8Ki"),
            ("1024Mi", "1Gi"),
            ("307200Ki", "300Mi"),
            ("1025024Mi", "1001Gi"),
            ("6Gi", "6Gi"),
            ("5Ti", "5Ti"),
            ("4Pi", "4Pi"),
            ("3Ei", "3Ei"),
            ("100Ti", "100Ti"),
            ("5n", "5n"),
            ("4u", "4u"),
            ("3m", "3m"),
            ("8k", "8k"),
            ("50k", "50k"),
            ("7M", "7M"),
            ("6G", "6G"),
            ("40T", "40T"),
            ("2P", "2P"),
            ("1E", "1E"),
            ("12E", "12E"),
        ];
        for (text, expected) in cases {
            assert_eq!(canonical(text).as_deref(), Ok(expected), "{text}");
        }
    }

    /// Both columns are apimachinery's own, as above.
    #[test]
    fn exponents_and_fractions_have_the_canonical_form_of_apimachinery() {
        let cases = [
            ("1E-3", "1e-3"),
            ("1e3", "1e3"),
            ("1E6", "1e6"),
            ("1e14", "100e12"),
            ("1e13", "10e12"),
            ("0.001", "1m"),
            ("0.0005k", "500m"),
            ("0.5", "500m"),
            ("0.50000", "500m"),
            ("1.08", "1080m"),
            ("0.5e0", "500e-3"),
            ("0.5e-1", "50e-3"),
            ("1.3E+6", "1300e3"),
            ("1.7E18", "1700e15"),
            ("1e-9", "1e-9"),
            ("1000m", "1"),
            ("1000u", "1m"),
            ("1080000000n", "1080m"),
            ("1000M", "1G"),
            ("0.001T", "1G"),
            ("100.035k", "100035"),
            ("10.035M", "10035k"),
            ("6.987654321G", "6987654321"),
            ("-9010m", "-9010m"),
            ("-1024Mi", "-1Gi"),
        ];
        for (text, expected) in cases {
            assert_eq!(canonical(text).as_deref(), Ok(expected), "{text}");
        }
    }

    /// Finer than a billionth is rounded away from zero, and binary amounts have a cap.
    #[test]
    fn amounts_round_and_saturate_as_in_apimachinery() {
        let cases = [
            ("3.001n", "4n"),
            ("1.1E-9", "2e-9"),
            ("0.0000000001", "1n"),
            ("0.5e-9", "1e-9"),
            ("-0.9n", "-1n"),
            ("0.00000012345", "124n"),
            ("0.000000000001Ki", "2n"),
            ("1e-60", "1e-9"),
            ("100.035Ki", "102435840m"),
            ("0.5Mi", "512Ki"),
            ("0.05Gi", "53687091200m"),
            ("0.5Ki", "512"),
            ("9Ei", "9223372036854775807"),
            ("9223372036854775807Ki", "9223372036854775807"),
        ];
        for (text, expected) in cases {
            assert_eq!(canonical(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in
            ["", "1.1.M", "1+1.0M", "0.1mi", "0.1am", "aoeu", ".5i", "1i", "-3.01i", "-3.01e-", " 1", "1 ", "1K"]
        {
            assert!(Quantity::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(Quantity::parse("1e99"), Err(NotAQuantity::TooLarge));
        assert_eq!(Quantity::parse("1e99999999999999999999"), Err(NotAQuantity::Suffix));
    }

    #[test]
    fn amounts_are_ordered_by_value() {
        let quantity = |text: &str| Quantity::parse(text).unwrap();
        assert!(quantity("100m") > quantity("50m"));
        assert!(quantity("10000T") > quantity("100Gi"));
        assert!(quantity("-1") < quantity("0"));
        assert_eq!(Quantity::from_value(&serde_json::json!(0.5)), Some(quantity("500m")));
        assert_eq!(Quantity::from_value(&serde_json::json!(true)), None);
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_the_same_amount_and_stays(text in "[+-]?[0-9]{0,12}(\\.[0-9]{0,6})?([numkMGTPE]|[KMGTPE]i|e[+-]?[0-9]{1,2})?") {
            if let Ok(quantity) = Quantity::parse(&text) {
                let canonical = quantity.to_string();
                let again = Quantity::parse(&canonical).unwrap();
                prop_assert_eq!(again, quantity);
                prop_assert_eq!(again.to_string(), canonical);
            }
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,40}") {
            let _quantity = Quantity::parse(&text);
        }
    }
}
