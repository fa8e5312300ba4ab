//! Tells two values apart exactly, as a list of edits that make the one into the other.
//!
//! In: the wanted value and the live one, with their shape. Out: [`Difference`]s, each with the [`Edit`] on the live value,
//! at the deepest place that still says it all: a scalar, a whole new or lost subtree, a whole list where its items
//! cannot be distinguished or their order changed. [`apply`] puts edits into a value; the differences of the result are
//! these edits again.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::path::Path;
use super::shape::{ListKey, ListKind, Shape};
use crate::object::Pointer;

/// One change that makes the live value what is wanted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Edit {
    /// Where in the live value; new list items after its end.
    pub(super) path: Pointer,
    /// The wanted value; `None` removes it.
    pub(super) git: Option<Value>,
}

/// One place where two values differ.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    /// The change that makes the live value what is wanted.
    pub(super) edit: Edit,
    /// The live value.
    pub(super) live: Option<Value>,
    /// The key of the list item that the path goes through.
    pub(super) item: Option<Map<String, Value>>,
}

/// Every difference, in the order of the wanted value's fields. Where `spelled` (what git has written) has the same
/// place, its own spelling is shown.
pub(super) fn differences(wanted: &Value, live: &Value, spelled: Option<&Value>, shape: &Shape) -> Vec<Difference> {
    let mut walk = DifferenceWalk { found: Vec::new(), items: Vec::new() };
    walk.value(ValuePair { wanted, live, spelled }, shape, &Path::Root);
    walk.found
}

#[derive(Clone, Copy)]
struct ValuePair<'v> {
    wanted: &'v Value,
    live: &'v Value,
    spelled: Option<&'v Value>,
}

struct DifferenceWalk {
    found: Vec<Difference>,
    items: Vec<Map<String, Value>>,
}

impl DifferenceWalk {
    fn push(&mut self, path: &Path<'_>, git: Option<Value>, live: Option<&Value>) {
        let item = self.items.last().cloned();
        self.found.push(Difference { edit: Edit { path: path.pointer(), git }, live: live.cloned(), item });
    }

    fn value(&mut self, sides: ValuePair<'_>, shape: &Shape, path: &Path<'_>) {
        let ValuePair { wanted, live, spelled } = sides;
        if wanted == live {
            return;
        }
        match (wanted, live) {
            (Value::Object(wanted), Value::Object(live)) => {
                self.map(wanted, live, spelled.and_then(Value::as_object), shape, path);
            }
            (Value::Array(wanted), Value::Array(live)) => {
                self.list(wanted, live, spelled.and_then(Value::as_array), shape, path);
            }
            _ => {
                let own = spelled.filter(|own| !own.is_array() && !own.is_object() && !own.is_null() && *own != live);
                let git = if wanted.is_array() || wanted.is_object() { wanted } else { own.unwrap_or(wanted) };
                self.push(path, Some(git.clone()), Some(live));
            }
        }
    }

    fn map(
        &mut self,
        wanted: &Map<String, Value>,
        live: &Map<String, Value>,
        spelled: Option<&Map<String, Value>>,
        shape: &Shape,
        path: &Path<'_>,
    ) {
        for (name, wanted) in wanted {
            let here = Path::Key(path, name);
            let spelled = spelled.and_then(|spelled| spelled.get(name));
            match live.get(name) {
                Some(live) => self.value(ValuePair { wanted, live, spelled }, shape.child(name), &here),
                // A null is none: whether it is kept depends on how the object was applied.
                None if wanted.is_null() => {}
                None => self.push(&here, Some(spelling(wanted, spelled)), None),
            }
        }
        for (name, value) in live {
            if !wanted.contains_key(name) && !value.is_null() {
                self.push(&Path::Key(path, name), None, Some(value));
            }
        }
    }

    fn list(&mut self, wanted: &[Value], live: &[Value], spelled: Option<&Vec<Value>>, shape: &Shape, path: &Path<'_>) {
        let Some(pairs) = Pairs::of(shape, wanted, live) else {
            if wanted.len() == live.len() {
                for (index, (wanted, live)) in wanted.iter().zip(live).enumerate() {
                    let spelled = spelled.and_then(|spelled| spelled.get(index));
                    self.value(ValuePair { wanted, live, spelled }, shape.item(), &Path::Index(path, index));
                }
            } else {
                self.push(path, Some(Value::Array(wanted.to_vec())), Some(&Value::Array(live.to_vec())));
            }
            return;
        };
        if !pairs.same_order {
            self.push(path, Some(Value::Array(wanted.to_vec())), Some(&Value::Array(live.to_vec())));
            return;
        }
        let own = spelled.and_then(|spelled| Pairs::of(shape, wanted, spelled).map(|pairs| (spelled, pairs)));
        let mut end = live.len();
        for (index, item) in wanted.iter().enumerate() {
            let spelled = own.as_ref().and_then(|(list, pairs)| list.get(pairs.other.get(index).copied().flatten()?));
            self.items.extend(key_of(item, shape));
            if let Some(at) = pairs.other.get(index).copied().flatten() {
                let sides = ValuePair { wanted: item, live: &live[at], spelled };
                self.value(sides, shape.item(), &Path::Index(path, at));
            } else {
                self.push(&Path::Index(path, end), Some(spelling(item, spelled)), None);
                end += 1;
            }
            self.pop_item(item, shape);
        }
        for at in pairs.unpaired(live.len()) {
            self.items.extend(key_of(&live[at], shape));
            self.push(&Path::Index(path, at), None, Some(&live[at]));
            self.pop_item(&live[at], shape);
        }
    }

    fn pop_item(&mut self, item: &Value, shape: &Shape) {
        if key_of(item, shape).is_some() {
            self.items.pop();
        }
    }
}

/// The value in git of a new field, unless it is empty.
fn spelling(wanted: &Value, spelled: Option<&Value>) -> Value {
    spelled.filter(|own| !own.is_null()).unwrap_or(wanted).clone()
}

/// Which item of one list is which of another, by their keys.
#[derive(Debug)]
pub(super) struct Pairs {
    /// For each item of the first list, its place in the other.
    pub(super) other: Vec<Option<usize>>,
    /// Whether the paired items stand in the same order in both.
    pub(super) same_order: bool,
}

impl Pairs {
    /// Nothing where items cannot be distinguished: no keys, items without them, or twice the same.
    pub(super) fn of(shape: &Shape, first: &[Value], other: &[Value]) -> Option<Self> {
        let Shape::List(kind, _) = shape else { return None };
        let mut places = HashMap::with_capacity(other.len());
        for (at, item) in other.iter().enumerate() {
            if places.insert(identity(item, kind)?, at).is_some() {
                return None;
            }
        }
        let mut seen = HashMap::with_capacity(first.len());
        let mut found = Vec::with_capacity(first.len());
        for (at, item) in first.iter().enumerate() {
            let identity = identity(item, kind)?;
            found.push(places.get(&identity).copied());
            if seen.insert(identity, at).is_some() {
                return None;
            }
        }
        let same_order = found.iter().flatten().is_sorted();
        Some(Self { other: found, same_order })
    }

    /// The places of the other list, of this length, that nothing is paired with.
    pub(super) fn unpaired(&self, length: usize) -> Vec<usize> {
        let mut taken = vec![false; length];
        for at in self.other.iter().flatten() {
            taken[*at] = true;
        }
        (0..length).filter(|at| !taken[*at]).collect()
    }
}

/// Whether what both sides have of each list that has keys stands in the same order. Moving an item changes nobody's
/// fields: `managedFields` do not tell.
pub(super) fn has_same_order(target: &Map<String, Value>, live: &Map<String, Value>, shape: &Shape) -> bool {
    let has_same = |target: &Value, live: &Value, shape: &Shape| match (shape, target, live) {
        (Shape::Struct(..) | Shape::Map(..), Value::Object(target), Value::Object(live)) => {
            has_same_order(target, live, shape)
        }
        (Shape::List(..), Value::Array(target), Value::Array(live)) => list_has_same_order(target, live, shape),
        _ => true,
    };
    target.iter().all(|(name, wanted)| live.get(name).is_none_or(|held| has_same(wanted, held, shape.child(name))))
}

fn list_has_same_order(target: &[Value], live: &[Value], shape: &Shape) -> bool {
    let Some(pairs) = Pairs::of(shape, target, live) else { return true };
    let mut paired = target.iter().zip(&pairs.other).filter_map(|(wanted, at)| Some((wanted, live.get((*at)?)?)));
    pairs.same_order
        && paired.all(|(wanted, held)| match (wanted, held) {
            (Value::Object(wanted), Value::Object(held)) => has_same_order(wanted, held, shape.item()),
            _ => true,
        })
}

/// The key of a list item, as text.
fn identity(item: &Value, kind: &ListKind) -> Option<String> {
    match kind {
        ListKind::Atomic => None,
        ListKind::Set => (!item.is_array() && !item.is_object()).then(|| item.to_string()),
        ListKind::Keyed(keys) => {
            let item = item.as_object()?;
            let mut text = String::new();
            let mut present = false;
            for key in keys {
                match (item.get(&*key.name), key.default.as_deref()) {
                    (Some(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))), _) => {
                        present = true;
                        text.push_str(&value.to_string());
                    }
                    (None, Some(default)) => text.push_str(&Value::from(default).to_string()),
                    // Others leave a part of the key out: server-side apply tells these apart, too.
                    (None, None) => text.push('-'),
                    _ => return None,
                }
                text.push(' ');
            }
            present.then_some(text)
        }
    }
}

/// The key of a keyed list's item.
pub(super) fn key_of(item: &Value, shape: &Shape) -> Option<Map<String, Value>> {
    let keys = shape.list_keys()?;
    let part = |key: &ListKey| {
        let value = item.get(&*key.name).cloned().or_else(|| key.default.as_deref().map(Value::from))?;
        Some((key.name.clone().into_owned(), value))
    };
    let found: Map<String, Value> = keys.iter().filter_map(part).collect();
    (!found.is_empty()).then_some(found)
}

/// Puts edits into a value. Removals come last and from the end, so that places stay what they were.
pub(super) fn apply(mut value: Value, edits: &[Edit]) -> Value {
    for edit in edits {
        if let Some(git) = &edit.git {
            put(&mut value, edit.path.tokens(), git);
        }
    }
    let mut removals: Vec<&Pointer> = edits.iter().filter(|edit| edit.git.is_none()).map(|edit| &edit.path).collect();
    removals.sort_by(|one, other| other.place_order(one));
    removals.dedup();
    for removal in removals {
        take(&mut value, removal.tokens());
    }
    value
}

fn put(value: &mut Value, tokens: &[String], git: &Value) {
    let Some((token, rest)) = tokens.split_first() else {
        *value = git.clone();
        return;
    };
    match value {
        Value::Object(map) if rest.is_empty() => {
            map.insert(token.clone(), git.clone());
        }
        Value::Object(map) => {
            if let Some(child) = map.get_mut(token) {
                put(child, rest, git);
            }
        }
        Value::Array(list) => match token.parse::<usize>() {
            Ok(index) if index < list.len() => put(&mut list[index], rest, git),
            Ok(_) if rest.is_empty() => list.push(git.clone()),
            _ => {}
        },
        _ => {}
    }
}

fn take(value: &mut Value, tokens: &[String]) {
    let Some((token, rest)) = tokens.split_first() else { return };
    match value {
        Value::Object(map) if rest.is_empty() => {
            map.remove(token);
        }
        Value::Object(map) => {
            if let Some(child) = map.get_mut(token) {
                take(child, rest);
            }
        }
        Value::Array(list) => match token.parse::<usize>() {
            Ok(index) if index < list.len() && rest.is_empty() => {
                list.remove(index);
            }
            Ok(index) if index < list.len() => take(&mut list[index], rest),
            _ => {}
        },
        _ => {}
    }
}
