//! `RespectIgnoreDifferences`: what rules say not to compare keeps its live value in what is applied.
//!
//! In: a target, its live object, and the differences that rules hid. Out: the target that is applied. Path by path, lists
//! item by item; a value is the live object's own, never that of a report, which masks it.
//!
//! Rule: Argo CD controller/sync.go `normalizeTargetResources`. Quirk not kept: there, a list of a custom resource is
//! replaced as a whole.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use crate::object::annotations::{APPLYSET_PART_OF, FIELD_MANAGER};
use crate::object::{Object, Pointer};
use crate::status::compare::{counterparts, is_applied_whole};
use crate::status::{FieldDrift, Ignored};

/// The treatment of a live value of which git says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unspoken {
    /// It is put into the target where applying would take it away: where trueup holds it, or what git says above it has no
    /// room for it. Else it stays by itself.
    IfOurs,
    /// It is put into the target: what is applied takes the place of the live object.
    Always,
}

/// The target, with the live values of what is ignored.
pub(super) fn respect(target: &Object, live: &Object, ignored: &[Ignored], unspoken: Unspoken) -> Object {
    let (wanted, held) = (target.to_value(), live.to_value());
    let mut puts = Vec::new();
    let mut takes = Vec::new();
    for Ignored { field, .. } in ignored.iter().filter(|ignored| is_free(&ignored.field.path)) {
        let Some(place) = in_target(target, &wanted, &held, &field.path) else { continue };
        match (&field.git, field.live.as_ref().and(field.path.get(&held))) {
            (None, Some(_))
                if unspoken == Unspoken::IfOurs && !is_ours(field) && !would_go(target, &wanted, &place) => {}
            (_, Some(_)) => puts.push((place, &field.path)),
            (Some(_), None) => takes.push(place),
            (None, None) => {}
        }
    }
    let mut value = wanted;
    for (place, path) in &puts {
        put(&mut value, place.tokens(), &held, path.tokens());
    }
    // From the end, so that places in lists stay what they were.
    takes.sort_by(|one, other| in_place_order(other, one));
    for place in &takes {
        take(&mut value, place.tokens());
    }
    let said = puts.iter().map(|(place, _)| place).chain(&takes);
    unsay_string_data(&mut value, target, said);
    keep_membership(&mut value, target);
    let mut respectful = target.clone();
    if let Value::Object(value) = value {
        *respectful.value_mut() = value;
    }
    respectful
}

fn is_ours(field: &FieldDrift) -> bool {
    field.managers.iter().any(|manager| manager.manager == FIELD_MANAGER)
}

/// Whether applying the target takes away what stands at a place, although the report says that git has nothing there: the
/// target has it empty (`caBundle: ""`, `null`), or something above it that is empty or one value.
fn would_go(target: &Object, wanted: &Value, place: &Pointer) -> bool {
    let gvk = target.gvk();
    let (mut value, mut here) = (wanted, Pointer::root());
    for token in place.tokens() {
        let is_empty = match value {
            Value::Object(map) => map.is_empty(),
            Value::Array(list) => list.is_empty(),
            _ => true,
        };
        // An empty map whose keys have owners of their own takes nobody's away.
        if is_applied_whole(&gvk, &here).unwrap_or(is_empty) || !(value.is_object() || value.is_array()) {
            return true;
        }
        let Some(next) = child(value, token) else { return false };
        (value, here) = (next, here.child(token.clone()));
    }
    true
}

/// Whether a rule may move a place: not the object's identity, and not what the server reports.
fn is_free(path: &Pointer) -> bool {
    let tokens: Vec<&str> = path.tokens().iter().map(String::as_str).collect();
    !matches!(
        tokens.as_slice(),
        [] | ["apiVersion" | "kind" | "metadata"] | ["status", ..] | ["metadata", "name" | "namespace", ..]
    )
}

/// Where in the target a place is that a report tells in the live object's lists; new items stand after their end.
fn in_target(target: &Object, wanted: &Value, live: &Value, path: &Pointer) -> Option<Pointer> {
    let gvk = target.gvk();
    let (mut wanted, mut live) = (Some(wanted), Some(live));
    let (mut here, mut found) = (Pointer::root(), Pointer::root());
    for token in path.tokens() {
        let step = match (wanted, live) {
            (Some(Value::Array(items)), Some(Value::Array(held))) => {
                let index = token.parse::<usize>().ok()?;
                let pairs = counterparts(&gvk, &here, items, held);
                pairs.map_or(Some(index), |pairs| paired(&pairs, index, held.len()))?.to_string()
            }
            _ => token.clone(),
        };
        wanted = wanted.and_then(|wanted| child(wanted, &step));
        live = live.and_then(|live| child(live, token));
        here = here.child(token.clone());
        found = found.child(step);
    }
    Some(found)
}

/// The item of the target that is a live one, or that new one which the report puts after the live list's end. Where git
/// has no such item, its place is after the end of git's.
fn paired(pairs: &[Option<usize>], index: usize, live: usize) -> Option<usize> {
    match index.checked_sub(live) {
        None => Some(pairs.iter().position(|at| *at == Some(index)).unwrap_or(pairs.len())),
        Some(new) => pairs.iter().enumerate().filter(|(_, at)| at.is_none()).map(|(at, _)| at).nth(new),
    }
}

fn child<'v>(value: &'v Value, token: &str) -> Option<&'v Value> {
    match value {
        Value::Object(map) => map.get(token),
        Value::Array(list) => list.get(token.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Puts into a place what the live object has at a path; what is on the way there and git does not have is made.
fn put(value: &mut Value, place: &[String], live: &Value, path: &[String]) {
    let (Some((token, place)), Some((step, path))) = (place.split_first(), path.split_first()) else {
        *value = live.clone();
        return;
    };
    if value.is_null() {
        *value = if live.is_array() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    }
    let Some(live) = child(live, step) else { return };
    match value {
        Value::Object(map) => {
            let empty = || if live.is_array() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
            put(map.entry(token.clone()).or_insert_with(empty), place, live, path);
        }
        Value::Array(list) => match token.parse::<usize>() {
            Ok(index) if index < list.len() => put(&mut list[index], place, live, path),
            Ok(_) if place.is_empty() => list.push(live.clone()),
            _ => {}
        },
        _ => {}
    }
}

fn take(value: &mut Value, tokens: &[String]) {
    match (value, tokens) {
        (Value::Object(map), [token]) => drop(map.remove(token)),
        (Value::Array(list), [token]) => {
            if let Some(index) = token.parse::<usize>().ok().filter(|index| *index < list.len()) {
                list.remove(index);
            }
        }
        (Value::Object(map), [token, rest @ ..]) => {
            if let Some(value) = map.get_mut(token) {
                take(value, rest);
            }
        }
        (Value::Array(list), [token, rest @ ..]) => {
            if let Some(value) = token.parse::<usize>().ok().and_then(|index| list.get_mut(index)) {
                take(value, rest);
            }
        }
        _ => {}
    }
}

/// Items of a list by their place, not by its digits.
fn in_place_order(one: &Pointer, other: &Pointer) -> Ordering {
    let place = |token: &String| (token.parse::<usize>().ok(), token.clone());
    one.tokens().iter().map(place).cmp(other.tokens().iter().map(place))
}

/// A Secret's `stringData` would win over the `data` that was just put in its place.
fn unsay_string_data<'p>(value: &mut Value, target: &Object, said: impl Iterator<Item = &'p Pointer>) {
    if target.kind() != "Secret" || target.api_version() != "v1" {
        return;
    }
    let Some(Value::Object(texts)) = value.get_mut("stringData") else { return };
    for place in said {
        match place.tokens() {
            [data, name, ..] if data == "data" => drop(texts.remove(name)),
            [data] if data == "data" => texts.clear(),
            _ => {}
        }
    }
}

/// Whatever rules say of labels: without the part-of label the object would no longer be ours.
fn keep_membership(value: &mut Value, target: &Object) {
    if let Some(id) = target.label(APPLYSET_PART_OF) {
        let path = ["metadata", "labels", APPLYSET_PART_OF].map(str::to_owned);
        put(value, &path, &json!({"metadata": {"labels": {APPLYSET_PART_OF: id}}}), &path);
    }
}
