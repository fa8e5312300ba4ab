//! Runs a plan: the only place that writes to live objects.
//!
//! In: a [`Plan`] and a cluster ([`Execution`]). Out: an [`Operation`]: what came of each step. Stages (a phase and a wave)
//! follow each other; within a stage prunes come first, then objects kind by kind, those of one kind side by side. The
//! next stage begins when everything of this one works. When somebody wants it to stop, the steps in flight are finished.
//!
//! Rules: Argo CD gitops-engine/pkg/sync/sync_context.go (`Sync`, `runTasks`), reference tables "Phases", "Ordering".

mod bring;
mod hooks;
mod remove;
mod wait;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub(in crate::sync) use bring::in_words;
use futures::StreamExt;
use futures::stream;

use super::plan::{Action, Phase, Plan, Step};
use crate::cluster::{Cluster, Deleted, Deletion, Writing};
use crate::object::Object;
use crate::process::Cancel;
use crate::progress::{Progress, Stage};
use crate::status::health::Judge;

/// How a plan is run.
pub struct Execution<'a> {
    /// Where.
    pub cluster: &'a dyn Cluster,
    /// Judges whether what was brought works.
    pub judge: &'a Judge,
    /// How many steps are done side by side.
    pub concurrency: usize,
    /// How long to wait between two waves.
    pub wave_delay: Duration,
    /// How long to wait for one wave to work.
    pub wave_timeout: Duration,
    /// How long between two looks at what is waited for.
    pub interval: Duration,
    /// Where events go.
    pub progress: &'a Progress,
    /// Whether somebody wants it to stop.
    pub stop: &'a Cancel,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    /// Done: `created`, `applied`, `replaced`, `recreated`, `pruned`, `succeeded` …
    Done(String),
    /// Not done, and why.
    Failed(Failure),
    /// Not begun: something before it failed, or the run was ended.
    NotBegun,
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of reason.
    pub kind: FailureKind,
    /// In words.
    pub words: String,
    /// What the thing itself said last: the end of a failed Job's log.
    pub log: Vec<String>,
}

/// What kind of reason a failure has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The server did not answer, or somebody was in the way.
    NoAnswer,
    /// It was brought, and does not work.
    Unhealthy,
    /// The server refuses it: it will do so again.
    Refused,
    /// The account may not.
    NotPermitted,
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
    /// A signal ended it after the steps in flight.
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

/// What was done about one application.
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
    let mut failed = None;
    for (number, stage) in regular.iter().enumerate() {
        let is_last = number + 1 == regular.len();
        if number > 0 && execution.is_stopped_within(execution.wave_delay).await {
            break;
        }
        failed = run_stage(&mut steps[stage.clone()], !is_last || has_hook(&plan.steps[stage.clone()]), execution)
            .await
            .err();
        if failed.is_some() || execution.stop.is_cancelled() {
            break;
        }
    }
    let is_stopped = failed.is_none() && execution.stop.is_cancelled() && steps.iter().any(|step| is_open(step));
    if failed.is_some() || (is_stopped && has_begun_hooks(&steps)) {
        for stage in on_failure {
            // What was to be done about a failure failed, too: the first one is told.
            let _ = run_stage(&mut steps[stage.clone()], true, execution).await;
        }
    }
    let phase = match (&failed, is_stopped) {
        (Some(_), _) => OperationPhase::Failed,
        (None, true) => OperationPhase::Terminated,
        (None, false) => OperationPhase::Succeeded,
    };
    hooks::delete(&steps, phase, execution).await;
    let message = failed.unwrap_or_else(|| told(phase, &steps));
    Operation { phase, message, steps }
}

impl Execution<'_> {
    /// Waits so long; whether somebody wants it to stop meanwhile.
    async fn is_stopped_within(&self, time: Duration) -> bool {
        tokio::time::timeout(time, self.stop.cancelled()).await.is_ok() || self.stop.is_cancelled()
    }
}

fn not_begun(step: &Step) -> StepOutcome {
    StepOutcome { step: step.clone(), result: StepResult::NotBegun, live: None, took: Duration::ZERO }
}

fn is_open(outcome: &StepOutcome) -> bool {
    outcome.result == StepResult::NotBegun && outcome.step.phase != Phase::SyncFail
}

fn has_hook(steps: &[Step]) -> bool {
    steps.iter().any(|step| step.hook.is_some())
}

fn has_begun_hooks(steps: &[StepOutcome]) -> bool {
    steps.iter().any(|outcome| outcome.step.hook.is_some() && outcome.result != StepResult::NotBegun)
}

fn told(phase: OperationPhase, steps: &[StepOutcome]) -> String {
    match phase {
        OperationPhase::Terminated => {
            let open = steps.iter().filter(|step| is_open(step)).count();
            format!("ended by a signal; {open} of {} steps were not begun", steps.len())
        }
        _ => "successfully synced".to_owned(),
    }
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
async fn run_stage(steps: &mut [StepOutcome], is_waited_for: bool, execution: &Execution<'_>) -> Result<(), String> {
    let is_prune = |outcome: &StepOutcome| matches!(outcome.step.action, Action::Prune { .. });
    let (mut prunes, mut brings): (Vec<_>, Vec<_>) = steps.iter_mut().partition(|outcome| is_prune(outcome));
    run_side_by_side(&mut prunes, execution).await;
    first_failure(prunes.iter().map(|outcome| &**outcome))?;
    for same_kind in brings.chunk_by_mut(|one, other| one.step.object.gvk == other.step.object.gvk) {
        if execution.stop.is_cancelled() {
            return Ok(());
        }
        run_side_by_side(same_kind, execution).await;
        first_failure(same_kind.iter().map(|outcome| &**outcome))?;
        bring::settle_definitions(same_kind, execution).await;
        first_failure(same_kind.iter().map(|outcome| &**outcome))?;
    }
    if is_waited_for {
        wait::until_it_works(steps, execution).await;
        first_failure(steps.iter())?;
    } else {
        // The garbage collector takes a moment; what takes longer is told to be on its way.
        wait::for_what_is_going(steps, execution).await;
    }
    Ok(())
}

async fn run_side_by_side(steps: &mut [&mut StepOutcome], execution: &Execution<'_>) {
    stream::iter(steps.iter_mut().map(|outcome| run_step(outcome, execution)))
        .buffer_unordered(execution.concurrency.max(1))
        .collect::<()>()
        .await;
}

async fn run_step(outcome: &mut StepOutcome, execution: &Execution<'_>) {
    if execution.stop.is_cancelled() && outcome.step.phase != Phase::SyncFail {
        return;
    }
    let began = Instant::now();
    let subject = outcome.step.subject();
    execution.progress.begin(Stage::Sync, subject.clone());
    let done = match &outcome.step.action {
        Action::Prune { propagation } => remove::prune(&outcome.step, *propagation, execution).await,
        Action::Bring { .. } => bring::bring(&outcome.step, execution).await,
    };
    outcome.took = began.elapsed();
    outcome.result = match done {
        Ok((words, live)) => {
            outcome.live = live.map(Arc::new);
            StepResult::Done(words)
        }
        Err(failure) => StepResult::Failed(failure),
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

/// Deletes an object in the background, whatever came of it: for what is only tidied up.
async fn tidy(
    step: &Step,
    uid: Option<String>,
    execution: &Execution<'_>,
) -> Result<Deleted, crate::cluster::ClusterError> {
    let deletion = Deletion { propagation: crate::cluster::Propagation::Background, uid, resource_version: None };
    execution.cluster.delete(&step.object, &deletion, Writing::Really).await
}
