//! The plan: what will be done, in order, and why; as data that is printed, saved, compared and executed.
//!
//! In: [`Wishes`]: the targets, what is live, the drift, options resolved. Out: a [`Plan`], or why there is none
//! ([`PlanRefused`]). Pure: time comes in as a value. An option or annotation is resolved here into a field of a step;
//! whoever executes reads no annotations.
//!
//! Rules: Argo CD gitops-engine/pkg/sync (`sync_context.go`, `sync_tasks.go`), reference tables "Phases", "Ordering".

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::decide::Scope;
use crate::app::Application;
use crate::cluster::{ObjectName, Propagation, Validation};
use crate::object::{Kinds, Object};
use crate::status::ResourceDrift;
use crate::status::compare::Baseline;

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
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How an object is brought into the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Server-side apply.
    Apply,
    /// `Replace=true`: put in the place of the live one, made if there is none.
    Replace,
    /// `Force=true`, or must be made anew: the live one is deleted first.
    Recreate,
    /// A hook: what an earlier run left is deleted first, where its policy says so; then it is made.
    Create,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Brings the step's target into the cluster.
    Bring {
        /// How.
        method: Method,
        /// What happens to unknown fields.
        validation: Validation,
        /// The managers whose fields become ours first (`--adopt`), so that what git drops later goes away.
        adopt: Vec<String>,
    },
    /// Deletes a live object that git no longer has.
    Prune {
        /// What happens to what it owns.
        propagation: Propagation,
    },
}

/// When a hook is deleted again.
#[expect(clippy::struct_excessive_bools, reason = "they are the three policies of the annotation")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HookDeletion {
    /// `BeforeHookCreation`, the default.
    pub before_creation: bool,
    /// `HookSucceeded`: when the whole sync succeeded.
    pub succeeded: bool,
    /// `HookFailed`: when it failed.
    pub failed: bool,
}

/// What a live object was when the plan was made; a plan is not executed on something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `metadata.uid`.
    pub uid: String,
    /// A fingerprint of all that a sync would change or depend on: not the status, not what the server counts up. Of a
    /// Secret, its `resourceVersion`.
    pub fingerprint: String,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// When.
    pub phase: Phase,
    /// The wave within the phase.
    pub wave: i64,
    /// What it is about; a hook with `generateName` has its name already.
    pub object: ObjectName,
    /// What it does.
    pub action: Action,
    /// Why, in words: `changed: /spec/replicas (git moved)`, `not in git any more` …
    pub why: String,
    /// Whether it is a hook, and when it is deleted again.
    pub hook: Option<HookDeletion>,
    /// The object to bring, its part-of label on it; nothing for a prune.
    pub target: Option<Arc<Object>>,
    /// The live object of its name when the plan was made.
    pub seen: Option<Seen>,
    /// Whether the server cannot be asked in a dry run, because this plan makes the namespace or kind first.
    pub unasked: bool,
    /// Whether what is here is synced already and only its record is renewed: nothing is sent. Never in a printed plan.
    pub is_waited_for: bool,
}

impl Step {
    /// What it is about, in words: `Deployment web` or `Job shop/migrate` with its namespace.
    pub fn subject(&self) -> String {
        self.object.to_string()
    }
}

/// Something that would be done, and is not; with what would let it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What it is about.
    pub object: ObjectName,
    /// Why not, and what to do: `Prune=false`, `needs --prune`, `needs --approve`, `needs --force` …
    pub why: String,
    /// Whether the application is not as git says because of it.
    pub is_drift: bool,
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
    /// What will not be done.
    pub held: Vec<Held>,
    /// Odd things worth a warning: unknown hook types, unknown options.
    pub warnings: Vec<String>,
}

/// One object that git has.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The object, its part-of label on it.
    pub target: Arc<Object>,
    /// The live object of its name.
    pub live: Option<Arc<Object>>,
    /// How the two differ; nothing for a hook, which is never compared.
    pub drift: Option<ResourceDrift>,
}

/// One live object of the application that git no longer has.
#[derive(Debug, Clone)]
pub struct Surplus {
    /// The live object, at least its metadata with `managedFields`.
    pub live: Arc<Object>,
    /// What was told of it.
    pub drift: ResourceDrift,
}

/// How much may be deleted in one sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxPrune {
    /// So many objects.
    Count(u64),
    /// So many of a hundred of the application's live objects.
    Percent(u8),
}

/// What flags say about a sync.
#[expect(clippy::struct_excessive_bools, reason = "they are flags of the command line")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags {
    /// `--adopt`: fields that other appliers own become ours.
    pub adopt: bool,
    /// `--force`: what cannot be changed is deleted and made anew.
    pub force: bool,
    /// `--approve`: what asks for confirmation is confirmed.
    pub approve: bool,
    /// `--prune-protected`: volume claims, namespaces, and definitions with instances may be deleted, too.
    pub prune_protected: bool,
    /// `--max-prune`.
    pub max_prune: MaxPrune,
    /// `--allow-empty`, or the manifest's `allowEmpty`.
    pub allow_empty: bool,
    /// `--apply-all`: what is in sync is applied, too.
    pub apply_all: bool,
}

/// Everything that a plan is made of.
pub struct Wishes<'a> {
    /// The application.
    pub application: &'a Application,
    /// What to do.
    pub scope: Scope,
    /// What flags say.
    pub flags: Flags,
    /// The cluster's name.
    pub cluster: &'a str,
    /// The id of the application's ApplySet, which its members carry.
    pub applyset_id: &'a str,
    /// The full commit hash of each source.
    pub revisions: &'a [String],
    /// What git has: resources and hooks.
    pub wanted: &'a [Wanted],
    /// What git no longer has.
    pub surplus: &'a [Surplus],
    /// What the cluster serves.
    pub kinds: &'a Kinds,
    /// The destination's namespace as it is, when it was looked for; for `CreateNamespace`.
    pub namespace: Option<&'a Object>,
    /// The record of the last sync.
    pub baseline: Option<&'a Baseline>,
    /// When the sync begins: names of hooks have it.
    pub now: Timestamp,
}

/// Why there is no plan: nothing may be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum PlanRefused {
    /// Everything would be deleted, because git renders nothing.
    #[error("git renders nothing, and everything would be deleted")]
    Empty,
}

/// Plans a sync.
pub fn plan(wishes: &Wishes<'_>) -> Result<Plan, PlanRefused> {
    let _ = wishes;
    todo!()
}
