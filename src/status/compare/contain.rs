//! Looks for every value of the target in the live object, without asking anybody.
//!
//! In: the target and the live object. Out: what is provably different ([`Found::edits`]) and what only the server can tell
//! ([`Found::doubts`]). When both are empty the two are in sync: applying the target would change nothing. Nothing is
//! taken for equal that server-side apply could tell apart; where the table of shapes does not know, the live object's own
//! `managedFields` may (a map whose keys have owners is granular), else it is a doubt.
//!
//! Rules: KEP-555 (granular and atomic values). Kubernetes' own kinds are stored as protocol buffers, which cannot tell an
//! empty list or map from none, nor a zero value from none where the Go field is no pointer.

use serde_json::{Map, Value};

use super::clean::{STATUS, Status, is_uncounted, marked};
use super::difference::{Edit, Pairs, apply};
use super::found::{Found, is_empty, is_none};
use super::last_applied;
use super::managers::{Pair, Whose, is_default, is_granular, released};
use super::path::Path;
use super::shape::{Field, Merge, Shape, UNKNOWN};
use super::terms::Terms;
use crate::object::Object;
use crate::object::quantity::Quantity;

/// Looks for the target in the live object.
pub(super) fn contain(target: &Object, live: &Object, shape: &Shape, terms: &Terms) -> Found {
    let mut walk = ContainWalk { live, status: terms.status_of(target), found: Found::default() };
    let (wanted, held) = (target.folded(), live.folded());
    walk.structure(&wanted, &held, shape, &Path::Root, Whole::No);
    let marked = marked(&wanted, live, terms);
    let pair = Pair { target, wanted: &marked, live, shape, status: walk.status };
    released(Whose::Ours, &pair, &mut walk.found);
    let dropped = dropped_by_others(&pair);
    walk.found.doubts.extend(dropped.doubts);
    walk.found.edits = with_removals(walk.found.edits, dropped.edits);
    walk.found
}

/// Fields that others applied from git before trueup, that are still live, and that git dropped: the server keeps it, whatever trueup
/// applies, until the fields are taken over.
pub(super) fn dropped(target: &Object, live: &Object, shape: &Shape, terms: &Terms) -> Vec<Edit> {
    let marked = marked(&target.folded(), live, terms);
    dropped_by_others(&Pair { target, wanted: &marked, live, shape, status: terms.status_of(target) }).edits
}

fn dropped_by_others(pair: &Pair<'_>) -> Found {
    let mut found = Found::default();
    released(Whose::Predecessors, pair, &mut found);
    found.edits = with_removals(found.edits, last_applied::dropped(pair));
    found
}

/// The edits, and those removals that none of them says already.
pub(super) fn with_removals(mut edits: Vec<Edit>, removals: Vec<Edit>) -> Vec<Edit> {
    for removal in removals {
        let is_said = |edit: &Edit| removal.path.starts_with(&edit.path) || edit.path.starts_with(&removal.path);
        if !edits.iter().any(is_said) {
            edits.push(removal);
        }
    }
    edits
}

/// Whether a value is part of one that is applied as a whole, so that what only the live side has would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

struct ContainWalk<'o> {
    live: &'o Object,
    status: Status,
    found: Found,
}

impl ContainWalk<'_> {
    fn edit(&mut self, path: &Path<'_>, git: Option<&Value>) {
        self.found.edits.push(Edit { path: path.pointer(), git: git.cloned() });
    }

    fn doubt(&mut self, path: &Path<'_>) {
        self.found.doubts.push(path.pointer());
    }

    /// A value that both sides have.
    fn value(&mut self, target: &Value, live: &Value, shape: &Shape, path: &Path<'_>, whole: Whole) {
        match (shape, target, live) {
            (Shape::Quantity, ..) => {
                let amount = Quantity::from_value(target);
                if target != live && (amount.is_none() || amount != Quantity::from_value(live)) {
                    self.edit(path, Some(target));
                }
            }
            (Shape::Struct(_, merge), Value::Object(target), Value::Object(live)) => {
                let whole = if *merge == Merge::Atomic { Whole::Yes } else { whole };
                self.structure(target, live, shape, path, whole);
            }
            (Shape::Map(merge, _), Value::Object(target), Value::Object(live)) => {
                let whole = if *merge == Merge::Atomic { Whole::Yes } else { whole };
                self.map(target, live, shape, path, whole);
            }
            (Shape::Unknown, Value::Object(target), Value::Object(live)) => {
                self.unknown_map(target, live, path, whole);
            }
            (Shape::List(..) | Shape::Unknown, Value::Array(target), Value::Array(live)) => {
                self.list(target, live, shape, path, whole);
            }
            _ if target == live => {}
            _ => self.edit(path, Some(target)),
        }
    }

    /// The fields of a struct; a null is none.
    fn structure(
        &mut self,
        target: &Map<String, Value>,
        live: &Map<String, Value>,
        shape: &Shape,
        path: &Path<'_>,
        whole: Whole,
    ) {
        let status = self.status;
        for (name, wanted) in target.iter().filter(|(name, _)| status.is_compared(path, name)) {
            let here = Path::Key(path, name);
            let held = live.get(name).filter(|held| !held.is_null() && !is_uncounted(&here, held));
            self.field(shape.field(name), wanted, held, &here, whole);
        }
        if whole == Whole::No {
            return;
        }
        for (name, held) in live.iter().filter(|(name, _)| !target.contains_key(*name)) {
            let field = shape.field(name);
            // The claim templates of a StatefulSet are objects, too.
            let is_status = name == STATUS && shape.is_object();
            if !is_status && !is_none(held, field) && field.default.as_ref() != Some(held) {
                // A default, or a change of somebody: git is silent, and the server knows.
                self.doubt(&Path::Key(path, name));
            }
        }
    }

    fn field(&mut self, field: &Field, target: &Value, live: Option<&Value>, path: &Path<'_>, whole: Whole) {
        match (target, live) {
            (Value::Null, None) => {}
            (Value::Null, Some(live)) if is_default(live, field) => {}
            (_, Some(_)) if is_empty(target) && is_allocated(self.live, path) => {}
            (Value::Null, Some(live)) if is_empty(live) => self.doubt(path),
            (_, Some(live)) => self.value(target, live, &field.shape, path, whole),
            (_, None) if is_none(target, field) => {}
            (_, None) => self.edit(path, Some(target)),
        }
    }

    /// A map from text, whose values have one shape.
    fn map(
        &mut self,
        target: &Map<String, Value>,
        live: &Map<String, Value>,
        shape: &Shape,
        path: &Path<'_>,
        whole: Whole,
    ) {
        let status = self.status;
        for (name, wanted) in target.iter().filter(|(name, _)| status.is_compared(path, name)) {
            let here = Path::Key(path, name);
            match live.get(name) {
                Some(held) => self.value(wanted, held, shape.child(name), &here, whole),
                // What a null becomes in a map depends on its type.
                None if wanted.is_null() => self.doubt(&here),
                None => self.edit(&here, Some(wanted)),
            }
        }
        if whole == Whole::Yes {
            for name in live.keys().filter(|name| !target.contains_key(*name)) {
                self.edit(&Path::Key(path, name), None);
            }
        }
    }

    /// A map of a custom resource: other keys may be defaults, or others', or part of an atomic map.
    fn unknown_map(&mut self, target: &Map<String, Value>, live: &Map<String, Value>, path: &Path<'_>, whole: Whole) {
        for (name, wanted) in target {
            let here = Path::Key(path, name);
            match (wanted, live.get(name)) {
                (Value::Null, None) => {}
                (Value::Null, Some(held)) if is_empty(held) && !held.is_null() => self.doubt(&here),
                (_, Some(held)) => self.value(wanted, held, &UNKNOWN, &here, whole),
                (_, None) => self.edit(&here, Some(wanted)),
            }
        }
        if let Some(name) = live.keys().find(|name| !target.contains_key(*name))
            && (whole == Whole::Yes || !is_granular(self.live, &path.pointer()))
        {
            self.doubt(&Path::Key(path, name));
        }
    }

    fn list(&mut self, target: &[Value], live: &[Value], shape: &Shape, path: &Path<'_>, whole: Whole) {
        let Some(pairs) = Pairs::of(shape, target, live) else {
            if target.len() == live.len() {
                for (index, (wanted, held)) in target.iter().zip(live).enumerate() {
                    self.value(wanted, held, shape.item(), &Path::Index(path, index), Whole::Yes);
                }
            } else {
                self.edit(path, Some(&Value::Array(target.to_vec())));
            }
            return;
        };
        if !pairs.same_order {
            let ordered =
                if whole == Whole::Yes { target.to_vec() } else { self.reordered(target, live, shape, &pairs) };
            self.edit(path, Some(&Value::Array(ordered)));
            return;
        }
        self.items(target, live, shape, &pairs, path, whole);
        if whole == Whole::Yes {
            for at in pairs.unpaired(live.len()) {
                self.edit(&Path::Index(path, at), None);
            }
        }
    }

    fn items(&mut self, target: &[Value], live: &[Value], shape: &Shape, pairs: &Pairs, path: &Path<'_>, whole: Whole) {
        let mut end = live.len();
        for (wanted, place) in target.iter().zip(&pairs.other) {
            if let Some(at) = place {
                self.value(wanted, &live[*at], shape.item(), &Path::Index(path, *at), whole);
            } else {
                self.edit(&Path::Index(path, end), Some(wanted));
                end += 1;
            }
        }
    }

    /// The live list with the target's values, and those of its items that the target has in the target's order.
    fn reordered(&self, target: &[Value], live: &[Value], shape: &Shape, pairs: &Pairs) -> Vec<Value> {
        let mut walk = ContainWalk { live: self.live, status: self.status, found: Found::default() };
        walk.items(target, live, shape, pairs, &Path::Root, Whole::No);
        let Value::Array(applied) = apply(Value::Array(live.to_vec()), &walk.found.edits) else {
            return target.to_vec();
        };
        let wanted: Vec<usize> = pairs.other.iter().flatten().copied().collect();
        let mut slots = wanted.clone();
        slots.sort_unstable();
        let mut ordered = applied.clone();
        for (slot, from) in slots.into_iter().zip(wanted) {
            if let (Some(slot), Some(item)) = (ordered.get_mut(slot), applied.get(from)) {
                *slot = item.clone();
            }
        }
        ordered
    }
}

/// Whether the server fills a place in when an object is created, and keeps what it filled in for whoever applies nothing there.
///
/// Rule: Kubernetes pkg/registry/core/service/storage `patchAllocatedValues`.
fn is_allocated(live: &Object, path: &Path<'_>) -> bool {
    let is_service = live.kind() == "Service" && live.api_version() == "v1";
    is_service
        && match path {
            Path::Key(Path::Key(Path::Root, "spec"), name) => {
                ["clusterIP", "clusterIPs", "healthCheckNodePort"].contains(name)
            }
            Path::Key(Path::Index(Path::Key(Path::Key(Path::Root, "spec"), "ports"), _), name) => *name == "nodePort",
            _ => false,
        }
}
