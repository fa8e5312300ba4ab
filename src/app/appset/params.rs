//! Parameters: what a generator finds, as a template sees it.

use std::collections::BTreeMap;

use crate::gotemplate::{Map, Text, Type, Value};

/// One set of parameters; cheap to clone, and shared as Go's maps are.
pub(super) type Params = Map;

/// A map of texts, which Go templates see as `map[string]string`.
pub(super) fn texts(entries: &BTreeMap<String, String>) -> Value {
    let entries = entries.iter().map(|(key, text)| (Text::from(key.as_str()), Value::text(text.as_str())));
    Value::Map(Map::of(Type::Text, entries.collect()))
}

/// A value as `%v` prints it.
pub(super) fn printed(value: &Value) -> String {
    match value {
        Value::Text(text) => text.lossy().into_owned(),
        _ => value.to_string(),
    }
}

/// Nested maps and lists as one map with dotted keys, each value as text.
pub(super) fn flattened(params: &Params) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    for (key, value) in params.entries() {
        flatten(key.lossy().into_owned(), &value, &mut flat);
    }
    flat
}

fn flatten(key: String, value: &Value, flat: &mut BTreeMap<String, String>) {
    match value {
        Value::Map(map) if *map.element() == Type::Interface && !map.is_empty() => {
            for (inner, value) in map.entries() {
                flatten(format!("{key}.{}", inner.lossy()), &value, flat);
            }
        }
        Value::List(list) if *list.element() == Type::Interface && !list.is_empty() => {
            for (index, value) in list.items().iter().enumerate() {
                flatten(format!("{key}.{index}"), value, flat);
            }
        }
        _ => {
            flat.insert(key, printed(value));
        }
    }
}

/// The same parameters in maps of their own.
pub(super) fn copied(params: &Params) -> Params {
    Map::of(params.element().clone(), params.entries().into_iter().map(|(key, value)| (key, copy(&value))).collect())
}

fn copy(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(copied(map)),
        _ => value.clone(),
    }
}
