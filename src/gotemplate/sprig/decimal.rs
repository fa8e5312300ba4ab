//! Decimals of any length (`shopspring/decimal`): floats in, exact sums and products, quotients to 16 places, floats out.

use num_bigint::BigInt;

use super::super::convert::size;
use super::super::error::Fault;
use super::super::fmt::format_float;

/// `value` times ten to the `exponent`.
#[derive(Clone)]
pub(super) struct Decimal {
    value: BigInt,
    exponent: i64,
}

/// The places of a quotient.
const PRECISION: i64 = 16;

impl Decimal {
    /// The shortest decimal that reads back as the float.
    pub(super) fn from_float(float: f64) -> Result<Self, Fault> {
        if !float.is_finite() {
            return Err(Fault::Message(format!("Cannot create a Decimal from {}", format_float(float, 'g', None, 64))));
        }
        let text = format!("{float:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let places = i64::try_from(fraction.len()).unwrap_or(0);
        Ok(Self {
            value: format!("{whole}{fraction}").parse().unwrap_or_default(),
            exponent: exponent.parse().unwrap_or(0) - places,
        })
    }

    pub(super) fn to_float(&self) -> f64 {
        format!("{}e{}", self.value, self.exponent).parse().unwrap_or(f64::NAN)
    }

    /// The same amount with a lower exponent.
    fn scaled(&self, exponent: i64) -> BigInt {
        &self.value * power_of_ten(self.exponent - exponent)
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self { value: self.scaled(exponent) + other.scaled(exponent), exponent }
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        self.plus(&Self { value: -&other.value, exponent: other.exponent })
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        Self { value: &self.value * &other.value, exponent: self.exponent + other.exponent }
    }

    /// Rounded half away from zero.
    pub(super) fn divided_by(&self, other: &Self) -> Result<Self, Fault> {
        let zero = BigInt::default();
        if other.value == zero {
            return Err("decimal division by 0".into());
        }
        let shift = self.exponent - other.exponent + PRECISION;
        let (numerator, denominator) = if shift >= 0 {
            (&self.value * power_of_ten(shift), other.value.clone())
        } else {
            (self.value.clone(), &other.value * power_of_ten(-shift))
        };
        let quotient = &numerator / &denominator;
        let rest = &numerator % &denominator;
        let twice = &rest * BigInt::from(2);
        let is_half_or_more = twice.magnitude() >= denominator.magnitude();
        let is_negative = (numerator < zero) != (denominator < zero);
        let adjustment = match (is_half_or_more, is_negative) {
            (false, _) => 0,
            (true, true) => -1,
            (true, false) => 1,
        };
        Ok(Self { value: quotient + BigInt::from(adjustment), exponent: -PRECISION })
    }
}

fn power_of_ten(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(size(exponent)).unwrap_or(0))
}
