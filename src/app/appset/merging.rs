//! A generator's own template over the ApplicationSet's: what it says counts, the rest is filled in.
//!
//! Rule: Argo CD `mergeGeneratorTemplate`, which is `mergo.Merge`: lists are not merged.

use serde_json::Value;

/// The first value with what is empty in it taken from the second.
pub(super) fn filled(own: &Value, base: &Value) -> Value {
    match (own, base) {
        (Value::Object(own), Value::Object(base)) => {
            let mut filled_in = own.clone();
            for (key, value) in base {
                let own = filled_in.remove(key).unwrap_or(Value::Null);
                filled_in.insert(key.clone(), filled(&own, value));
            }
            Value::Object(filled_in)
        }
        _ if is_empty(own) => base.clone(),
        _ => own.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}
