//! Loose conversions: `spf13/cast` and sprig's `strval` and `strslice`.

use super::super::convert::{float_of_int, float_of_uint, truncated};
use super::super::error::Fault;
use super::super::fmt::sprint;
use super::super::limits::MAX_TEXT;
use super::super::parse::{parse_float, parse_int};
use super::{List, Text, Type, Value};

/// `cast.ToInt64`: what is no number is 0.
pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Int(_, value) => *value,
        Value::Uint(_, value) => value.cast_signed(),
        Value::Float32(value) => truncated(f64::from(*value)),
        Value::Float64(value) => truncated(*value),
        Value::Bool(value) => i64::from(*value),
        Value::Text(text) => parse_int(without_zero_decimals(&text.lossy()), 0).unwrap_or(0),
        _ => 0,
    }
}

/// `cast.ToFloat64`.
pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Int(_, value) => float_of_int(*value),
        Value::Uint(_, value) => float_of_uint(*value),
        Value::Float32(value) => f64::from(*value),
        Value::Float64(value) => *value,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Text(text) => parse_float(&text.lossy()).unwrap_or(0.0),
        _ => 0.0,
    }
}

/// `1.00` is `1`.
fn without_zero_decimals(text: &str) -> &str {
    let mut found_zero = false;
    for (at, byte) in text.bytes().enumerate().rev() {
        match byte {
            b'.' if found_zero => return &text[..at],
            b'.' => {}
            b'0' => found_zero = true,
            _ => return text,
        }
    }
    text
}

/// sprig's `strval`.
pub(super) fn to_text(value: &Value) -> Result<Text, Fault> {
    Ok(match value {
        Value::Text(text) | Value::Bytes(text) => text.clone(),
        _ => sprint(std::iter::once(value), MAX_TEXT)?.into(),
    })
}

/// sprig's `strslice`: nil elements are left out.
pub(super) fn to_texts(value: &Value) -> Result<Vec<Text>, Fault> {
    match value {
        Value::List(list) => list.items().iter().filter(|item| !matches!(item, Value::Nil)).map(to_text).collect(),
        Value::Bytes(bytes) => Ok(bytes.bytes().iter().map(|byte| byte.to_string().into()).collect()),
        Value::Nil => Ok(Vec::new()),
        _ => Ok(vec![to_text(value)?]),
    }
}

/// The elements of a slice of any type.
pub(super) fn elements(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::List(list) => Some(list.items()),
        Value::Bytes(bytes) => {
            let byte = |byte: &u8| Value::Uint(super::super::value::UintType::U8, u64::from(*byte));
            Some(bytes.bytes().iter().map(byte).collect())
        }
        _ => None,
    }
}

/// A `[]int`.
pub(super) fn ints(numbers: Vec<i64>) -> Value {
    let int = Type::Int(super::super::value::IntType::Int);
    Value::List(List::of(int, numbers.into_iter().map(Value::int).collect()))
}
