//! Whose a live object is: what the plan may touch at all.
//!
//! In: live objects and how the application marks its own. Out: whether another application calls one its own, which
//! refuses the whole plan, but for what one of the same run gives up. Who else it may belong to, and whether it is provably
//! ours, is [`ownership`](crate::sync::ownership)'s to say.
//!
//! Rules: KEP-3659; Argo CD `FailOnSharedResource`, which is always on here; docs/record.md.

use super::input::{PlanInput, Wanted};
use super::refused::{Other, PlanRefused, Shared};
use crate::object::annotations::APPLYSET_PART_OF;
use crate::status::tracking::{TrackedBy, Tracking, claimed};
pub(super) use crate::sync::ownership::{own_entries, prove_member as prove_ours};

/// Refuses the plan when another application calls an object its own.
pub(super) fn refuse_shared(input: &PlanInput<'_>) -> Result<(), PlanRefused> {
    if input.flags.allow_shared {
        return Ok(());
    }
    let mut shared: Vec<Shared> = input
        .wanted
        .iter()
        .filter_map(|wanted| match claim(wanted, input.tracking)? {
            TrackedBy::Other(other) if input.neighbours.gives_up(&wanted.target.key(), &other) => None,
            TrackedBy::Other(other) => {
                let is_id = wanted.live.as_deref().is_some_and(|live| live.label(APPLYSET_PART_OF) == Some(&*other));
                let other = if is_id { Other::ApplySet(other) } else { Other::Application(other) };
                Some(Shared { object: wanted.target.key(), other })
            }
            TrackedBy::ThisApplication(_) => None,
        })
        .collect();
    shared.sort();
    if shared.is_empty() || input.flags.allow_shared { Ok(()) } else { Err(PlanRefused::Shared(shared)) }
}

fn claim(wanted: &Wanted, tracking: &Tracking) -> Option<TrackedBy> {
    claimed(wanted.live.as_deref()?, &wanted.target, tracking)
}
