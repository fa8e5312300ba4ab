//! Makes it so: decides what a policy lets be done, plans it as data, does it in order, and records what was done.
//!
//! In: an application's policy, its targets, what is live, how they differ, the record of the last sync. Out: a [`Plan`]
//! (pure), and what came of its steps ([`Operation`]). [`execute`] is the only place that writes to live objects;
//! [`state`] and [`lock`] write what a sync leaves about itself.
//!
//! Rules: docs/sync.md and docs/record.md; Argo CD gitops-engine/pkg/sync; KEP-3659.

pub mod account;
pub mod adopt;
pub mod argo_status;
pub mod audit;
pub mod decide;
pub mod dry_run;
pub mod execute;
pub mod lock;
mod merge;
pub mod ownership;
pub mod plan;
pub mod state;

pub use decide::{Decision, LastSync, Policy, Scope};
pub use execute::{Execution, Failure, FailureKind, Operation, OperationPhase, StepOutcome, StepResult};
pub use plan::{Action, Method, Phase, Plan, Step};
