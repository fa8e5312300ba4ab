//! Takes objects out of the cluster, or out of the application: what git no longer has, what stands in the way of a new
//! object, what outlives its application.
//!
//! In: a step. Out: what was done, or why not. A prune deletes the very object that was seen, by its uid.

use super::bring::{no_answer, refused};
use super::{Execution, Failure, FailureKind};
use crate::cluster::{Deleted, Deletion, Propagation, Writing, Written};
use crate::object::Object;
use crate::object::annotations::APPLYSET_PART_OF;
use crate::sync::plan::Step;

/// What is said of an object that was deleted.
pub(super) const PRUNED: &str = "pruned";
/// What is said of an object whose finalizers are not done.
pub(super) const BEING_PRUNED: &str = "being pruned";
/// What is said of an object that stays, and is nobody's now.
const RELEASED: &str = "released";
/// How long what is in the way may take to go.
const GOING: std::time::Duration = std::time::Duration::from_secs(120);

pub(super) async fn prune(
    step: &Step,
    propagation: Propagation,
    execution: &Execution<'_>,
) -> Result<(String, Option<Object>), Failure> {
    // A prune without the object that was seen could hit another one of the same name.
    let Some(seen) = &step.seen else {
        return Err(Failure::new(FailureKind::Refused, "the plan does not say which object is meant"));
    };
    let deletion = Deletion { propagation, uid: Some(seen.uid.clone()), resource_version: None };
    match execution.cluster.delete(&step.object, &deletion, Writing::Really).await.map_err(|error| no_answer(&error))? {
        Deleted::Gone => Ok((PRUNED.to_owned(), None)),
        Deleted::Going => Ok((BEING_PRUNED.to_owned(), None)),
        Deleted::Absent => Ok(("gone already".to_owned(), None)),
        Deleted::Refused(refusal) => Err(refused(&refusal)),
    }
}

/// Takes our part-of label off an object, if it still has it.
pub(super) async fn release(step: &Step, execution: &Execution<'_>) -> Result<(String, Option<Object>), Failure> {
    let Some(live) = execution.cluster.get(&step.object).await.map_err(|error| no_answer(&error))? else {
        return Ok(("gone already".to_owned(), None));
    };
    let is_the_one = step.seen.as_ref().is_some_and(|seen| seen.uid == live.uid());
    let Some(label) = live.label(APPLYSET_PART_OF).filter(|_| is_the_one) else {
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
        Written::Refused(refusal) => Err(refused(&refusal)),
    }
}

/// Deletes the live object of a step's name, and waits until it is gone.
pub(super) async fn make_way(step: &Step, uid: Option<String>, execution: &Execution<'_>) -> Result<(), Failure> {
    let meant = uid.clone();
    let deletion = Deletion { propagation: Propagation::Foreground, uid, resource_version: None };
    match execution.cluster.delete(&step.object, &deletion, Writing::Really).await.map_err(|error| no_answer(&error))? {
        Deleted::Refused(refusal) => return Err(refused(&refusal)),
        Deleted::Absent | Deleted::Gone => return Ok(()),
        Deleted::Going => {}
    }
    let until = std::time::Instant::now() + GOING;
    while let Some(live) = execution.cluster.get(&step.object).await.map_err(|error| no_answer(&error))? {
        // Its controller has made another one of the name: the old one is gone.
        if meant.as_ref().is_some_and(|meant| meant != live.uid()) {
            return Ok(());
        }
        if std::time::Instant::now() >= until {
            let finalizers = live.finalizers().join(", ");
            return Err(Failure::new(
                FailureKind::NoAnswer,
                format!("the old one does not go; its finalizers: {finalizers}"),
            ));
        }
        execution.progress.waiting(&step.subject(), "the old one is being deleted");
        // Whoever stops now leaves neither the old one nor the new one.
        if execution.is_lost_within(execution.interval.min(std::time::Duration::from_millis(200))).await {
            return Err(Failure::new(FailureKind::NoAnswer, "the lock was lost while the old one was being deleted"));
        }
    }
    Ok(())
}
