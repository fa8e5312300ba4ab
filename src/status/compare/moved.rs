//! Who moved: git, the cluster, or both, for each field that differs.
//!
//! In: what git says, what is live, and what git said when the two were last the same, where that is known; who holds the
//! field. Out: a side. Without that third value the holder alone decides: what somebody who applies from git holds is as
//! it was applied, so git moved; what anybody else holds was changed in the cluster. After a sync whose target is not known any
//! more a holder proves neither: git may have changed, too, so the side is unknown.
//!
//! Rule: docs/compare.md, "Who changed it".

use serde_json::Value;

use super::difference::{Difference, key_of};
use super::shape::{ListKind, Shape};
use crate::object::quantity::Quantity;
use crate::status::{FieldDrift, GitSinceSync, Manager, Moved};

/// Tools that make an object and say nothing of what is in git.
const CREATORS: [&str; 2] = ["kubectl-create", "kubectl-run"];

/// The same object at three times, masked alike.
pub(super) struct Views<'v> {
    /// The value in the cluster.
    pub(super) live: &'v Value,
    /// The target now, in its own spelling.
    pub(super) target: &'v Value,
    /// The target of that sync.
    pub(super) last: Option<&'v Value>,
    /// The same, if it is by the record of a sync: what a live object says of its past, anybody can have written.
    pub(super) recorded: Option<&'v Value>,
    /// Whether nothing that was applied has been touched since.
    pub(super) untouched: bool,
    /// Whether it was synced, and the target of that sync is not known.
    pub(super) is_lost: bool,
    /// Whether the object says who holds its fields.
    pub(super) has_managers: bool,
}

impl Views<'_> {
    /// A difference as a field of the report.
    pub(super) fn field(&self, difference: Difference, managers: Vec<Manager>, shape: &Shape) -> FieldDrift {
        let then = self.last.and_then(|last| self.counterpart(last, &difference, shape));
        let by_values = self.last.and_then(|_| self.by_values(&difference, then, &managers, shape));
        let moved = match by_values {
            _ if self.untouched => Moved::Git,
            _ if self.is_lost => Moved::Unknown,
            Some(moved) => moved,
            None => by_holder(&difference, &managers, self.has_managers),
        };
        let git_since_sync = match self.recorded {
            Some(_) if then == self.counterpart(self.target, &difference, shape) => GitSinceSync::Unchanged,
            Some(_) => GitSinceSync::Changed,
            None => GitSinceSync::Unknown,
        };
        FieldDrift {
            git_since_sync,
            last_synced: then.cloned(),
            path: difference.edit.path,
            git: difference.edit.git,
            live: difference.live,
            item: difference.item,
            managers,
            moved,
        }
    }

    /// Who is no longer as it was then; nothing where neither moved, and still they differ.
    fn by_values(
        &self,
        difference: &Difference,
        then: Option<&Value>,
        managers: &[Manager],
        shape: &Shape,
    ) -> Option<Moved> {
        let git_moved = then != self.counterpart(self.target, difference, shape);
        let cluster_moved = match (then, &difference.live) {
            (None, None) => false,
            // What nobody holds is a default.
            (None, Some(_)) => !(managers.is_empty() && self.has_managers),
            (Some(then), None) => !is_nothing(then),
            (Some(then), Some(live)) => !agrees(then, live, shape_at(shape, difference.edit.path.tokens())),
        };
        match (git_moved, cluster_moved) {
            (true, true) => Some(Moved::Both),
            (true, false) => Some(Moved::Git),
            (false, true) => Some(Moved::Cluster),
            (false, false) => None,
        }
    }

    /// The value at the same place in another view of the object: items are found by their keys.
    fn counterpart<'o>(&self, other: &'o Value, difference: &Difference, shape: &Shape) -> Option<&'o Value> {
        let tokens = difference.edit.path.tokens();
        let (mut live, mut other, mut shape) = (Some(self.live), other, shape);
        for (at, token) in tokens.iter().enumerate() {
            let held = live.and_then(|live| step(live, token));
            other = match other {
                Value::Object(map) => map.get(token)?,
                Value::Array(list) => {
                    let is_last = at + 1 == tokens.len();
                    let item = held.or(difference.edit.git.as_ref().filter(|_| is_last))?;
                    match shape {
                        Shape::List(ListKind::Set, _) => list.iter().find(|other| *other == item)?,
                        Shape::List(ListKind::Keyed(_), _) => {
                            let key = key_of(item, shape)?;
                            list.iter().find(|other| key_of(other, shape).as_ref() == Some(&key))?
                        }
                        _ => step_in(list, token)?,
                    }
                }
                _ => return None,
            };
            shape = if live.is_some_and(Value::is_array) { shape.item() } else { shape.child(token) };
            live = held;
        }
        Some(other).filter(|other| !other.is_null())
    }
}

/// Without any record, the holder decides.
fn by_holder(difference: &Difference, managers: &[Manager], has_managers: bool) -> Moved {
    if managers.iter().any(Manager::applies_from_git) {
        return Moved::Git;
    }
    if managers.is_empty() {
        // A default that git now says otherwise; a field that is not there has no holder to ask.
        return if difference.live.is_some() && has_managers { Moved::Git } else { Moved::Unknown };
    }
    let made_it = |manager: &Manager| CREATORS.contains(&manager.manager.as_str());
    if managers.iter().all(made_it) { Moved::Unknown } else { Moved::Cluster }
}

/// Whether a live value is one that was written like this, with defaults around it.
fn agrees(written: &Value, live: &Value, shape: &Shape) -> bool {
    match (written, live) {
        (Value::Object(written), Value::Object(live)) => written.iter().all(|(name, written)| {
            live.get(name).map_or_else(|| is_nothing(written), |live| agrees(written, live, shape.child(name)))
        }),
        (Value::Array(written), Value::Array(live)) => {
            written.len() == live.len()
                && written.iter().zip(live).all(|(written, live)| agrees(written, live, shape.item()))
        }
        _ if written == live => true,
        _ => {
            matches!(shape, Shape::Quantity)
                && Quantity::from_value(written).is_some_and(|amount| Some(amount) == Quantity::from_value(live))
        }
    }
}

/// Values that the server may leave out.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(true) => false,
    }
}

fn step<'v>(value: &'v Value, token: &str) -> Option<&'v Value> {
    match value {
        Value::Object(map) => map.get(token),
        Value::Array(list) => step_in(list, token),
        _ => None,
    }
}

fn step_in<'v>(list: &'v [Value], token: &str) -> Option<&'v Value> {
    list.get(token.parse::<usize>().ok()?)
}

fn shape_at<'s>(shape: &'s Shape, tokens: &[String]) -> &'s Shape {
    tokens.iter().fold(shape, |shape, token| match shape {
        Shape::List(..) => shape.item(),
        _ => shape.child(token),
    })
}
