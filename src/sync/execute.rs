//! Runs a plan: the only place that writes to live objects.
//!
//! In: a [`Plan`](super::Plan) and a cluster. Out: an [`Operation`]: what came of each step.

use std::sync::Arc;
use std::time::Duration;

use super::plan::Step;
use crate::object::Object;

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    /// Done: `created`, `configured`, `unchanged`, `pruned`, `succeeded` …
    Done(String),
    /// Not done, and why.
    Failed(String),
    /// Not begun: something before it failed, or the run was ended.
    NotBegun,
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
    /// How long it took, its wait for health included.
    pub took: Duration,
}

/// How a sync ended, in Argo CD's words where it has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationPhase {
    /// All steps are done.
    Succeeded,
    /// A step failed.
    Failed,
    /// It never began: refused, locked, or not wanted.
    Error,
    /// A signal ended it after the step in flight.
    Terminated,
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
