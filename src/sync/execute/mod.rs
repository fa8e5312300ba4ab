//! Runs a plan: the only place that writes to live objects.
//!
//! In: a [`Plan`] and a cluster ([`Execution`]). Out: an [`Operation`]: what came of each step. Stages (a phase and a wave)
//! follow each other; within a stage prunes come first, then objects kind by kind, those of one kind side by side. The
//! next stage begins when everything of this one works. When somebody wants it to stop, the steps in flight are finished.
//!
//! Rules: Argo CD gitops-engine/pkg/sync/sync_context.go (`Sync`, `runTasks`), reference tables "Phases", "Ordering".

mod apply;
mod claim;
mod hooks;
mod remove;
mod sightings;
mod wait;
mod why;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub(in crate::sync) use apply::in_words;
use futures::StreamExt;
use futures::stream;

use super::ownership::Rules;
use super::plan::{Action, Phase, Plan, Step};
use crate::cluster::Cluster;
use crate::object::Object;
use crate::process::Cancel;
use crate::progress::{Progress, Stage};
use crate::status::health::Judge;

/// How a plan is run.
pub struct Execution<'a> {
    /// Where.
    pub cluster: &'a dyn Cluster,
    /// Whose objects may be deleted and taken over.
    pub rules: Rules<'a>,
    /// Judges whether what was applied works.
    pub judge: &'a Judge,
    /// How many steps are done side by side.
    pub concurrency: usize,
    /// How long to wait between two waves.
    pub wave_delay: Duration,
    /// How long to wait for one wave to work.
    pub wave_timeout: Duration,
    /// Whether the last wave is waited for, too: what follows the plan needs it done.
    pub waits_at_the_end: bool,
    /// How long between two looks at what is waited for.
    pub interval: Duration,
    /// Where events go.
    pub progress: &'a Progress,
    /// Whether somebody wants it to stop: a signal, or a lost lock.
    pub stop: &'a Cancel,
    /// Whether the lock was lost: another run goes on, and nothing more may be written.
    pub lost: &'a Cancel,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    /// Done: `created`, `applied`, `replaced`, `recreated`, `pruned`, `succeeded` …
    Done(String),
    /// Not done, and why.
    Failed(Failure),
    /// Not done, because the object is no longer what it was when the plan was made: it is left as it is.
    Held {
        /// Why.
        why: String,
        /// Whether it is still the application's own.
        is_ours: bool,
    },
    /// Not begun: something before it failed, or the run was ended.
    NotBegun,
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind of reason.
    pub kind: FailureKind,
    /// In words.
    pub words: String,
    /// Why, further down: pods, events, the end of a failed Job's log.
    pub log: Vec<String>,
}

/// The kind of reason of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The server did not answer, or somebody was in the way.
    NoAnswer,
    /// It was applied, and is not healthy.
    Unhealthy,
    /// The server refuses it: it will do so again.
    Refused,
    /// The account is not allowed to.
    NotPermitted,
}

/// The result of a step in words, and the object as the server has it now.
type StepDone = Result<(String, Option<Object>), NotDone>;

/// Why a step was not done.
enum NotDone {
    Failed(Failure),
    /// The object is no longer what it was when the plan was made.
    Held {
        why: String,
        is_ours: bool,
    },
}

impl From<Failure> for NotDone {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Failure {
    pub(super) fn new(kind: FailureKind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into(), log: Vec::new() }
    }

    /// Whether it may end otherwise when it is tried again; a refusal never does.
    pub fn may_pass(&self) -> bool {
        matches!(self.kind, FailureKind::NoAnswer | FailureKind::Unhealthy)
    }
}

/// A step and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOutcome {
    /// The step.
    pub step: Step,
    /// How it ended.
    pub result: StepResult,
    /// The object as the server has it after the step; nothing for a prune, or where nothing was sent.
    pub live: Option<Arc<Object>>,
    /// How long it took, without its wait for health.
    pub took: Duration,
}

/// How a sync ended, in Argo CD's words where it has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationPhase {
    /// All steps are done.
    Succeeded,
    /// A step failed.
    Failed,
    /// It never began: refused, locked, or not to be known.
    Error,
    /// A signal, or the loss of the lock, ended it after the steps in flight.
    Terminated,
}

impl OperationPhase {
    /// As Argo CD writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Terminated => "Terminated",
        }
    }
}

/// The result for one application.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// How it ended.
    pub phase: OperationPhase,
    /// In words.
    pub message: String,
    /// Every step of the plan, in order.
    pub steps: Vec<StepOutcome>,
}

impl Operation {
    /// The failures of its steps.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.steps.iter().filter_map(|step| match &step.result {
            StepResult::Failed(failure) => Some(failure),
            _ => None,
        })
    }

    /// Whether what failed may pass when it is tried again.
    pub fn may_pass(&self) -> bool {
        self.phase == OperationPhase::Failed && self.failures().all(Failure::may_pass)
    }
}

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

/// How stages ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StageEnd {
    /// All of it is done, and works where that is waited for.
    Over,
    /// Somebody wanted it to stop before.
    CutShort,
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

impl Execution<'_> {
    /// Waits so long; whether somebody wants it to stop meanwhile.
    async fn is_stopped_within(&self, time: Duration) -> bool {
        tokio::time::timeout(time, self.stop.cancelled()).await.is_ok() || self.stop.is_cancelled()
    }

    /// Waits so long, also where somebody wants it to stop: a step in flight is finished. Whether the lock was lost
    /// meanwhile.
    async fn is_lost_within(&self, time: Duration) -> bool {
        tokio::time::timeout(time, self.lost.cancelled()).await.is_ok() || self.lost.is_cancelled()
    }
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

impl StepResult {
    /// How it ended, in words.
    pub fn words(&self) -> &str {
        match self {
            Self::Done(words) => words,
            Self::Failed(failure) => &failure.words,
            Self::Held { why, .. } => why,
            Self::NotBegun => "not begun",
        }
    }
}

fn first_failure<'a>(steps: impl Iterator<Item = &'a StepOutcome>) -> Result<(), String> {
    for outcome in steps {
        if let StepResult::Failed(failure) = &outcome.result {
            return Err(format!("{}: {}", outcome.step.subject(), failure.words));
        }
    }
    Ok(())
}
