//! How steps end, and the operation that they become.

use std::sync::Arc;
use std::time::Duration;

use super::phase::OperationPhase;
use crate::object::Object;
use crate::sync::plan::Step;

/// The message for a deleted object.
pub(super) const PRUNED: &str = "pruned";
/// The message for an object whose finalizers are not done.
pub(super) const BEING_PRUNED: &str = "being pruned";

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
pub(super) type StepDone = Result<(String, Option<Object>), NotDone>;

/// Why a step was not done.
pub(super) enum NotDone {
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
    pub(in crate::sync) fn new(kind: FailureKind, words: impl Into<String>) -> Self {
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

/// How stages ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StageEnd {
    /// All of it is done, and works where that is waited for.
    Over,
    /// Somebody wanted it to stop before.
    CutShort,
}
