//! Decides, for one resource, which of its differences rules cover, whole or in part.
//!
//! In: the places that rules name, on the live side and on the target's, and the managers they name. Out: each difference kept,
//! ignored, or parted into what is kept and what is ignored. Paths of the target are expressed in the live object's lists: where
//! an item is gone, those behind it stand one earlier.

use std::collections::BTreeMap;

use serde_json::Value;

use super::rules::IgnoreRules;
use crate::app::ignore::AppliesWhen;
use crate::object::Pointer;
use crate::status::{FieldDrift, Ignored, ResourceDrift};

/// The ignored fields of one resource, and by which rule.
pub(super) struct Cover<'rules> {
    rules: &'rules IgnoreRules,
    live: BTreeMap<Pointer, usize>,
    target: BTreeMap<Pointer, usize>,
    managers: Vec<(&'rules str, usize)>,
}

/// The one side of a difference.
#[derive(Clone, Copy)]
struct Part<'a> {
    covered: &'a BTreeMap<Pointer, usize>,
    value: &'a Value,
}

impl<'rules> Cover<'rules> {
    pub(super) fn new(rules: &'rules IgnoreRules) -> Self {
        Self { rules, live: BTreeMap::new(), target: BTreeMap::new(), managers: Vec::new() }
    }

    pub(super) fn live(&mut self, place: Pointer, rule: usize) {
        self.live.entry(place).or_insert(rule);
    }

    pub(super) fn target(&mut self, place: &Pointer, rule: usize, drift: &ResourceDrift) {
        self.target.entry(in_live_lists(place, drift)).or_insert(rule);
    }

    pub(super) fn manager(&mut self, name: &'rules str, rule: usize) {
        self.managers.push((name, rule));
    }

    /// Puts a difference where it belongs.
    pub(super) fn sort(&self, field: FieldDrift, kept: &mut Vec<FieldDrift>, ignored: &mut Vec<Ignored>) {
        if let Some(rule) = self.whole(&field) {
            return ignored.push(self.ignored(field, rule));
        }
        match (&field.git, &field.live) {
            (None, Some(value)) if is_filled(value) && touches(&self.live, &field.path) => {
                for (path, value) in children(&field.path, value) {
                    let part = FieldDrift { path, git: None, live: Some(value.clone()), ..field.clone() };
                    self.sort(part, kept, ignored);
                }
            }
            (Some(value), None) if is_filled(value) => {
                let mut gone = Vec::new();
                if let Some(left) = left(Part { covered: &self.target, value }, &field.path, &mut gone) {
                    kept.push(FieldDrift { git: Some(left), ..field.clone() });
                }
                ignored.extend(gone.into_iter().map(|(path, value, rule)| {
                    self.ignored(FieldDrift { path, git: Some(value), live: None, ..field.clone() }, rule)
                }));
            }
            (Some(git), Some(live)) => {
                let (mut of_git, mut of_live) = (Vec::new(), Vec::new());
                let git = left(Part { covered: &self.target, value: git }, &field.path, &mut of_git);
                let live = left(Part { covered: &self.live, value: live }, &field.path, &mut of_live);
                match of_git.first().or(of_live.first()) {
                    Some((_, _, rule)) if git == live => ignored.push(self.ignored(field, *rule)),
                    _ => kept.push(field),
                }
            }
            _ => kept.push(field),
        }
    }

    fn ignored(&self, field: FieldDrift, rule: usize) -> Ignored {
        let rule = self.rules.rule(rule);
        Ignored { field, rule: rule.name.clone(), is_accepted: rule.when == AppliesWhen::ClusterChanged }
    }

    /// The rule that covers a difference from end to end.
    pub(super) fn whole(&self, field: &FieldDrift) -> Option<usize> {
        let live = field.live.as_ref().map(|_| covering(&self.live, &field.path));
        let git = field.git.as_ref().map(|_| covering(&self.target, &field.path));
        match (live, git) {
            (Some(live), Some(git)) => live.and(git),
            (live, git) => live.or(git).flatten(),
        }
        .or_else(|| self.held_by_named(field))
    }

    /// Argo CD takes a field that a named manager holds from both sides, whoever else holds it; of what has parts, here each
    /// holder must be named.
    fn held_by_named(&self, field: &FieldDrift) -> Option<usize> {
        let live = field.live.as_ref()?;
        let rule = |name: &str| self.managers.iter().find(|(named, _)| *named == name).map(|(_, rule)| *rule);
        let rules = field.managers.iter().map(|manager| rule(&manager.manager));
        if live.is_array() || live.is_object() {
            let rules: Option<Vec<usize>> = rules.collect();
            rules?.first().copied()
        } else {
            rules.flatten().next()
        }
    }
}

/// The rest of a value; nothing when all that it holds is covered.
fn left(part: Part<'_>, path: &Pointer, gone: &mut Vec<(Pointer, Value, usize)>) -> Option<Value> {
    let Part { covered, value } = part;
    if let Some(rule) = covering(covered, path) {
        gone.push((path.clone(), value.clone(), rule));
        return None;
    }
    if !is_filled(value) || !touches(covered, path) {
        return Some(value.clone());
    }
    let left = children(path, value).into_iter().filter_map(|(path, value)| {
        let of_child = left(Part { covered, value }, &path, gone)?;
        Some((path.last().unwrap_or_default().to_owned(), of_child))
    });
    let left: Vec<(String, Value)> = left.collect();
    if left.is_empty() {
        return None;
    }
    Some(match value {
        Value::Array(_) => left.into_iter().map(|(_, value)| value).collect(),
        _ => Value::Object(left.into_iter().collect()),
    })
}

/// The rule that names a place or something that it is part of.
fn covering(covered: &BTreeMap<Pointer, usize>, path: &Pointer) -> Option<usize> {
    if covered.is_empty() {
        return None;
    }
    let mut place = Some(path.clone());
    while let Some(here) = place {
        if let Some(rule) = covered.get(&here) {
            return Some(*rule);
        }
        place = here.parent();
    }
    None
}

/// Whether a rule names something inside of a place.
fn touches(covered: &BTreeMap<Pointer, usize>, path: &Pointer) -> bool {
    covered.keys().any(|place| place.starts_with(path))
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    }
}

fn children<'v>(path: &Pointer, value: &'v Value) -> Vec<(Pointer, &'v Value)> {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (path.child(key), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(index, value)| (path.index(index), value)).collect(),
        _ => Vec::new(),
    }
}

/// A path of the target, expressed in the live object's lists: there, items that a sync would take away still stand.
fn in_live_lists(place: &Pointer, drift: &ResourceDrift) -> Pointer {
    let mut found = Pointer::root();
    let mut value = drift.target.as_ref();
    for token in place.tokens() {
        let index = token.parse::<usize>().ok().filter(|_| value.is_some_and(Value::is_array));
        value = value.and_then(|value| match value {
            Value::Object(map) => map.get(token),
            Value::Array(list) => list.get(index?),
            _ => None,
        });
        found = match index {
            None => found.child(token),
            Some(index) => found.index(behind_removed(&found, index, drift)),
        };
    }
    found
}

fn behind_removed(list: &Pointer, mut index: usize, drift: &ResourceDrift) -> usize {
    let removed = drift.fields.iter().filter(|field| field.git.is_none() && field.path.parent().as_ref() == Some(list));
    let mut places: Vec<usize> = removed.filter_map(|field| field.path.last()?.parse().ok()).collect();
    places.sort_unstable();
    for place in places {
        if place <= index {
            index += 1;
        }
    }
    index
}
