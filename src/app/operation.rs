//! `operation`: a sync that somebody asked for, written into the Application; and `spec.info`, which has the same shape.
//!
//! Rule: Argo CD types.go `Operation`, `SyncOperation`.

use super::fields::Fields;
use super::options::SyncOption;
use super::source::{self, Source, Within};
use super::sync_policy::{self, Retry};

/// `operation`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestedOperation {
    /// `sync`.
    pub sync: Option<SyncOperation>,
    /// `initiatedBy`.
    pub initiated_by: Option<InitiatedBy>,
    /// `info`.
    pub info: Vec<Info>,
    /// `retry`.
    pub retry: Option<Retry>,
}

/// `operation.sync`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SyncOperation {
    /// `revision`; empty means the source's own.
    pub revision: String,
    /// `revisions`, one for each of `sources`.
    pub revisions: Vec<String>,
    /// `prune`.
    pub prune: bool,
    /// `dryRun`.
    pub dry_run: bool,
    /// `syncStrategy`.
    pub strategy: SyncStrategy,
    /// `resources`: only these; empty means all.
    pub resources: Vec<SyncResource>,
    /// `manifests`, in place of the source's.
    pub manifests: Vec<String>,
    /// `source`, as a rollback keeps it.
    pub source: Option<Source>,
    /// `sources`, as a rollback keeps them.
    pub sources: Vec<Source>,
    /// `syncOptions`; `None` means the policy's.
    pub sync_options: Option<Vec<SyncOption>>,
    /// `autoHealAttemptsCount`.
    pub auto_heal_attempts_count: i64,
}

/// `operation.sync.syncStrategy`, with its `force`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SyncStrategy {
    /// Nothing given: hooks, without force.
    #[default]
    Default,
    /// `apply`: no hooks.
    Apply {
        /// Delete and recreate what cannot be changed.
        force: bool,
    },
    /// `hook`.
    Hook {
        /// Delete and recreate what cannot be changed.
        force: bool,
    },
}

/// One of `operation.sync.resources`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncResource {
    /// The API group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The namespace; empty is any.
    pub namespace: String,
}

/// `operation.initiatedBy`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InitiatedBy {
    /// Who.
    pub username: String,
    /// Whether it was Argo CD itself.
    pub automated: bool,
}

/// One of `spec.info` or `operation.info`: something to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// The description.
    pub name: String,
    /// The text.
    pub value: String,
}

pub(super) fn decode(mut fields: Fields<'_>) -> RequestedOperation {
    let operation = RequestedOperation {
        sync: fields.fields("sync").map(decode_sync),
        initiated_by: fields.fields("initiatedBy").map(decode_initiator),
        info: fields.list("info").into_iter().map(decode_info).collect(),
        retry: fields.fields("retry").map(sync_policy::decode_retry),
    };
    fields.finish();
    operation
}

/// Decodes one of `spec.info` or `operation.info`.
pub(super) fn decode_info(mut fields: Fields<'_>) -> Info {
    let info = Info { name: fields.required_text("name"), value: fields.required_text("value") };
    fields.finish();
    info
}

fn decode_sync(mut fields: Fields<'_>) -> SyncOperation {
    let options = sync_policy::decode_options(&mut fields, "syncOptions");
    let sync = SyncOperation {
        revision: fields.text("revision"),
        revisions: fields.texts("revisions"),
        prune: fields.flag("prune"),
        dry_run: fields.flag("dryRun"),
        strategy: fields.fields("syncStrategy").map(decode_strategy).unwrap_or_default(),
        resources: fields.list("resources").into_iter().map(decode_resource).collect(),
        manifests: fields.texts("manifests"),
        source: fields.fields("source").map(|source| source::decode(source, Within::Operation)),
        sources: source::decode_list(fields.list("sources"), Within::Operation),
        sync_options: fields.is_given("syncOptions").then_some(options),
        auto_heal_attempts_count: fields.integer("autoHealAttemptsCount").unwrap_or_default(),
    };
    fields.finish();
    sync
}

fn decode_strategy(mut fields: Fields<'_>) -> SyncStrategy {
    let apply = fields.fields("apply").map(decode_force);
    let hook = fields.fields("hook").map(decode_force);
    fields.finish();
    // Argo CD types.go `SyncStrategy.Force`: `apply` is looked at first.
    match (apply, hook) {
        (Some(force), _) => SyncStrategy::Apply { force },
        (None, Some(force)) => SyncStrategy::Hook { force },
        (None, None) => SyncStrategy::Default,
    }
}

fn decode_force(mut fields: Fields<'_>) -> bool {
    let force = fields.flag("force");
    fields.finish();
    force
}

fn decode_resource(mut fields: Fields<'_>) -> SyncResource {
    let resource = SyncResource {
        group: fields.text("group"),
        kind: fields.required_text("kind"),
        name: fields.required_text("name"),
        namespace: fields.text("namespace"),
    };
    fields.finish();
    resource
}

fn decode_initiator(mut fields: Fields<'_>) -> InitiatedBy {
    let initiator = InitiatedBy { username: fields.text("username"), automated: fields.flag("automated") };
    fields.finish();
    initiator
}
