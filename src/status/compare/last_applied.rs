//! What git no longer has, and somebody who applies from git put there: the annotation that client-side `kubectl apply`
//! and Argo CD leave on an object says what was applied last.
//!
//! In: the target and the live object. Out: edits that take away what was applied last, is still there and git has
//! dropped. What another manager holds stays, and so does what is at its default: applying would not change either.
//!
//! Rules: KEP-555 (what an applier no longer sends goes, unless others own it); kubectl `apply` for the annotation.

use serde_json::{Map, Value};

use super::clean::Status;
use super::difference::{Edit, Pairs};
use super::managers::{Pair, is_default, is_held_by_others};
use super::path::Path;
use super::shape::{Field, Merge, Shape};
use crate::object::Object;
use crate::object::annotations::LAST_APPLIED;

/// The last applied object, from the annotation; none where the annotation is broken or about another object.
pub(super) fn last_applied(live: &Object) -> Option<Object> {
    let value: Value = serde_json::from_str(live.annotation(LAST_APPLIED)?).ok()?;
    let last = Object::new(value).ok()?;
    // Controllers copy annotations onto what they make; in another version, fields may have other names.
    let is_same = last.api_version() == live.api_version()
        && last.kind() == live.kind()
        && last.name() == live.name()
        && [live.namespace(), ""].contains(&last.namespace());
    is_same.then_some(last)
}

/// Fields that were applied last, still exist, and are removed from git.
pub(super) fn dropped(pair: &Pair<'_>) -> Vec<Edit> {
    let Pair { target, wanted, live, shape, status } = *pair;
    let Some(last) = last_applied(live).filter(|last| last.api_version() == target.api_version()) else {
        return Vec::new();
    };
    let (last, held) = (last.folded(), live.folded());
    let mut walk = LastAppliedWalk { live, status, edits: Vec::new() };
    walk.fields(&last, Some(wanted), &held, shape, &Path::Root);
    walk.edits
}

struct LastAppliedWalk<'o> {
    live: &'o Object,
    status: Status,
    edits: Vec<Edit>,
}

/// One value, three times.
#[derive(Clone, Copy)]
struct ThreeValues<'v> {
    last: &'v Value,
    target: Option<&'v Value>,
    live: &'v Value,
}

impl LastAppliedWalk<'_> {
    fn fields(
        &mut self,
        last: &Map<String, Value>,
        target: Option<&Map<String, Value>>,
        live: &Map<String, Value>,
        shape: &Shape,
        path: &Path<'_>,
    ) {
        let status = self.status;
        for (name, last) in last.iter().filter(|(name, last)| !last.is_null() && status.is_compared(path, name)) {
            let Some(live) = live.get(name).filter(|live| !live.is_null()) else { continue };
            let target = target.and_then(|target| target.get(name)).filter(|target| !target.is_null());
            let field = matches!(shape, Shape::Struct(..)).then(|| shape.field(name));
            self.value(ThreeValues { last, target, live }, shape.child(name), field, &Path::Key(path, name));
        }
    }

    fn value(&mut self, sides: ThreeValues<'_>, shape: &Shape, field: Option<&Field>, path: &Path<'_>) {
        let ThreeValues { last, target, live } = sides;
        if target.is_none() && self.is_ours(last, live, shape, path) {
            if !field.is_some_and(|field| is_default(live, field)) && !is_empty_container(live) {
                self.edits.push(Edit { path: path.pointer(), git: None });
            }
            return;
        }
        if matches!(shape, Shape::Struct(_, Merge::Atomic) | Shape::Map(Merge::Atomic, _)) {
            // What is applied as a whole is compared as a whole.
            return;
        }
        match (last, live) {
            (Value::Object(last), Value::Object(live)) if target.is_none_or(Value::is_object) => {
                self.fields(last, target.and_then(Value::as_object), live, shape, path);
            }
            (Value::Array(last), Value::Array(live)) if target.is_none_or(Value::is_array) => {
                self.items(last, target.and_then(Value::as_array), live, shape, path);
            }
            _ => {}
        }
    }

    /// Whether all of a live value goes with what was applied there: nobody else holds a part of it, and nothing else is
    /// in it but defaults.
    fn is_ours(&self, last: &Value, live: &Value, shape: &Shape, path: &Path<'_>) -> bool {
        let is_covered = match (last, live) {
            (Value::Object(last), Value::Object(live)) if matches!(shape, Shape::Map(..)) => {
                live.keys().all(|name| last.contains_key(name))
            }
            (Value::Array(last), Value::Array(live)) => {
                Pairs::of(shape, live, last).is_none_or(|pairs| pairs.other.iter().all(Option::is_some))
            }
            _ => !is_empty_container(last),
        };
        is_covered && !is_held_by_others(self.live, &path.pointer())
    }

    fn items(&mut self, last: &[Value], target: Option<&Vec<Value>>, live: &[Value], shape: &Shape, path: &Path<'_>) {
        let target = target.map_or(&[][..], Vec::as_slice);
        let (Some(in_live), Some(in_target)) = (Pairs::of(shape, last, live), Pairs::of(shape, last, target)) else {
            return;
        };
        for ((last, at), wanted) in last.iter().zip(&in_live.other).zip(&in_target.other) {
            let Some(at) = *at else { continue };
            let sides = ThreeValues { last, target: wanted.and_then(|wanted| target.get(wanted)), live: &live[at] };
            self.value(sides, shape.item(), None, &Path::Index(path, at));
        }
    }
}

/// The server keeps no empty maps and lists of most fields; whose they were cannot be reported.
fn is_empty_container(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}
