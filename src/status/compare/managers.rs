//! Who holds a field: reads `managedFields`.
//!
//! In: a live object. Out: the managers of a place in it; and what trueup itself applied and git no longer has. Entries that
//! are malformed are passed over.
//!
//! Rule: KEP-555; apimachinery `FieldsV1`: `f:NAME` a field, `k:KEY` an item by its key, `v:VALUE` an item by its value,
//! `i:INDEX` an item by its place, `.` the place itself.

use serde_json::{Map, Value};

use super::clean::is_compared;
use super::contain::Found;
use super::difference::{Difference, Edit};
use super::path::Path;
use super::shape::{Merge, Shape};
use crate::object::annotations::FIELD_MANAGER;
use crate::object::{Object, Pointer};
use crate::status::{FieldDrift, Manager};

/// One entry of `managedFields`.
pub(super) struct Entry<'o> {
    pub(super) manager: Manager,
    api_version: &'o str,
    pub(super) fields: &'o Map<String, Value>,
}

pub(super) fn entries(live: &Object) -> impl Iterator<Item = Entry<'_>> {
    let list = live.metadata().and_then(|metadata| metadata.get("managedFields")).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let manager = Manager {
            manager: text("manager").to_owned(),
            operation: text("operation").to_owned(),
            subresource: text("subresource").to_owned(),
            time: text("time").to_owned(),
        };
        Some(Entry { manager, api_version: text("apiVersion"), fields: entry.get("fieldsV1")?.as_object()? })
    })
}

/// The differences as fields of a report, each with who holds it in the cluster; who was there last comes first.
pub(super) fn attributed(found: Vec<Difference>, live: &Object, shape: &'static Shape) -> Vec<FieldDrift> {
    let entries: Vec<Entry<'_>> = entries(live).collect();
    found
        .into_iter()
        .map(|difference| {
            let tokens = difference.edit.path.tokens();
            let mut managers: Vec<Manager> = entries
                .iter()
                .filter(|entry| owns(entry.fields, live.value(), tokens, shape))
                .map(|entry| entry.manager.clone())
                .collect();
            managers.sort_by(|one, other| other.time.cmp(&one.time));
            FieldDrift {
                path: difference.edit.path,
                git: difference.edit.git,
                live: difference.live,
                item: difference.item,
                managers,
            }
        })
        .collect()
}

/// Whether the keys of a map have owners of their own: who applies the map does not take others' keys away.
pub(super) fn is_granular(live: &Object, place: &Pointer) -> bool {
    entries(live).any(|entry| {
        let node = place.tokens().iter().try_fold(entry.fields, |fields, token| child(fields, token));
        node.is_some_and(|fields| fields.keys().any(|element| element.starts_with("f:")))
    })
}

/// Whether a set of fields holds a place, something below it, or the atomic value that it is part of.
fn owns(fields: &Map<String, Value>, live: &Map<String, Value>, tokens: &[String], shape: &'static Shape) -> bool {
    let Some((first, rest)) = tokens.split_first() else { return true };
    let (Some(mut node), Some(mut value)) = (child(fields, first), live.get(first)) else { return false };
    let mut shape = shape.child(first);
    for token in rest {
        if node.is_empty() {
            return is_one_value(shape);
        }
        let (next, held) = match value {
            Value::Object(map) => (child(node, token), map.get(token)),
            Value::Array(list) => {
                let index = token.parse::<usize>().ok();
                let held = index.and_then(|index| list.get(index));
                (held.and_then(|item| item_child(node, item, index)), held)
            }
            _ => (None, None),
        };
        let (Some(next), Some(held)) = (next, held) else { return false };
        shape = if value.is_array() { shape.item() } else { shape.child(token) };
        (node, value) = (next, held);
    }
    true
}

/// Whether who holds a value of this shape holds all that is in it.
fn is_one_value(shape: &Shape) -> bool {
    !matches!(shape, Shape::Struct(_, Merge::Granular) | Shape::Map(Merge::Granular, _))
}

fn child<'f>(fields: &'f Map<String, Value>, name: &str) -> Option<&'f Map<String, Value>> {
    fields.get(&format!("f:{name}"))?.as_object()
}

fn item_child<'f>(
    fields: &'f Map<String, Value>,
    item: &Value,
    index: Option<usize>,
) -> Option<&'f Map<String, Value>> {
    let (_, child) = fields.iter().find(|(key, _)| is_item(key, item, index))?;
    child.as_object()
}

/// Whether a path element means this item of a list.
pub(super) fn is_item(element: &str, item: &Value, index: Option<usize>) -> bool {
    let Some((kind, text)) = element.split_once(':') else { return false };
    match kind {
        "k" => {
            let Ok(Value::Object(key)) = serde_json::from_str(text) else { return false };
            // A part of the key that the item leaves out is at its default.
            let fits = |(name, value): (&String, &Value)| item.get(name).is_none_or(|held| held == value);
            key.keys().any(|name| item.get(name).is_some()) && key.iter().all(fits)
        }
        "v" => serde_json::from_str::<Value>(text).is_ok_and(|value| value == *item),
        "i" => index.is_some_and(|index| text == index.to_string()),
        _ => false,
    }
}

/// What trueup applied itself, is still there, and git no longer has: applying would take it away.
pub(super) fn released(api_version: &str, target: &Map<String, Value>, live: &Object, found: &mut Found) {
    let ours = |entry: &Entry<'_>| {
        entry.manager.manager == FIELD_MANAGER
            && entry.manager.operation == "Apply"
            && entry.manager.subresource.is_empty()
    };
    for entry in entries(live).filter(ours) {
        if entry.api_version == api_version {
            walk(entry.fields, Some(target), live.value(), &Path::Root, found);
        } else {
            // Recorded in another version, where fields may have other names.
            found.doubts.push(Path::Root.pointer());
        }
    }
}

fn walk(
    fields: &Map<String, Value>,
    target: Option<&Map<String, Value>>,
    live: &Map<String, Value>,
    path: &Path<'_>,
    found: &mut Found,
) {
    for (element, below) in fields {
        let Some(name) = element.strip_prefix("f:") else { continue };
        let Some(held) = live.get(name).filter(|_| is_compared(path, name)) else { continue };
        step(below, target.and_then(|target| target.get(name)), held, &Path::Key(path, name), found);
    }
}

fn step(below: &Value, target: Option<&Value>, held: &Value, path: &Path<'_>, found: &mut Found) {
    let Some(wanted) = target else {
        let path = path.pointer();
        if found.edits.iter().any(|edit| path.starts_with(&edit.path)) {
            // What holds it is put in anew as a whole; the place may mean something else by then.
            found.doubts.push(path);
        } else {
            found.edits.push(Edit { path, git: None });
        }
        return;
    };
    let Some(below) = below.as_object() else { return };
    match (wanted, held) {
        (Value::Object(wanted), Value::Object(held)) => walk(below, Some(wanted), held, path, found),
        (Value::Array(wanted), Value::Array(held)) => {
            for (index, item) in held.iter().enumerate() {
                let Some((element, below)) = below.iter().find(|(element, _)| is_item(element, item, Some(index)))
                else {
                    continue;
                };
                let same = wanted.iter().enumerate().find(|(index, wanted)| is_item(element, wanted, Some(*index)));
                step(below, same.map(|(_, wanted)| wanted), item, &Path::Index(path, index), found);
            }
        }
        _ => {}
    }
}
