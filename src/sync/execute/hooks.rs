//! Deletes hooks after a sync, as their policies say.
//!
//! In: the steps as they ended, and how the sync did. Out: nothing; a hook that stays is deleted before the next one of its
//! name is made, or by whoever looks. Only what trueup created as a hook of the application is deleted: a hook that failed
//! because its name was taken leaves the object that has it alone.
//!
//! Rule: Argo CD gitops-engine/pkg/sync `HookSucceeded` and `HookFailed`: by how the whole sync ended.

use futures::StreamExt;
use futures::stream;

use super::{Execution, OperationPhase, StepOutcome, StepResult};
use crate::cluster::{Propagation, Writing};
use crate::object::Object;
use crate::object::annotations::HOOK_FINALIZER;
use crate::sync::ownership::{Claim, Proof, Removal, delete as delete_owned};

pub(super) async fn delete(steps: &[StepOutcome], phase: OperationPhase, execution: &Execution<'_>) {
    let succeeded = phase == OperationPhase::Succeeded;
    let is_over = |outcome: &&StepOutcome| {
        let hook = outcome.step.hook.filter(|_| outcome.result != StepResult::NotBegun);
        hook.is_some_and(|hook| if succeeded { hook.succeeded } else { hook.failed })
    };
    stream::iter(steps.iter().filter(is_over).map(|outcome| delete_hook(outcome, execution)))
        .buffer_unordered(execution.concurrency.max(1))
        .collect::<()>()
        .await;
}

async fn delete_hook(outcome: &StepOutcome, execution: &Execution<'_>) {
    let uid = outcome.live.as_deref().map(Object::uid).filter(|uid| !uid.is_empty());
    let claim = Claim::Hook(&execution.rules, uid);
    remove_finalizer(outcome, &claim, execution).await;
    let why = match delete_owned(execution.cluster, &outcome.step.object, &claim, Propagation::Background).await {
        Ok(Removal::Gone | Removal::Going | Removal::Absent) => return,
        Ok(Removal::Stays(stays)) => stays.to_string(),
        Ok(Removal::Refused(refusal)) => refusal.to_string(),
        Err(error) => error.to_string(),
    };
    execution.progress.note(format!("{} stays: {why}", outcome.step.subject()));
}

/// A hook of Argo CD's has a finalizer that only the engine takes off.
async fn remove_finalizer(outcome: &StepOutcome, claim: &Claim<'_>, execution: &Execution<'_>) {
    let Some(live) = outcome.live.as_deref().filter(|live| Proof::of(live, claim).is_ok()) else { return };
    let Some(place) = live.finalizers().iter().position(|finalizer| *finalizer == HOOK_FINALIZER) else { return };
    let place_of_it = format!("/metadata/finalizers/{place}");
    let patch = serde_json::json!([
        {"op": "test", "path": "/metadata/uid", "value": live.uid()},
        {"op": "test", "path": place_of_it, "value": HOOK_FINALIZER},
        {"op": "remove", "path": place_of_it},
    ]);
    // It is tried again by the deletion that follows the next creation.
    let _ = execution.cluster.patch(&outcome.step.object, &patch, Writing::Really).await;
}
