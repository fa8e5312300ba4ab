//! Waits until everything of a stage works: objects are healthy, hooks have succeeded, what was pruned is gone.
//!
//! In: the steps of a stage. Out: the same steps; what fails, or does not come in time, has failed. Objects of one kind in
//! one namespace cost one LIST a look, a few of them a GET each.
//!
//! Rules: Argo CD gitops-engine/pkg/sync/sync_context.go (`getOperationPhase`, `isRunning`), reference "hook result" and
//! "waiting".

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use tokio::time::Instant;

use super::claim::waits_for_its_consumer;
use super::outcome::{BEING_PRUNED, PRUNED};
use super::refusal::no_answer;
use super::sightings::{End, Sightings};
use super::{Execution, Failure, FailureKind, StageEnd, StepOutcome, StepResult};
use crate::cluster::{ClusterError, ListRequest, ObjectName};
use crate::object::{Gvk, Object};
use crate::status::health::HealthStatus;
use crate::sync::plan::{Action, Step};

/// How long what was deleted is waited for where nothing follows.
const GOING: Duration = Duration::from_secs(20);
/// How long between two looks at it.
const PAUSE: Duration = Duration::from_millis(250);
/// Up to so many objects of a kind and namespace are read one by one.
const ONE_BY_ONE: usize = 5;

/// The message for a hook that succeeded.
const SUCCEEDED: &str = "succeeded";

/// Where one step stands.
enum StepProgress {
    /// It works, or there is nothing to wait for.
    Works,
    /// Not yet, and why.
    Waiting(String),
    /// It never will.
    Failed(Failure),
}

pub(super) async fn until_it_works(steps: &mut [StepOutcome], execution: &Execution<'_>) -> StageEnd {
    if !execution.cluster.is_alive() {
        return StageEnd::Over;
    }
    let ends = Instant::now() + execution.wave_timeout;
    let mut sightings = Sightings::of(steps, execution);
    let mut open: Vec<usize> = (0..steps.len()).filter(|index| is_done(&steps[*index])).collect();
    loop {
        let names: Vec<&ObjectName> = open.iter().map(|index| &steps[*index].step.object).collect();
        let mut seen = look(&names, execution).await;
        let mut waiting = Vec::new();
        for index in std::mem::take(&mut open) {
            let outcome = &mut steps[index];
            let standing = match seen.remove(&outcome.step.object) {
                Some(Ok(None)) if outcome.step.hook.is_some() && !outcome.step.is_prune() => {
                    vanished(outcome, &mut sightings, execution).await
                }
                Some(Ok(Some(live))) if is_applied(outcome) && waits_for_its_consumer(&live, execution).await => {
                    StepProgress::Works
                }
                sight => standing(outcome, sight, execution),
            };
            match standing {
                StepProgress::Works => {}
                StepProgress::Waiting(why) => {
                    execution.progress.waiting(&outcome.step.subject(), &why);
                    waiting.push((index, why));
                }
                StepProgress::Failed(failure) => outcome.result = StepResult::Failed(failure),
            }
        }
        let has_failed = steps.iter().any(|outcome| matches!(outcome.result, StepResult::Failed(_)));
        if waiting.is_empty() || has_failed {
            return StageEnd::Over;
        }
        if execution.stop.is_cancelled() {
            return StageEnd::CutShort;
        }
        if Instant::now() >= ends {
            for (index, why) in waiting {
                let failed = if steps[index].step.is_prune() {
                    "still exists after"
                } else {
                    "did not become healthy \
                     within"
                };
                let words = format!("it {failed} {} s: {why}", execution.wave_timeout.as_secs());
                steps[index].result = StepResult::Failed(Failure::new(FailureKind::Unhealthy, words));
            }
            return StageEnd::Over;
        }
        open = waiting.into_iter().map(|(index, _)| index).collect();
        if sightings.pause(execution).await {
            return StageEnd::CutShort;
        }
    }
}

/// Waits a little for what was deleted to be gone, and fails nothing.
pub(super) async fn for_what_is_going(steps: &mut [StepOutcome], execution: &Execution<'_>) {
    let ends = Instant::now() + execution.wave_timeout.min(GOING);
    loop {
        let is_going = |outcome: &&mut StepOutcome| outcome.step.is_prune() && outcome.result.words() == BEING_PRUNED;
        let mut going: Vec<&mut StepOutcome> = steps.iter_mut().filter(is_going).collect();
        let names: Vec<&ObjectName> = going.iter().map(|outcome| &outcome.step.object).collect();
        let seen = look(&names, execution).await;
        let is_gone = |outcome: &StepOutcome| match seen.get(&outcome.step.object) {
            Some(Ok(None)) => true,
            Some(Ok(Some(live))) => is_another(&outcome.step, live),
            Some(Err(_)) | None => false,
        };
        going.iter_mut().filter(|outcome| is_gone(outcome)).for_each(|outcome| {
            outcome.result = StepResult::Done(PRUNED.to_owned());
        });
        let is_over = going.iter().all(|outcome| outcome.result.words() == PRUNED);
        if is_over || Instant::now() >= ends || execution.is_stopped_within(PAUSE).await {
            return;
        }
    }
}

fn is_applied(outcome: &StepOutcome) -> bool {
    matches!(outcome.step.action, Action::Apply { .. })
}

fn is_done(outcome: &StepOutcome) -> bool {
    matches!(outcome.result, StepResult::Done(_))
}

pub(super) type Sight = Result<Option<Arc<Object>>, ClusterError>;

/// Every object as it is now; what is not among the answers was not asked for.
pub(super) async fn look(names: &[&ObjectName], execution: &Execution<'_>) -> HashMap<ObjectName, Sight> {
    let mut places: BTreeMap<(&Gvk, Option<&String>), Vec<&ObjectName>> = BTreeMap::new();
    for name in names {
        places.entry((&name.gvk, name.namespace.as_ref())).or_default().push(name);
    }
    let looks = places.into_iter().map(|((gvk, namespace), names)| async move {
        if names.len() <= ONE_BY_ONE {
            return one_by_one(&names, execution).await;
        }
        let request = ListRequest { gvk: gvk.clone(), namespace: namespace.cloned(), metadata_only: false };
        match execution.cluster.list(&request).await {
            Ok(objects) => {
                let mut by_name: HashMap<String, Arc<Object>> =
                    objects.into_iter().map(|object| (object.name().to_owned(), Arc::new(object))).collect();
                names.iter().map(|name| ((*name).clone(), Ok(by_name.remove(&name.name)))).collect()
            }
            // An account that cannot list may be allowed to get.
            Err(ClusterError::Forbidden { .. }) => one_by_one(&names, execution).await,
            Err(error) => names.iter().map(|name| ((*name).clone(), Err(error.clone()))).collect(),
        }
    });
    let looks: Vec<Vec<(ObjectName, Sight)>> =
        stream::iter(looks).buffer_unordered(execution.concurrency.max(1)).collect().await;
    looks.into_iter().flatten().collect()
}

async fn one_by_one(names: &[&ObjectName], execution: &Execution<'_>) -> Vec<(ObjectName, Sight)> {
    let looks = names.iter().map(|name| async move {
        let sight = execution.cluster.get(name).await.map(|object| object.map(Arc::new));
        ((*name).clone(), sight)
    });
    stream::iter(looks).buffer_unordered(ONE_BY_ONE).collect().await
}

fn standing(outcome: &mut StepOutcome, sight: Option<Sight>, execution: &Execution<'_>) -> StepProgress {
    let live = match sight {
        None => return StepProgress::Works,
        // The server may come back: the time limit ends this.
        Some(Err(error)) => {
            let failure = no_answer(&error);
            return if failure.may_pass() {
                StepProgress::Waiting(failure.words)
            } else {
                StepProgress::Failed(failure)
            };
        }
        Some(Ok(live)) => live,
    };
    match (&outcome.step.action, live) {
        (Action::Prune { .. }, None) => {
            outcome.result = StepResult::Done(PRUNED.to_owned());
            StepProgress::Works
        }
        (Action::Prune { .. }, Some(live)) => being_pruned(outcome, &live),
        (Action::Release, _) => StepProgress::Works,
        (Action::Apply { .. }, None) => missing(&outcome.step),
        (Action::Apply { .. }, Some(live)) => progress_of(outcome, &live, execution),
    }
}

/// A hook that is gone. One that removes itself succeeded if it was seen to.
async fn vanished(outcome: &mut StepOutcome, sightings: &mut Sightings<'_>, execution: &Execution<'_>) -> StepProgress {
    match sightings.end_of(outcome, execution).await {
        End::Succeeded => {
            outcome.result = StepResult::Done(SUCCEEDED.to_owned());
            StepProgress::Works
        }
        End::Seen(last) => progress_of(outcome, &last, execution),
        End::Open => StepProgress::Waiting("it was deleted; its result is being looked up".to_owned()),
        End::Unknown => missing(&outcome.step),
    }
}

fn missing(step: &Step) -> StepProgress {
    let words = format!("{}/{} is missing, it might have been deleted", step.object.gvk.kind, step.object.name);
    StepProgress::Failed(Failure::new(FailureKind::Unhealthy, words))
}

/// Whether a live object has the name of the one that was seen and is another one: a controller has made it again.
fn is_another(step: &Step, live: &Object) -> bool {
    step.seen.as_ref().is_some_and(|seen| seen.uid != live.uid())
}

fn being_pruned(outcome: &mut StepOutcome, live: &Object) -> StepProgress {
    if is_another(&outcome.step, live) {
        outcome.result = StepResult::Done(PRUNED.to_owned());
        return StepProgress::Works;
    }
    match live.finalizers().join(", ") {
        none if none.is_empty() => StepProgress::Waiting("it is being deleted".to_owned()),
        finalizers => StepProgress::Waiting(format!("it is being deleted; its finalizers: {finalizers}")),
    }
}

fn progress_of(outcome: &mut StepOutcome, live: &Object, execution: &Execution<'_>) -> StepProgress {
    let is_hook = outcome.step.hook.is_some();
    let health = execution.judge.health(live);
    let Some(health) = health else { return StepProgress::Works };
    let words = || match health.message.as_str() {
        "" => health.status.to_string(),
        message => format!("{}: {message}", health.status),
    };
    match health.status {
        HealthStatus::Healthy if is_hook => {
            outcome.result = StepResult::Done(SUCCEEDED.to_owned());
            StepProgress::Works
        }
        HealthStatus::Healthy => StepProgress::Works,
        HealthStatus::Degraded => StepProgress::Failed(Failure::new(FailureKind::Unhealthy, words())),
        HealthStatus::Unknown if is_hook => StepProgress::Failed(Failure::new(FailureKind::Unhealthy, words())),
        HealthStatus::Suspended | HealthStatus::Progressing | HealthStatus::Missing | HealthStatus::Unknown => {
            StepProgress::Waiting(words())
        }
    }
}
