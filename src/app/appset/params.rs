//! Parameters: what a generator finds, as a template sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value as Json;

use crate::gotemplate::{Map, Text, Type, Value};

/// One set of parameters; cheap to clone, and shared as Go's maps are.
pub(super) type Params = Map;

/// One set of parameters, and the generators that its values come from.
#[derive(Clone)]
pub(super) struct ParamSet {
    pub(super) params: Params,
    /// The first that knows a name counts; empty unless an explanation is wanted.
    origins: Vec<Rc<ParamOrigin>>,
}

/// The names that one generator found, flattened.
struct ParamOrigin {
    generator: String,
    names: BTreeSet<String>,
}

impl ParamSet {
    /// A set of one generator.
    pub(super) fn of(params: Params, generator: &str, is_explained: bool) -> Self {
        let names = || flattened(&params).into_keys().collect();
        let origin = is_explained.then(|| Rc::new(ParamOrigin { generator: generator.to_owned(), names: names() }));
        Self { params, origins: origin.into_iter().collect() }
    }

    /// A set that was combined of two, of which the first counts where both know a name.
    pub(super) fn combined(params: Params, first: &Self, second: &Self) -> Self {
        Self { params, origins: first.origins.iter().chain(&second.origins).cloned().collect() }
    }

    /// The same in maps of its own.
    pub(super) fn copied(&self) -> Self {
        Self { params: copied(&self.params), origins: self.origins.clone() }
    }

    /// The generator that found a parameter.
    pub(super) fn generator_of(&self, name: &str) -> &str {
        let knows = |origin: &&Rc<ParamOrigin>| origin.names.contains(name);
        self.origins.iter().find(knows).map(|origin| origin.generator.as_str()).unwrap_or_default()
    }
}

/// About how many bytes the parameters of a set take.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.bytes().len(),
        Value::Map(map) => map.entries().iter().map(|(key, value)| key.bytes().len() + size(value)).sum(),
        Value::List(list) => list.items().iter().map(size).sum(),
        _ => 8,
    }
}

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

/// A map as parameters: as it stands for Go's templates, flat for the others; nothing for what is no map.
pub(super) fn params_of(json: &Json, is_go: bool) -> Option<Params> {
    let Value::Map(found) = Value::from_json(json) else { return None };
    if is_go {
        return Some(found);
    }
    let flat = Params::new();
    for (key, value) in flattened(&found) {
        flat.insert(Text::from(key), Value::text(value));
    }
    Some(flat)
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
        Value::Map(map) if !map.is_empty() => {
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
