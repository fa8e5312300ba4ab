//! A plan before it is put in order.

use std::collections::BTreeSet;

use super::step::{Held, Step, name_of};
use crate::cluster::ObjectName;
use crate::object::Object;
use crate::sync::ownership::Owner;

/// A plan before it is put in order.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) applies: Vec<Step>,
    pub(super) prunes: Vec<Step>,
    /// The prunes that come after everything else (`PruneLast`).
    pub(super) last: Vec<ObjectName>,
    pub(super) held: Vec<Held>,
    pub(super) warnings: BTreeSet<String>,
}

impl Draft {
    pub(super) fn hold(&mut self, object: &Object, why: impl Into<String>, is_drift: bool) {
        self.held.push(Held { object: name_of(object), why: why.into(), is_drift, owner: None });
    }

    /// Holds an object that somebody else applied or created.
    pub(super) fn hold_for(&mut self, object: &Object, owner: Owner, is_drift: bool) {
        self.held.push(Held { object: name_of(object), why: adopt_it(&owner), is_drift, owner: Some(owner) });
    }
}

/// The message for an object with another owner.
pub(in crate::sync) fn adopt_it(owner: &Owner) -> String {
    let flag =
        if matches!(owner, Owner::Application(_)) { "`--allow-shared` syncs it" } else { "`--adopt` takes it over" };
    format!("{owner}; {flag}")
}
