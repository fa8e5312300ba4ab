//! Deletes hooks after a sync, as their policies say.
//!
//! In: the steps as they ended, and how the sync did. Out: nothing; a hook that stays is deleted before the next one of its
//! name is made, or by whoever looks.
//!
//! Rule: Argo CD gitops-engine/pkg/sync `HookSucceeded` and `HookFailed`: by how the whole sync ended.

use futures::StreamExt;
use futures::stream;

use super::{Execution, OperationPhase, StepOutcome, StepResult, tidy};
use crate::object::Object;
use crate::object::annotations::HOOK_FINALIZER;

pub(super) async fn delete(steps: &[StepOutcome], phase: OperationPhase, execution: &Execution<'_>) {
    let succeeded = phase == OperationPhase::Succeeded;
    let is_over = |outcome: &&StepOutcome| {
        let hook = outcome.step.hook.filter(|_| outcome.result != StepResult::NotBegun);
        hook.is_some_and(|hook| if succeeded { hook.succeeded } else { hook.failed })
    };
    stream::iter(steps.iter().filter(is_over).map(|outcome| async move {
        let uid = outcome.live.as_deref().map(Object::uid).filter(|uid| !uid.is_empty()).map(str::to_owned);
        if outcome.live.as_deref().is_some_and(|live| live.finalizers().contains(&HOOK_FINALIZER)) {
            remove_finalizer(outcome, execution).await;
        }
        if let Err(error) = tidy(&outcome.step, uid, execution).await {
            execution.progress.note(format!("{} stays: {error}", outcome.step.subject()));
        }
    }))
    .buffer_unordered(execution.concurrency.max(1))
    .collect::<()>()
    .await;
}

/// A hook of Argo CD's has a finalizer that only the engine takes off.
async fn remove_finalizer(outcome: &StepOutcome, execution: &Execution<'_>) {
    let Some(live) = outcome.live.as_deref() else { return };
    let Some(place) = live.finalizers().iter().position(|finalizer| *finalizer == HOOK_FINALIZER) else { return };
    let place_of_it = format!("/metadata/finalizers/{place}");
    let patch = serde_json::json!([
        {"op": "test", "path": place_of_it, "value": HOOK_FINALIZER},
        {"op": "remove", "path": place_of_it},
    ]);
    // It is tried again by the deletion that follows the next creation.
    let _ = execution.cluster.patch(&outcome.step.object, &patch, crate::cluster::Writing::Really).await;
}
