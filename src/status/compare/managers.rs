//! Who holds a field: reads `managedFields`.
//!
//! In: a live object. Out: the managers of a place in it; and what was applied server-side and git no longer has. Entries
//! that are malformed are passed over.
//!
//! Rule: KEP-555; apimachinery `FieldsV1`: `f:NAME` a field, `k:KEY` an item by its key, `v:VALUE` an item by its value,
//! `i:INDEX` an item by its place, `.` the place itself.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::clean::Status;
use super::difference::{Difference, Edit};
use super::found::{Found, is_none};
use super::moved::Views;
use super::path::Path;
use super::shape::{Field, Merge, Shape};
use crate::object::annotations::{FIELD_MANAGER, LAST_APPLIED};
use crate::object::{Object, Pointer};
use crate::status::{FieldDrift, Manager};

/// Argo CD's controller, now and before 2.5.
const ARGO_CD: [&str; 2] = ["argocd-controller", "argocd-application-controller"];
/// Who applies what is in git, or in a chart, whatever the operation is called. `kubectl` alone is no such name: it is
/// also what `kubectl scale` is called.
const APPLIERS: [&str; 7] = [
    FIELD_MANAGER,
    "kubectl-client-side-apply",
    "before-first-apply",
    "helm",
    "kustomize-controller",
    "helm-controller",
    "terraform",
];

impl Manager {
    /// Whether it is server-side apply of the object itself.
    pub(super) fn is_apply(&self) -> bool {
        self.operation == "Apply" && self.subresource.is_empty()
    }

    /// Whether this is somebody who applies what git says, so that what it holds is as it was applied.
    pub(super) fn applies_from_git(&self) -> bool {
        let name = self.manager.as_str();
        self.subresource.is_empty()
            && (APPLIERS.contains(&name) || ARGO_CD.contains(&name) || (name == "kubectl" && self.is_apply()))
    }
}

/// One entry of `managedFields`.
pub(super) struct ManagerEntry<'o> {
    pub(super) manager: Manager,
    api_version: &'o str,
    pub(super) fields: &'o Map<String, Value>,
}

pub(super) fn entries(live: &Object) -> impl Iterator<Item = ManagerEntry<'_>> {
    let list = live.metadata().and_then(|metadata| metadata.get("managedFields")).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let manager = Manager {
            manager: text("manager").to_owned(),
            operation: text("operation").to_owned(),
            subresource: text("subresource").to_owned(),
            time: text("time").to_owned(),
        };
        Some(ManagerEntry { manager, api_version: text("apiVersion"), fields: entry.get("fieldsV1")?.as_object()? })
    })
}

/// The differences as fields of a report, each with who holds it in the cluster; who was there last comes first.
pub(super) fn attributed(found: Vec<Difference>, live: &Object, views: &Views<'_>, shape: &Shape) -> Vec<FieldDrift> {
    let entries: Vec<ManagerEntry<'_>> = entries(live).collect();
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
            views.field(difference, managers, shape)
        })
        .collect()
}

/// Whether the object says who holds its fields.
pub(super) fn has_managers(live: &Object) -> bool {
    entries(live).next().is_some()
}

/// Whoever applied an object from git until now, beside trueup: their fields have to become trueup's, or what git drops
/// would stay with them for ever.
pub fn predecessors(live: &Object) -> BTreeSet<String> {
    let applied = entries(live).filter(|entry| entry.manager.applies_from_git());
    applied.map(|entry| entry.manager.manager).filter(|name| name != FIELD_MANAGER).collect()
}

/// Our own entry, as the server wrote it.
pub(super) fn own_entry(live: &Object) -> Option<&Value> {
    let list = live.metadata()?.get("managedFields")?.as_array()?;
    list.iter().find(|entry| {
        let is = |name: &str, text: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default() == text;
        is("manager", FIELD_MANAGER) && is("operation", "Apply") && is("subresource", "")
    })
}

/// Whether the keys of a map have owners of their own: who applies the map does not take others' keys away.
pub(super) fn is_granular(live: &Object, place: &Pointer) -> bool {
    entries(live).any(|entry| {
        let node = place.tokens().iter().try_fold(entry.fields, |fields, token| child(fields, token));
        node.is_some_and(|fields| fields.keys().any(|element| element.starts_with("f:")))
    })
}

/// Whether a set of fields holds a place, something below it, or the atomic value that it is part of.
fn owns(fields: &Map<String, Value>, live: &Map<String, Value>, tokens: &[String], shape: &Shape) -> bool {
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
                (held.and_then(|item| item_child(node, item, index, shape)), held)
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
    shape: &Shape,
) -> Option<&'f Map<String, Value>> {
    let (_, child) = fields.iter().find(|(key, _)| is_item(key, item, index, shape))?;
    child.as_object()
}

/// Whether a path element means this item of a list of this shape.
pub(super) fn is_item(element: &str, item: &Value, index: Option<usize>, shape: &Shape) -> bool {
    let Some((kind, text)) = element.split_once(':') else { return false };
    match kind {
        "k" => {
            let Ok(Value::Object(key)) = serde_json::from_str(text) else { return false };
            key.keys().any(|name| item.get(name).is_some()) && key.iter().all(|part| has_part(item, part, shape))
        }
        "v" => serde_json::from_str::<Value>(text).is_ok_and(|value| value == *item),
        "i" => index.is_some_and(|index| text == index.to_string()),
        _ => false,
    }
}

/// The item of a list that a path element means: one that has the whole key before one that leaves out a part of it, which
/// may be any where its default is not known.
pub(super) fn find_item<'v>(element: &str, items: &'v [Value], shape: &Shape) -> Option<(usize, &'v Value)> {
    let means = |(index, item): &(usize, &Value)| is_item(element, item, Some(*index), shape);
    let key = element.strip_prefix("k:").and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let is_whole =
        |(_, item): &(usize, &Value)| key.as_ref().is_none_or(|key| key.keys().all(|name| item.get(name).is_some()));
    let whole = items.iter().enumerate().filter(&means).find(is_whole);
    whole.or_else(|| items.iter().enumerate().find(&means))
}

/// Whether an item has a part of a key. One that it leaves out is at its default; where that is not known, it may be any.
fn has_part(item: &Value, (name, value): (&String, &Value), shape: &Shape) -> bool {
    if let Some(held) = item.get(name) {
        return held == value;
    }
    let keys = shape.list_keys().unwrap_or_default();
    let default = keys.iter().find(|key| key.name == *name).and_then(|key| key.default.as_deref());
    default.is_none_or(|default| value == default)
}

/// Whose fields are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// trueup's own: the server takes them away by itself when asked to apply.
    Ours,
    /// Those of whoever else applied the object from git until now.
    Predecessors,
}

/// A pair, in the light of its kind and of its application's settings.
#[derive(Clone, Copy)]
pub(super) struct Pair<'o> {
    pub(super) target: &'o Object,
    /// The targets with the marks of whoever applies it.
    pub(super) wanted: &'o Map<String, Value>,
    pub(super) live: &'o Object,
    pub(super) shape: &'o Shape,
    pub(super) status: Status,
}

/// Fields that were applied server-side, still exist, and git no longer has: applying would take it away. What is at its
/// default would come back, and is not reported.
pub(super) fn released(whose: Whose, pair: &Pair<'_>, found: &mut Found) {
    let Pair { target, wanted, live, shape, status } = *pair;
    for entry in entries(live).filter(|entry| entry.manager.is_apply()) {
        let is_meant = match whose {
            Whose::Ours => entry.manager.manager == FIELD_MANAGER,
            Whose::Predecessors => is_predecessor(&entry, wanted, live),
        };
        if !is_meant {
            continue;
        }
        if entry.api_version == target.api_version() {
            let mut walk = FieldsV1Walk { status, found };
            walk.fields(entry.fields, Some(wanted), live.value(), shape, &Path::Root);
        } else {
            // Recorded in another version, where fields may have other names.
            found.doubts.push(Path::Root.pointer());
        }
    }
}

/// Whether somebody applied this object from git before trueup: Argo CD, or the only one who applied it at all and
/// more of it than a label.
fn is_predecessor(entry: &ManagerEntry<'_>, wanted: &Map<String, Value>, live: &Object) -> bool {
    if ARGO_CD.contains(&entry.manager.manager.as_str()) {
        return true;
    }
    let applied = |other: &ManagerEntry<'_>| other.manager.is_apply();
    live.annotation(LAST_APPLIED).is_none()
        && entries(live).filter(applied).count() == 1
        && entry.manager.manager != FIELD_MANAGER
        && wanted.iter().any(|(name, value)| {
            let shape = Shape::of(&live.gvk()).child(name);
            name != "metadata" && child(entry.fields, name).is_some_and(|fields| holds_part_of(fields, value, shape))
        })
}

/// Whether a set of fields has one that this value has, too.
fn holds_part_of(fields: &Map<String, Value>, value: &Value, shape: &Shape) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(name, value)| {
            child(fields, name).is_some_and(|fields| holds_part_of(fields, value, shape.child(name)))
        }),
        Value::Array(list) => {
            list.iter().enumerate().any(|(index, item)| item_child(fields, item, Some(index), shape).is_some())
        }
        _ => true,
    }
}

/// Whether trueup applied a place, or something below it: without it in git, it goes. It may have where nobody knows.
pub(super) fn is_ours(live: &Object, place: &Pointer, shape: &Shape) -> bool {
    let own = entries(live).find(|entry| entry.manager.is_apply() && entry.manager.manager == FIELD_MANAGER);
    !has_managers(live) || own.is_some_and(|entry| owns(entry.fields, live.value(), place.tokens(), shape))
}

/// Whether anybody but those who apply from git holds a place, or something below it.
pub(super) fn is_held_by_others(live: &Object, place: &Pointer) -> bool {
    let shape = Shape::of(&live.gvk());
    entries(live)
        .any(|entry| !entry.manager.applies_from_git() && owns(entry.fields, live.value(), place.tokens(), shape))
}

struct FieldsV1Walk<'f> {
    status: Status,
    found: &'f mut Found,
}

impl FieldsV1Walk<'_> {
    fn fields(
        &mut self,
        fields: &Map<String, Value>,
        target: Option<&Map<String, Value>>,
        live: &Map<String, Value>,
        shape: &Shape,
        path: &Path<'_>,
    ) {
        for (element, below) in fields {
            let Some(name) = element.strip_prefix("f:") else { continue };
            let Some(held) = live.get(name).filter(|_| self.status.is_compared(path, name)) else { continue };
            let wanted = target.and_then(|target| target.get(name));
            let field = matches!(shape, Shape::Struct(..)).then(|| shape.field(name));
            if wanted.is_some() || !field.is_some_and(|field| is_default(held, field)) {
                self.step(below, wanted, held, shape.child(name), &Path::Key(path, name));
            }
        }
    }

    fn step(&mut self, below: &Value, target: Option<&Value>, held: &Value, shape: &Shape, path: &Path<'_>) {
        let Some(wanted) = target else {
            let path = path.pointer();
            if self.found.edits.iter().any(|edit| path.starts_with(&edit.path)) {
                // What holds it is put in again as a whole; the place may mean something else by then.
                self.found.doubts.push(path);
            } else {
                self.found.edits.push(Edit { path, git: None });
            }
            return;
        };
        let Some(below) = below.as_object() else { return };
        match (wanted, held) {
            (Value::Object(wanted), Value::Object(held)) => self.fields(below, Some(wanted), held, shape, path),
            (Value::Array(wanted), Value::Array(held)) => {
                for (index, item) in held.iter().enumerate() {
                    let means = |element: &str| is_item(element, item, Some(index), shape);
                    let Some((element, below)) = below.iter().find(|(element, _)| means(element)) else { continue };
                    let same = find_item(element, wanted, shape).map(|(_, wanted)| wanted);
                    self.step(below, same, item, shape.item(), &Path::Index(path, index));
                }
            }
            _ => {}
        }
    }
}

/// Whether a field holds what the API server fills in by itself.
pub(super) fn is_default(held: &Value, field: &Field) -> bool {
    is_none(held, field) || field.default.as_ref() == Some(held)
}
