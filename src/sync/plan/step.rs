//! What a plan is made of: steps in order, and what is held back.
//!
//! In: nothing. Out: [`Plan`], [`Step`] and their parts, as values that are printed, saved, compared and executed.

use std::fmt;
use std::sync::Arc;

use super::seen::Seen;
use crate::cluster::{ObjectName, Propagation, Validation};
use crate::object::{Key, Object};
use crate::sync::ownership::Owner;

/// When a step runs. In this order, but for `SyncFail`, which only runs when something before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Before a deletion of the application.
    PreDelete,
    /// Before everything else.
    PreSync,
    /// The application itself.
    Sync,
    /// When all of it works.
    PostSync,
    /// When something failed.
    SyncFail,
    /// After a deletion of the application.
    PostDelete,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 6] =
        [Self::PreDelete, Self::PreSync, Self::Sync, Self::PostSync, Self::SyncFail, Self::PostDelete];

    /// As Argo CD writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreDelete => "PreDelete",
            Self::PreSync => "PreSync",
            Self::Sync => "Sync",
            Self::PostSync => "PostSync",
            Self::SyncFail => "SyncFail",
            Self::PostDelete => "PostDelete",
        }
    }

    /// Whether it is part of a sync, and not of a deletion.
    pub fn is_of_sync(self) -> bool {
        !matches!(self, Self::PreDelete | Self::PostDelete)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How an object is applied into the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Server-side apply.
    Apply,
    /// `Replace=true`: put in the place of the live one, made if there is none.
    Replace,
    /// `Force=true` with `Replace=true`, or must be recreated: the live one is deleted first.
    Recreate,
    /// A hook: what an earlier run left is deleted first, where its policy says so; then it is made.
    Create,
}

/// The action of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Applies the step's target.
    Apply {
        /// How.
        method: Method,
        /// The validation of unknown fields.
        validation: Validation,
        /// Whether it may be deleted and recreated where the server cannot change it (`Force=true`, `--force`).
        force: bool,
        /// The managers whose fields become ours first (`--adopt`), so that what git drops later goes away.
        adopt: Vec<String>,
    },
    /// Deletes a live object that git no longer has.
    Prune {
        /// The deletion propagation for its dependents.
        propagation: Propagation,
    },
    /// Takes our part-of label off a live object: it stays, and is not tracked.
    Release,
}

impl Action {
    /// In one word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Apply { method: Method::Apply, .. } => "apply",
            Self::Apply { method: Method::Replace, .. } => "replace",
            Self::Apply { method: Method::Recreate, .. } => "recreate",
            Self::Apply { method: Method::Create, .. } => "create",
            Self::Prune { .. } => "prune",
            Self::Release => "release",
        }
    }
}

/// When a hook is deleted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HookDeletion {
    /// `BeforeHookCreation`, the default.
    pub before_creation: bool,
    /// `HookSucceeded`: when the whole sync succeeded.
    pub succeeded: bool,
    /// `HookFailed`: when it failed.
    pub failed: bool,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// When.
    pub phase: Phase,
    /// The wave within the phase.
    pub wave: i64,
    /// Its subject; a hook with `generateName` has its name already.
    pub object: ObjectName,
    /// Its action.
    pub action: Action,
    /// Why, in words: `changed: /spec/replicas (changed in git)`, `removed from git` …
    pub why: String,
    /// Whether it is a hook, and when it is deleted again.
    pub hook: Option<HookDeletion>,
    /// The object to bring, its part-of label on it; nothing for a prune.
    pub target: Option<Arc<Object>>,
    /// The live object of its name when the plan was made.
    pub seen: Option<Seen>,
    /// Whether the server cannot be asked in a dry run, because this plan makes the namespace or kind first.
    pub unasked: bool,
}

impl Step {
    /// The subject in words: `Deployment shop/web`.
    pub fn subject(&self) -> String {
        self.object.to_string()
    }

    /// Whether it deletes what git no longer has.
    pub fn is_prune(&self) -> bool {
        matches!(self.action, Action::Prune { .. })
    }
}

/// Something that would be done, and is not; with what would let it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its subject.
    pub object: ObjectName,
    /// Why not, and what to do: `Prune=false`, `needs --prune`, `needs --approve`, `needs --force` …
    pub why: String,
    /// Whether the application is not as git says because of it.
    pub is_drift: bool,
    /// Whose it is, when it is held until `--adopt`.
    pub owner: Option<Owner>,
}

/// Everything that a sync of one application will do.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// `<namespace>/<name>`, or the name alone.
    pub application: String,
    /// The cluster's name.
    pub cluster: String,
    /// The full commit hash of each source.
    pub revisions: Vec<String>,
    /// Whether all of the application is synced, with its hooks.
    pub whole: bool,
    /// The steps, in the order of phases, waves and kinds. Steps of one phase and wave that follow each other and have
    /// one kind may be done side by side.
    pub steps: Vec<Step>,
    /// The steps that are not planned.
    pub held: Vec<Held>,
    /// Odd things worth a warning: unknown hook types, unknown options.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The dry run found that the object of this step cannot be changed, only recreated. Where that may be done, the step
    /// does it; else it is held, and drift.
    pub fn recreate(&mut self, step: usize, field: &str) {
        let Some(found) = self.steps.get_mut(step) else { return };
        if let Action::Apply { method, force: true, .. } = &mut found.action {
            *method = Method::Recreate;
            found.why = format!("{}; must be recreated: {field}", found.why);
        } else {
            let Step { object, .. } = self.steps.remove(step);
            let why = format!("must be recreated, which needs `--force` or the option `Force=true`: {field}");
            self.held.push(Held { object, why, is_drift: true, owner: None });
        }
    }
}

/// The name of an object, in its own version.
pub(super) fn name_of(object: &Object) -> ObjectName {
    let Key { namespace, name, .. } = object.key();
    ObjectName { gvk: object.gvk(), namespace: Some(namespace).filter(|namespace| !namespace.is_empty()), name }
}
