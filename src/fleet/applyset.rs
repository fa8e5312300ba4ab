//! Puts the label of its ApplySet on every object that belongs to an application.
//!
//! In: targets. Out: the same, marked. A comparison marks those that the record of the last sync knows: others were never
//! applied, and do not differ for want of a label. A sync marks all that it applies. Hooks are no members: they come and
//! go, and must never be pruned for being gone from git.

use crate::object::Object;
use crate::object::annotations::{APPLYSET_PART_OF, is_hook, is_skipped};
use crate::status::compare::Baseline;

/// Marks the objects that the last sync applied.
pub(crate) fn mark_known(target: &mut [Object], baseline: Option<&Baseline>, applyset_id: &str) {
    let Some(baseline) = baseline else { return };
    for object in target.iter_mut().filter(|object| is_member(object)) {
        if baseline.of(&object.key()).is_some() {
            object.set_label(APPLYSET_PART_OF, applyset_id);
        }
    }
}

/// An object as a sync applies it.
pub(super) fn marked(object: &Object, applyset_id: &str) -> Object {
    let mut object = object.clone();
    if is_member(&object) {
        object.set_label(APPLYSET_PART_OF, applyset_id);
    }
    object
}

/// Whether an object belongs to the ApplySet.
pub(super) fn is_member(object: &Object) -> bool {
    !is_hook(object) && !is_skipped(object)
}
