//! Whose a live object is: what the plan may touch at all.
//!
//! In: live objects and how the application marks its own. Out: whether another application calls one its own, which
//! refuses the whole plan (but for what one of the same run gives up); whether Argo CD still does, which holds an object until `--adopt`; and whether an object is
//! provably ours, without which nothing is ever deleted.
//!
//! Rules: KEP-3659; Argo CD `FailOnSharedResource`, which is always on here; docs/design.md, "State lives in the cluster".

use serde_json::Value;

use super::refused::{PlanRefused, Shared};
use super::wishes::{Wanted, Wishes};
use crate::object::Object;
use crate::object::annotations::{APPLYSET_PART_OF, FIELD_MANAGER};
use crate::status::tracking::{Mark, TrackedBy, Tracking, claimed, is_labelled_by_trueup};

/// Refuses the plan when another application calls an object its own.
pub(super) fn refuse_shared(wishes: &Wishes<'_>) -> Result<(), PlanRefused> {
    if wishes.flags.allow_shared {
        return Ok(());
    }
    let mut shared: Vec<Shared> = wishes
        .wanted
        .iter()
        .filter_map(|wanted| match claim(wanted, wishes.tracking)? {
            TrackedBy::Other(other) if wishes.neighbours.gives_up(&wanted.target.key(), &other) => None,
            TrackedBy::Other(other) => Some(Shared { object: wanted.target.key(), other }),
            TrackedBy::ThisApplication(_) => None,
        })
        .collect();
    shared.sort();
    if shared.is_empty() || wishes.flags.allow_shared { Ok(()) } else { Err(PlanRefused::Shared(shared)) }
}

/// Whether Argo CD calls an object this application's, and trueup does not yet.
pub(super) fn is_argo_cds(wanted: &Wanted, tracking: &Tracking) -> bool {
    matches!(claim(wanted, tracking), Some(TrackedBy::ThisApplication(Mark::Annotation | Mark::Label)))
}

fn claim(wanted: &Wanted, tracking: &Tracking) -> Option<TrackedBy> {
    claimed(wanted.live.as_deref()?, &wanted.target, tracking)
}

/// Why a live object is not provably ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotOurs {
    /// It does not carry our part-of label.
    NoLabel,
    /// It does, and trueup did not put it there: copied by hand or by a controller.
    LabelOfOthers,
    /// Another object owns it; operators copy labels to their children.
    Owned,
}

impl NotOurs {
    /// In words.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NoLabel => "trueup never applied it",
            Self::LabelOfOthers => "its part-of label was not put there by trueup",
            Self::Owned => "another object owns it",
        }
    }
}

/// Proves that a live object is ours: our label, put there by us, on an object that nobody owns.
pub(super) fn prove_ours(live: &Object, applyset_id: &str) -> Result<(), NotOurs> {
    if live.label(APPLYSET_PART_OF) != Some(applyset_id) || applyset_id.is_empty() {
        return Err(NotOurs::NoLabel);
    }
    if !is_labelled_by_trueup(live) {
        return Err(NotOurs::LabelOfOthers);
    }
    // Whatever stands there and is not an empty list counts as an owner.
    let owners = live.metadata().and_then(|metadata| metadata.get("ownerReferences"));
    match owners {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(owners)) if owners.is_empty() => Ok(()),
        Some(_) => Err(NotOurs::Owned),
    }
}

/// trueup's entries of `managedFields`, those of subresources left out.
pub(super) fn own_entries(live: &Object) -> impl Iterator<Item = &Value> {
    let entries = live.metadata().and_then(|metadata| metadata.get("managedFields")).and_then(Value::as_array);
    entries.into_iter().flatten().filter(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        text("manager") == FIELD_MANAGER && text("subresource").is_empty()
    })
}
