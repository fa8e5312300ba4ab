//! Conversions between Go's numbers, with Go's own rules for what does not fit.

/// `float64(int64)`.
#[expect(clippy::cast_precision_loss, reason = "Go loses it, too")]
pub(super) fn float_of_int(value: i64) -> f64 {
    value as f64
}

/// `float64(uint64)`.
#[expect(clippy::cast_precision_loss, reason = "Go loses it, too")]
pub(super) fn float_of_uint(value: u64) -> f64 {
    value as f64
}

fn is_whole(value: f64) -> bool {
    value.fract().abs() < f64::MIN_POSITIVE
}

/// The integer that a float is, if it is one.
pub(super) fn int_of_float(value: f64) -> Option<i64> {
    let is_in_range = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value);
    (is_in_range && is_whole(value)).then(|| truncated(value))
}

/// The unsigned integer that a float is, if it is one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and within range")]
pub(super) fn uint_of_float(value: f64) -> Option<u64> {
    let is_in_range = (0.0..18_446_744_073_709_551_616.0).contains(&value);
    (is_in_range && is_whole(value)).then_some(value as u64)
}

/// `int64(float64)`: towards zero; what does not fit is the least integer, as on amd64.
#[expect(clippy::cast_possible_truncation, reason = "within range")]
pub(super) fn truncated(value: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) { value as i64 } else { i64::MIN }
}

/// `float32(float64)`.
#[expect(clippy::cast_possible_truncation, reason = "that is what is asked for")]
pub(super) fn narrow(value: f64) -> f32 {
    value as f32
}

/// A length as an `int`.
pub(super) fn length(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A length from an `int`; below zero is nothing.
pub(super) fn size(value: i64) -> usize {
    usize::try_from(value).unwrap_or(0)
}
