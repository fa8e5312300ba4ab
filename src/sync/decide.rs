//! Decides what a policy lets be done about a drift: the table of docs/design.md, "reconcile".
//!
//! In: the policy in force (manifest and flags), the drift and who moved. Out: a [`Decision`]. Pure.
//!
//! Rules: docs/design.md, section 3; Argo CD controller/appcontroller.go `autoSync`.

use crate::status::ResourceDrift;

/// The policy in force: what the manifest says, and what flags add.
#[expect(clippy::struct_excessive_bools, reason = "they are the columns and rows of the policy table")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// `syncPolicy.automated` is there, and enabled.
    pub automated: bool,
    /// What git dropped is deleted: `automated.prune`, `--auto-prune`.
    pub prune: bool,
    /// What changed in the cluster is set back: `automated.selfHeal`, `--self-heal`.
    pub self_heal: bool,
    /// `automated.allowEmpty`: even when nothing would be left.
    pub allow_empty: bool,
}

/// What is to be done about an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing differs.
    Nothing,
    /// Something differs, and the policy leaves it; why, for the report.
    Leave(String),
    /// The cluster is made what git says now.
    Sync(Scope),
    /// The cluster is made what git said at the last sync; git's newer revision is left for somebody to sync.
    HealToLastSync(Scope),
}

/// How much of an application is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// Whether all of it is synced, with its hooks, and so recorded in the history; else only what drifted.
    pub whole: bool,
    /// Whether what differs is applied.
    pub apply: bool,
    /// Whether what git dropped is deleted.
    pub prune: bool,
}

/// Decides for one application of `trueup reconcile`.
pub fn decide(policy: Policy, resources: &[ResourceDrift], has_synced_before: bool) -> Decision {
    let _ = (policy, resources, has_synced_before);
    todo!()
}
