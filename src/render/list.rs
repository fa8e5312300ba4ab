//! A List is its items, whoever wrote it.
//!
//! Rule: Argo CD asks `unstructured.IsList`: any object with a list in `items`; `items: null` in a List is nothing.

use serde_json::Value;

/// The objects that a document holds.
pub(super) fn unfold(mut value: Value) -> Vec<Value> {
    let is_bare = value.get("spec").is_none() && value.get("status").is_none();
    match value.get_mut("items") {
        Some(Value::Array(items)) => std::mem::take(items),
        Some(Value::Null) if is_bare => Vec::new(),
        _ => vec![value],
    }
}
