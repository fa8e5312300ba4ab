//! The result of looking for the target in the live object.

use serde_json::{Map, Value};

use super::difference::Edit;
use super::shape::{Field, Shape};
use crate::object::Pointer;

/// The result of looking.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The change that makes the live object hold every value of the target.
    pub(super) edits: Vec<Edit>,
    /// Where the server might change more than that.
    pub(super) doubts: Vec<Pointer>,
}

impl Found {
    /// Whether applying the target would provably change nothing.
    pub(super) fn is_proven(&self) -> bool {
        self.edits.is_empty() && self.doubts.is_empty()
    }
}

/// Whether the API server cannot tell this value of a field from none.
pub(super) fn is_none(value: &Value, field: &Field) -> bool {
    if value.is_null() {
        return !matches!(field.shape, Shape::Unknown);
    }
    match &field.shape {
        Shape::Scalar | Shape::Bytes | Shape::List(..) | Shape::Map(..) => !field.pointer && is_empty(value),
        shape @ Shape::Struct(..) => {
            let all_none =
                |fields: &Map<String, Value>| fields.iter().all(|(name, value)| is_none(value, shape.field(name)));
            !field.pointer && value.as_object().is_some_and(all_none)
        }
        Shape::Quantity | Shape::Exact | Shape::Unknown => false,
    }
}

/// Null, and the zero value of each type.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}
