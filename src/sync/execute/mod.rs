//! Runs a plan: the only place that writes to live objects.
//!
//! In: a [`Plan`] and a cluster ([`Execution`]). Out: an [`Operation`]: what came of each step. Stages (a phase and a wave)
//! follow each other; within a stage prunes come first, then objects kind by kind, those of one kind side by side. The
//! next stage begins when everything of this one works. When somebody wants it to stop, the steps in flight are finished.
//!
//! Rules: Argo CD gitops-engine/pkg/sync/sync_context.go (`Sync`, `runTasks`), reference tables "Phases", "Ordering".

mod apply;
mod claim;
mod execution;
mod hooks;
mod outcome;
mod phase;
mod refusal;
mod remove;
mod sightings;
mod wait;
mod why;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use execution::Execution;
use futures::StreamExt;
use futures::stream;
pub use outcome::{Failure, FailureKind, Operation, StepOutcome, StepResult};
use outcome::{NotDone, StageEnd, StepDone};
pub use phase::OperationPhase;
pub(in crate::sync) use refusal::in_words;

use super::plan::{Action, Phase, Plan, Step};
use crate::progress::Stage;

/// Runs a plan to its end, or to where it fails or is stopped.
pub async fn execute(plan: &Plan, execution: &Execution<'_>) -> Operation {
    let mut steps: Vec<StepOutcome> = plan.steps.iter().map(not_begun).collect();
    let stages = stages(&plan.steps);
    let (regular, on_failure): (Vec<_>, Vec<_>) =
        stages.into_iter().partition(|stage| plan.steps[stage.start].phase != Phase::SyncFail);
    execution.progress.expect(Stage::Sync, regular.iter().map(ExactSizeIterator::len).sum());
    let ended = run_stages(&mut steps, &regular, execution).await;
    why::find(&mut steps, execution).await;
    let is_for_them = match &ended {
        Ok(StageEnd::Over) => false,
        Ok(StageEnd::CutShort) => has_begun_hooks(&steps),
        Err(_) => true,
    };
    if is_for_them {
        // A signal has stopped everything else by now.
        let execution = &Execution { stop: execution.lost, ..*execution };
        for stage in on_failure {
            // What was to be done about a failure failed, too: the first one is reported.
            let _ = run_stage(&mut steps[stage.clone()], true, execution).await;
        }
    }
    let (phase, message) = match ended {
        Ok(StageEnd::Over) => (OperationPhase::Succeeded, "successfully synced".to_owned()),
        Ok(StageEnd::CutShort) => (OperationPhase::Terminated, cut_short(&steps, execution)),
        Err(failure) => (OperationPhase::Failed, failure),
    };
    if !execution.lost.is_cancelled() {
        hooks::delete(&steps, phase, execution).await;
    }
    Operation { phase, message, steps }
}

/// Runs stages one after the other. The error is the first failure, in words.
async fn run_stages(
    steps: &mut [StepOutcome],
    stages: &[std::ops::Range<usize>],
    execution: &Execution<'_>,
) -> Result<StageEnd, String> {
    for (number, stage) in stages.iter().enumerate() {
        if number > 0 && execution.is_stopped_within(execution.wave_delay).await {
            return Ok(StageEnd::CutShort);
        }
        let is_last = number + 1 == stages.len();
        let steps = &mut steps[stage.clone()];
        let is_waited_for = !is_last || execution.waits_at_the_end || has_hook(steps);
        if run_stage(steps, is_waited_for, execution).await? == StageEnd::CutShort {
            return Ok(StageEnd::CutShort);
        }
    }
    Ok(StageEnd::Over)
}

fn not_begun(step: &Step) -> StepOutcome {
    StepOutcome { step: step.clone(), result: StepResult::NotBegun, live: None, took: Duration::ZERO }
}

fn is_open(outcome: &StepOutcome) -> bool {
    outcome.result == StepResult::NotBegun && outcome.step.phase != Phase::SyncFail
}

fn has_hook(steps: &[StepOutcome]) -> bool {
    steps.iter().any(|outcome| outcome.step.hook.is_some())
}

fn has_begun_hooks(steps: &[StepOutcome]) -> bool {
    steps.iter().any(|outcome| outcome.step.hook.is_some() && outcome.result != StepResult::NotBegun)
}

fn cut_short(steps: &[StepOutcome], execution: &Execution<'_>) -> String {
    let open = steps.iter().filter(|step| is_open(step)).count();
    let why = if execution.lost.is_cancelled() { "the lock was lost" } else { "stopped by a signal" };
    format!("{why}; {open} of {} steps were not started", steps.len())
}

/// The steps of each phase and wave, in order.
fn stages(steps: &[Step]) -> Vec<std::ops::Range<usize>> {
    let mut stages: Vec<std::ops::Range<usize>> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        match stages.last_mut() {
            Some(stage) if (steps[stage.start].phase, steps[stage.start].wave) == (step.phase, step.wave) => {
                stage.end = index + 1;
            }
            _ => stages.push(index..index + 1),
        }
    }
    stages
}

/// Runs one stage, and waits until all of it works where something follows. The error is the first failure, in words.
async fn run_stage(
    steps: &mut [StepOutcome],
    is_waited_for: bool,
    execution: &Execution<'_>,
) -> Result<StageEnd, String> {
    let is_prune = |outcome: &StepOutcome| matches!(outcome.step.action, Action::Prune { .. });
    let (mut prunes, mut applies): (Vec<_>, Vec<_>) = steps.iter_mut().partition(|outcome| is_prune(outcome));
    run_side_by_side(&mut prunes, execution).await;
    first_failure(prunes.iter().map(|outcome| &**outcome))?;
    for same_kind in applies.chunk_by_mut(|one, other| one.step.object.gvk == other.step.object.gvk) {
        if execution.stop.is_cancelled() {
            return Ok(StageEnd::CutShort);
        }
        apply::hold_what_changed_hands(same_kind, execution).await;
        first_failure(same_kind.iter().map(|outcome| &**outcome))?;
        run_side_by_side(same_kind, execution).await;
        first_failure(same_kind.iter().map(|outcome| &**outcome))?;
        apply::settle_definitions(same_kind, execution).await;
        first_failure(same_kind.iter().map(|outcome| &**outcome))?;
    }
    if steps.iter().any(|outcome| outcome.result == StepResult::NotBegun) {
        return Ok(StageEnd::CutShort);
    }
    if is_waited_for {
        let ending = wait::until_it_works(steps, execution).await;
        first_failure(steps.iter())?;
        return Ok(ending);
    }
    // The garbage collector takes a moment; what takes longer is reported to be on its way.
    wait::for_what_is_going(steps, execution).await;
    Ok(StageEnd::Over)
}

async fn run_side_by_side(steps: &mut [&mut StepOutcome], execution: &Execution<'_>) {
    stream::iter(steps.iter_mut().map(|outcome| run_step(outcome, execution)))
        .buffer_unordered(execution.concurrency.max(1))
        .collect::<()>()
        .await;
}

async fn run_step(outcome: &mut StepOutcome, execution: &Execution<'_>) {
    if execution.stop.is_cancelled() || outcome.result != StepResult::NotBegun {
        return;
    }
    let began = Instant::now();
    let subject = outcome.step.subject();
    execution.progress.begin(Stage::Sync, subject.clone());
    let done = match &outcome.step.action {
        Action::Prune { propagation } => remove::prune(&outcome.step, *propagation, execution).await,
        Action::Release => remove::release(&outcome.step, execution).await,
        Action::Apply { .. } => apply::apply_step(&outcome.step, execution).await,
    };
    outcome.took = began.elapsed();
    outcome.result = match done {
        Ok((words, live)) => {
            outcome.live = live.map(Arc::new);
            StepResult::Done(words)
        }
        Err(NotDone::Failed(failure)) => StepResult::Failed(failure),
        Err(NotDone::Held { why, is_ours }) => StepResult::Held { why, is_ours },
    };
    execution.progress.step(&subject, outcome.result.words());
    execution.progress.done(Stage::Sync, subject);
}

fn first_failure<'a>(steps: impl Iterator<Item = &'a StepOutcome>) -> Result<(), String> {
    for outcome in steps {
        if let StepResult::Failed(failure) = &outcome.result {
            return Err(format!("{}: {}", outcome.step.subject(), failure.words));
        }
    }
    Ok(())
}
