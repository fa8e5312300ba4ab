//! The values at the places that one entry of `managedFields` names, as bytes to hash; and whether an entry names all that git
//! says.
//!
//! In: the entry and the live object. Out: the entry itself and each value, in the order of the entry's places; the items
//! of a list in the live order. Two objects with equal bytes hold the same at every place, and no list of theirs was
//! reordered, whatever stands beside. An entry that leaves out something of git's proves nothing: after a replace, another
//! entry holds what was changed by it.
//!
//! Why: `managedFields` say who applied a field, not what. `kubectl replace` keeps the entries that a client sends, an
//! apply under our name within a second leaves the same time, and a definition that loses a field leaves its place.
//!
//! Rule: apimachinery `FieldsV1`, see `managers`.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::clean::{STATUS, Status};
use super::managers::is_item;
use super::path::Path;
use super::shape::{Shape, UNKNOWN};
use crate::object::Object;

/// Whether an entry of `managedFields` names every place that a target has a value for.
pub(super) fn names_all(entry: &Value, target: &Object) -> bool {
    let fields = entry.get("fieldsV1").and_then(Value::as_object);
    let is_named = |name: &str| !["apiVersion", "kind", STATUS].contains(&name);
    let mut values = target.value().iter().filter(|(name, _)| is_named(name));
    let shape = Shape::of(&target.gvk());
    fields.is_some_and(|fields| values.all(|(name, value)| names_field(fields, name, value, shape, &Path::Root)))
}

fn names_field(fields: &Map<String, Value>, name: &str, value: &Value, shape: &Shape, path: &Path<'_>) -> bool {
    let is_name = name == "name" && matches!(path, Path::Key(Path::Root, "metadata"));
    if is_name || !Status::Never.is_compared(path, name) {
        return true;
    }
    let here = Path::Key(path, name);
    match fields.get(&format!("f:{name}")).and_then(Value::as_object) {
        Some(below) => names_value(below, value, shape.child(name), &here),
        // Of the metadata only what is git's to say counts.
        None => match value {
            Value::Object(map) if name == "metadata" && matches!(path, Path::Root) => {
                map.iter().all(|(name, value)| names_field(&Map::new(), name, value, shape.child("metadata"), &here))
            }
            _ => false,
        },
    }
}

fn names_value(fields: &Map<String, Value>, value: &Value, shape: &Shape, path: &Path<'_>) -> bool {
    if fields.is_empty() {
        // All of it, as one value.
        return true;
    }
    match value {
        Value::Object(map) => map.iter().all(|(name, value)| names_field(fields, name, value, shape, path)),
        Value::Array(items) => items.iter().enumerate().all(|(index, item)| {
            let mut elements = fields.iter();
            let below = elements.find(|(element, _)| is_item(element, item, Some(index), shape));
            let below = below.and_then(|(_, below)| below.as_object());
            below.is_some_and(|below| names_value(below, item, shape.item(), &Path::Index(path, index)))
        }),
        _ => true,
    }
}

/// The entry and the values that it names.
pub(super) fn owned_values(entry: &Value, live: &Map<String, Value>) -> Vec<u8> {
    let mut bytes = Bytes(Vec::with_capacity(1024));
    bytes.value(entry);
    if let Some(fields) = entry.get("fieldsV1").and_then(Value::as_object) {
        bytes.fields(fields, OwnedValue::Root(live));
    }
    bytes.0
}

/// A live value on the way down.
#[derive(Clone, Copy)]
enum OwnedValue<'o> {
    Root(&'o Map<String, Value>),
    Value(&'o Value),
    Absent,
}

impl<'o> OwnedValue<'o> {
    fn child(self, name: &str) -> Self {
        let map = match self {
            Self::Root(map) => Some(map),
            Self::Value(value) => value.as_object(),
            Self::Absent => None,
        };
        map.and_then(|map| map.get(name)).map_or(Self::Absent, Self::Value)
    }

    fn items(self) -> &'o [Value] {
        match self {
            Self::Value(Value::Array(items)) => items,
            _ => &[],
        }
    }
}

struct Bytes(Vec<u8>);

impl Bytes {
    fn mark(&mut self, mark: u8) {
        self.0.push(mark);
    }

    fn value(&mut self, value: &Value) {
        // Maps are sorted, so equal values have one text; a value with text keys cannot fail, nor can a `Vec`.
        let _ = serde_json::to_writer(&mut self.0, value);
        self.mark(b'\n');
    }

    fn held(&mut self, held: OwnedValue<'_>) {
        match held {
            OwnedValue::Value(value) => self.value(value),
            OwnedValue::Root(_) => self.mark(b'.'),
            OwnedValue::Absent => self.mark(b'-'),
        }
    }

    /// The parts that a set of fields selects in a value; a set without any names all of it.
    fn fields(&mut self, fields: &Map<String, Value>, held: OwnedValue<'_>) {
        if fields.is_empty() {
            self.held(held);
            return;
        }
        let mut items = Vec::new();
        for (element, below) in fields {
            match element.strip_prefix("f:") {
                Some(name) => self.below(below, held.child(name)),
                None if element == "." => self.mark(if matches!(held, OwnedValue::Absent) { b'-' } else { b'.' }),
                None => items.push((element.as_str(), below)),
            }
        }
        if !items.is_empty() {
            self.items(&items, held.items());
        }
    }

    fn below(&mut self, below: &Value, held: OwnedValue<'_>) {
        match below.as_object() {
            Some(fields) => self.fields(fields, held),
            None => self.held(held),
        }
    }

    /// The items of a list that are named, in the list's order, each with its number among the names.
    fn items(&mut self, elements: &[(&str, &Value)], held: &[Value]) {
        let names = ItemNames::of(elements);
        for (index, item) in held.iter().enumerate() {
            if let Some(number) = names.number_of(item, index) {
                // In another order the numbers differ, and so does the text.
                self.0.extend_from_slice(number.to_string().as_bytes());
                self.mark(b':');
                self.below(elements[number].1, OwnedValue::Value(item));
            }
        }
        // A missing item is a missing number.
        self.mark(b';');
    }
}

/// The names of a list's items, found by their texts: lists can be long.
struct ItemNames<'f> {
    all: Vec<&'f str>,
    by_text: HashMap<String, usize>,
    /// Which fields are the key.
    keys: Vec<String>,
}

impl<'f> ItemNames<'f> {
    fn of(elements: &[(&'f str, &'f Value)]) -> Self {
        let all: Vec<&str> = elements.iter().map(|(element, _)| *element).collect();
        let mut names = Self { by_text: HashMap::with_capacity(all.len()), keys: Vec::new(), all };
        for (number, element) in names.all.iter().enumerate() {
            let Some((kind, Ok(value))) =
                element.split_once(':').map(|(kind, text)| (kind, serde_json::from_str::<Value>(text)))
            else {
                continue;
            };
            if let Value::Object(key) = &value
                && names.keys.is_empty()
            {
                names.keys = key.keys().cloned().collect();
            }
            names.by_text.insert(format!("{kind}:{value}"), number);
        }
        names
    }

    fn number_of(&self, item: &Value, index: usize) -> Option<usize> {
        let text = match item {
            Value::Object(_) => {
                let part = |name: &String| Some((name.clone(), item.get(name)?.clone()));
                format!("k:{}", Value::Object(self.keys.iter().filter_map(part).collect()))
            }
            item => format!("v:{item}"),
        };
        // Parts of the key may be left out; then each name is looked at.
        let by_text = self.by_text.get(&text).copied();
        by_text.or_else(|| self.all.iter().position(|element| is_item(element, item, Some(index), &UNKNOWN)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object() -> Value {
        json!({
            "metadata": {"labels": {"app": "web", "team": "shop"}},
            "spec": {
                "replicas": 2,
                "ports": [{"port": 80, "protocol": "TCP", "name": "a"}, {"port": 81, "protocol": "TCP", "name": "b"}],
                "finalizers": ["one", "two"],
                "args": ["x", "y"],
                "empty": {},
            },
        })
    }

    fn entry() -> Value {
        json!({"manager": "trueup", "time": "2026-01-01T00:00:00Z", "fieldsV1": {
            "f:metadata": {"f:labels": {"f:app": {}}},
            "f:spec": {
                "f:replicas": {},
                "f:ports": {
                    "k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}, "f:name": {}},
                    "k:{\"port\":81,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}},
                },
                "f:finalizers": {"v:\"one\"": {}, "v:\"two\"": {}},
                "f:args": {},
                "f:empty": {".": {}},
            },
        }})
    }

    fn bytes(change: &dyn Fn(&mut Value)) -> Vec<u8> {
        let mut live = object();
        change(&mut live);
        owned_values(&entry(), live.as_object().unwrap())
    }

    #[test]
    fn whatever_happens_to_an_owned_value_shows() {
        type Change<'c> = (&'c str, &'c dyn Fn(&mut Value));
        let changes: [Change<'_>; 13] = [
            ("another value", &|live| live["spec"]["replicas"] = json!(3)),
            ("another type", &|live| live["spec"]["replicas"] = json!("2")),
            ("null", &|live| live["spec"]["replicas"] = Value::Null),
            ("gone", &|live| drop(live["spec"].as_object_mut().unwrap().remove("replicas"))),
            ("a label", &|live| live["metadata"]["labels"]["app"] = json!("web2")),
            ("in an item", &|live| live["spec"]["ports"][0]["name"] = json!("c")),
            ("an item gone", &|live| drop(live["spec"]["ports"].as_array_mut().unwrap().pop())),
            ("an item twice", &|live| {
                let again = live["spec"]["ports"][1].clone();
                live["spec"]["ports"].as_array_mut().unwrap().push(again);
            }),
            ("items swapped", &|live| live["spec"]["ports"].as_array_mut().unwrap().reverse()),
            ("a set swapped", &|live| live["spec"]["finalizers"].as_array_mut().unwrap().reverse()),
            ("an atomic list swapped", &|live| live["spec"]["args"].as_array_mut().unwrap().reverse()),
            ("an empty map gone", &|live| drop(live["spec"].as_object_mut().unwrap().remove("empty"))),
            ("a list that is a map", &|live| live["spec"]["ports"] = json!({})),
        ];
        for (name, change) in changes {
            assert_ne!(bytes(change), bytes(&|_| {}), "{name}");
        }
    }

    #[test]
    fn what_others_add_or_change_beside_does_not() {
        type Change<'c> = (&'c str, &'c dyn Fn(&mut Value));
        let changes: [Change<'_>; 5] = [
            ("a label", &|live| live["metadata"]["labels"]["team"] = json!("other")),
            ("a field", &|live| live["spec"]["paused"] = json!(true)),
            ("an item in front", &|live| {
                let items = live["spec"]["ports"].as_array_mut().unwrap();
                items.insert(0, json!({"port": 9, "protocol": "UDP"}));
            }),
            ("a field of an item that is not ours", &|live| live["spec"]["ports"][1]["name"] = json!("other")),
            ("a part of a set", &|live| live["spec"]["finalizers"].as_array_mut().unwrap().push(json!("three"))),
        ];
        for (name, change) in changes {
            assert_eq!(bytes(change), bytes(&|_| {}), "{name}");
        }
    }

    /// After a replace, what it changed is in another entry: the first one no longer proves that all of git is there.
    #[test]
    fn an_entry_that_leaves_something_of_git_out_is_known() {
        type Change<'c> = (&'c str, &'c dyn Fn(&mut Value));
        let target = |change: &dyn Fn(&mut Value)| {
            let mut value = json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": null, "labels": {"app": "web"}},
                "spec": {"type": "ClusterIP", "ports": [{"port": 53}, {"port": 53, "protocol": "UDP"}],
                         "externalIPs": ["1.1.1.1"]},
                "status": {"loadBalancer": {}},
            });
            change(&mut value);
            Object::new(value).unwrap()
        };
        let entry = json!({"fieldsV1": {
            "f:metadata": {"f:labels": {"f:app": {}}},
            "f:spec": {"f:type": {}, "f:externalIPs": {}, "f:ports": {
                "k:{\"port\":53,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}},
                "k:{\"port\":53,\"protocol\":\"UDP\"}": {".": {}, "f:port": {}, "f:protocol": {}},
            }},
        }});
        assert!(names_all(&entry, &target(&|_| {})));
        let changes: [Change<'_>; 5] = [
            ("a label", &|target| target["metadata"]["labels"]["team"] = json!("shop")),
            ("a field", &|target| target["spec"]["sessionAffinity"] = json!("None")),
            ("null", &|target| target["spec"]["clusterIP"] = Value::Null),
            ("a field of an item", &|target| target["spec"]["ports"][0]["name"] = json!("dns")),
            ("an item", &|target| target["spec"]["ports"][1]["port"] = json!(54)),
        ];
        for (name, change) in changes {
            assert!(!names_all(&entry, &target(change)), "{name}");
        }
        assert!(!names_all(&json!({}), &target(&|_| {})));
    }

    #[test]
    fn an_item_that_leaves_a_default_of_its_key_out_is_found() {
        let short =
            |name: &'static str| move |live: &mut Value| live["spec"]["ports"][0] = json!({"port": 80, "name": name});
        assert_ne!(bytes(&short("a")), bytes(&short("b")));
    }
}
