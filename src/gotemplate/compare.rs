//! Go's comparisons: `eq`, `ne`, `lt`, `le`, `gt`, `ge` of templates, and `reflect.DeepEqual`.

use std::cmp::Ordering;
use std::rc::Rc;

use super::error::{Fault, Limit};
use super::fmt::verb;
use super::value::Value;

/// How deep two values are compared.
const MAX_DEPTH: usize = 200;

/// How many values one comparison looks at: maps that hold each other have no end.
const MAX_STEPS: u64 = 10_000_000;

const BAD_TYPE: &str = "invalid type for comparison";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Basic {
    Invalid,
    Bool,
    Complex,
    Int,
    Float,
    Text,
    Uint,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Int(..) => Basic::Int,
        Value::Uint(..) => Basic::Uint,
        Value::Float32(_) | Value::Float64(_) => Basic::Float,
        Value::Complex128(..) => Basic::Complex,
        Value::Text(_) => Basic::Text,
        Value::Nil | Value::Bytes(_) | Value::List(_) | Value::Map(_) | Value::Object(_) => Basic::Invalid,
    }
}

fn float(value: &Value) -> f64 {
    match value {
        Value::Float32(value) => f64::from(*value),
        Value::Float64(value) => *value,
        _ => f64::NAN,
    }
}

fn incompatible(left: &Value, right: &Value) -> Fault {
    let (left, right) = (left.type_name(), right.type_name());
    Fault::Message(format!("incompatible types for comparison: {left} and {right}"))
}

/// Whether the first is equal to any of the others.
pub(super) fn equals_any<'v>(first: &Value, others: impl Iterator<Item = &'v Value>) -> Result<bool, Fault> {
    let mut others = others.peekable();
    if others.peek().is_none() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equals(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equals(left: &Value, right: &Value) -> Result<bool, Fault> {
    Ok(match (left, right) {
        (Value::Int(_, left), Value::Uint(_, right)) => u64::try_from(*left) == Ok(*right),
        (Value::Uint(_, left), Value::Int(_, right)) => u64::try_from(*right) == Ok(*left),
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(_, left), Value::Int(_, right)) => left == right,
        (Value::Uint(_, left), Value::Uint(_, right)) => left == right,
        (Value::Text(left), Value::Text(right)) => left == right,
        (Value::Complex128(a, b), Value::Complex128(c, d)) => a.total_cmp(c).is_eq() && b.total_cmp(d).is_eq(),
        (Value::Float32(_) | Value::Float64(_), Value::Float32(_) | Value::Float64(_)) => {
            float(left).partial_cmp(&float(right)) == Some(Ordering::Equal)
        }
        _ if basic(left) != basic(right) => {
            if matches!(left, Value::Nil) || matches!(right, Value::Nil) {
                return Ok(false);
            }
            return Err(incompatible(left, right));
        }
        _ => return equals_by_reference(left, right),
    })
}

fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        _ => false,
    }
}

/// Lists, maps, structs and nil: what Go's `==` does with interfaces that hold them.
fn equals_by_reference(left: &Value, right: &Value) -> Result<bool, Fault> {
    let is_one_invalid = matches!(left, Value::Nil) || matches!(right, Value::Nil);
    if !is_one_invalid && left.kind_name() != right.kind_name() {
        return Err(Fault::Message(format!(
            "non-comparable types {}: {}, {}: {}",
            verb(left, 's'),
            left.type_name(),
            right.type_name(),
            verb(right, 'v')
        )));
    }
    if is_nil(left) || is_nil(right) {
        return Ok(is_nil(left) == is_nil(right));
    }
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            Ok(Rc::ptr_eq(left, right) || (left.type_name() == right.type_name() && left.equals(&**right)))
        }
        _ => Err(Fault::Message(format!("non-comparable type {}: {}", verb(right, 's'), right.type_name()))),
    }
}

pub(super) fn less(left: &Value, right: &Value) -> Result<bool, Fault> {
    if basic(left) == Basic::Invalid || basic(right) == Basic::Invalid {
        return Err(BAD_TYPE.into());
    }
    match (left, right) {
        (Value::Int(_, left), Value::Uint(_, right)) => {
            Ok(u64::try_from(*left).is_ok_and(|left| left < *right) || *left < 0)
        }
        (Value::Uint(_, left), Value::Int(_, right)) => Ok(u64::try_from(*right).is_ok_and(|right| *left < right)),
        (Value::Int(_, left), Value::Int(_, right)) => Ok(left < right),
        (Value::Uint(_, left), Value::Uint(_, right)) => Ok(left < right),
        (Value::Text(left), Value::Text(right)) => Ok(left < right),
        _ if basic(left) != basic(right) => Err(incompatible(left, right)),
        _ if basic(left) == Basic::Float => Ok(float(left) < float(right)),
        _ => Err(BAD_TYPE.into()),
    }
}

pub(super) fn less_or_equal(left: &Value, right: &Value) -> Result<bool, Fault> {
    Ok(less(left, right)? || equals(left, right)?)
}

/// `reflect.DeepEqual`.
pub(super) fn deep_equal(left: &Value, right: &Value) -> Result<bool, Fault> {
    deep_equal_at(left, right, 0, &mut 0)
}

fn deep_equal_at(left: &Value, right: &Value, depth: usize, steps: &mut u64) -> Result<bool, Fault> {
    *steps += 1;
    if depth > MAX_DEPTH {
        return Err(Limit::Depth(MAX_DEPTH).into());
    }
    if *steps > MAX_STEPS {
        return Err(Limit::Steps(MAX_STEPS).into());
    }
    Ok(match (left, right) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(one, left), Value::Int(other, right)) => one == other && left == right,
        (Value::Uint(one, left), Value::Uint(other, right)) => one == other && left == right,
        (Value::Float32(_), Value::Float32(_)) | (Value::Float64(_), Value::Float64(_)) => {
            float(left).partial_cmp(&float(right)) == Some(Ordering::Equal)
        }
        (Value::Text(left), Value::Text(right)) | (Value::Bytes(left), Value::Bytes(right)) => left == right,
        (Value::List(one), Value::List(other)) => {
            if one.element() != other.element() || one.is_nil() != other.is_nil() || one.len() != other.len() {
                return Ok(false);
            }
            if one.is_same(other) {
                return Ok(true);
            }
            for (left, right) in one.items().iter().zip(other.items()) {
                if !deep_equal_at(left, &right, depth + 1, steps)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Map(one), Value::Map(other)) => {
            if one.element() != other.element() || one.is_nil() != other.is_nil() || one.len() != other.len() {
                return Ok(false);
            }
            if one.is_same(other) {
                return Ok(true);
            }
            for ((key, left), (other_key, right)) in one.entries().iter().zip(other.entries()) {
                if *key != other_key || !deep_equal_at(left, &right, depth + 1, steps)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Object(left), Value::Object(right)) => {
            Rc::ptr_eq(left, right) || (left.type_name() == right.type_name() && left.equals(&**right))
        }
        (Value::Complex128(a, b), Value::Complex128(c, d)) => a.total_cmp(c).is_eq() && b.total_cmp(d).is_eq(),
        _ => false,
    })
}
