//! Takes objects out of the cluster, or out of the application: what git no longer has, what stands in the way of a new
//! object, what outlives its application.
//!
//! In: a step. Out: what was done, or why not. Every deletion goes through [`ownership`](crate::sync::ownership): an object
//! that is not provably ours when it is to go, or that says that it stays, is held.

use super::outcome::{BEING_PRUNED, PRUNED};
use super::refusal::{no_answer, refused};
use super::{Execution, Failure, FailureKind, NotDone, StepDone};
use crate::cluster::{Propagation, Writing, Written};
use crate::object::Object;
use crate::object::annotations::APPLYSET_PART_OF;
use crate::sync::ownership::{Claim, Removal, Stays, delete};
use crate::sync::plan::Step;

/// The message for an object that stays, and is no longer the application's.
const RELEASED: &str = "released";
/// How long what is in the way may take to go.
const GOING: std::time::Duration = std::time::Duration::from_secs(120);

pub(super) async fn prune(step: &Step, propagation: Propagation, execution: &Execution<'_>) -> StepDone {
    // A prune without the object that was seen could hit another one of the same name.
    let Some(seen) = &step.seen else {
        return Err(Failure::new(FailureKind::Refused, "the plan does not say which object is meant").into());
    };
    let claim = Claim::Surplus(&execution.rules, seen);
    match delete(execution.cluster, &step.object, &claim, propagation).await.map_err(|error| no_answer(&error))? {
        Removal::Gone => Ok((PRUNED.to_owned(), None)),
        Removal::Going => Ok((BEING_PRUNED.to_owned(), None)),
        Removal::Absent => Ok(("already deleted".to_owned(), None)),
        Removal::Stays(stays) => Err(held(&stays)),
        Removal::Refused(refusal) => Err(refused(&refusal).into()),
    }
}

/// An object that changed since the plan was made, so that it is not deleted.
fn held(stays: &Stays) -> NotDone {
    NotDone::Held {
        why: format!(
            "changed in the cluster after it was planned: \
         {stays}"
        ),
        is_ours: matches!(stays, Stays::Kept(_)),
    }
}

/// Takes our part-of label off an object, if it still has it.
pub(super) async fn release(step: &Step, execution: &Execution<'_>) -> StepDone {
    let Some(live) = execution.cluster.get(&step.object).await.map_err(|error| no_answer(&error))? else {
        return Ok(("already deleted".to_owned(), None));
    };
    let is_the_one = step.seen.as_ref().is_some_and(|seen| seen.uid == live.uid());
    let ours = execution.rules.tracking.applyset_id.as_str();
    let Some(label) = live.label(APPLYSET_PART_OF).filter(|label| is_the_one && *label == ours) else {
        return Ok((RELEASED.to_owned(), Some(live)));
    };
    let place_of_it = format!("/metadata/labels/{}", APPLYSET_PART_OF.replace('/', "~1"));
    let patch = serde_json::json!([
        {"op": "test", "path": "/metadata/uid", "value": live.uid()},
        {"op": "test", "path": place_of_it, "value": label},
        {"op": "remove", "path": place_of_it},
    ]);
    match execution.cluster.patch(&step.object, &patch, Writing::Really).await.map_err(|error| no_answer(&error))? {
        Written::Done(object) => Ok((RELEASED.to_owned(), Some(*object))),
        Written::Refused(refusal) => Err(refused(&refusal).into()),
    }
}

/// Deletes what stands in the way of a step's object, if the claim holds, and waits until it is gone.
pub(super) async fn make_way(step: &Step, claim: &Claim<'_>, execution: &Execution<'_>) -> Result<(), NotDone> {
    let removed = delete(execution.cluster, &step.object, claim, Propagation::Foreground).await;
    match removed.map_err(|error| no_answer(&error))? {
        Removal::Stays(stays) => return Err(held(&stays)),
        Removal::Refused(refusal) => return Err(refused(&refusal).into()),
        Removal::Absent | Removal::Gone => return Ok(()),
        Removal::Going => {}
    }
    let until = std::time::Instant::now() + GOING;
    while let Some(live) = execution.cluster.get(&step.object).await.map_err(|error| no_answer(&error))? {
        if !is_being_deleted(&live) {
            let words = "it was created again while the old one was being deleted";
            return Err(Failure::new(FailureKind::NoAnswer, words).into());
        }
        if std::time::Instant::now() >= until {
            let finalizers = live.finalizers().join(", ");
            let words = format!("the old one is not deleted yet; its finalizers: {finalizers}");
            return Err(Failure::new(FailureKind::NoAnswer, words).into());
        }
        execution.progress.waiting(&step.subject(), "the old one is being deleted");
        // Whoever stops now leaves neither the old one nor the new one.
        if execution.is_lost_within(execution.interval.min(std::time::Duration::from_millis(200))).await {
            let words = "the lock was lost while the old one was being deleted";
            return Err(Failure::new(FailureKind::NoAnswer, words).into());
        }
    }
    Ok(())
}

fn is_being_deleted(live: &Object) -> bool {
    live.metadata().and_then(|metadata| metadata.get("deletionTimestamp")).is_some_and(|since| !since.is_null())
}
