//! The contract that scripts depend on: the run as the value that JSON and YAML print.
//!
//! In: a [`Run`]. Out: a [`DriftReport`], borrowed from it. Keys are only ever added; a key without a value is left out.
//!
//! Rule: docs/design.md, "The JSON contract"; docs/report.schema.json says the same to a validator.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::app::Destination;
use crate::cluster::Requests;
use crate::finding::{Code, Finding, Severity};
use crate::fleet::Condition;
use crate::fleet::census::{RemovedApplication, RemovedObjects};
use crate::fleet::{ApplicationRun, Run, SourceRun, SyncStatus};
use crate::object::Key;
use crate::report::View;
use crate::report::drift::operation::{HeldEntry, OperationEntry};
use crate::report::style::words::message_with_causes;
use crate::source::{Commit, PathHistory};
use crate::status::{FieldDrift, Ignored, InSyncProof, Manager, Moved, ResourceDrift, ResourceState};
use crate::sync::plan::SavedPlan;

/// A run, as scripts read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct DriftReport<'run> {
    api_version: &'static str,
    kind: &'static str,
    summary: Summary,
    applications: Vec<ApplicationData<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    removals: Vec<RemovalData<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingEntry<'run>>,
    requests: RequestCounts,
    version: &'static str,
    exit_code: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    applications: usize,
    synced: usize,
    out_of_sync: usize,
    unknown: usize,
    changed: usize,
    missing: usize,
    extra: usize,
    errors: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApplicationData<'run> {
    name: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'run str,
    project: &'run str,
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    sync: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    revision: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    last_synced_revision: &'run str,
    sources: Vec<SourceData<'run>>,
    destination: DestinationEntry<'run>,
    #[serde(skip_serializing_if = "str::is_empty")]
    cluster: &'run str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<OperationEntry<'run>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<SavedPlan>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    held: Vec<HeldEntry<'run>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<&'run str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back: Option<RolledBackEntry<'run>>,
    #[serde(skip_serializing_if = "is_false")]
    deleted: bool,
    conditions: Vec<ConditionEntry<'run>>,
    resources: Vec<ResourceData<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recent: Vec<ResourceData<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    orphans: Vec<OrphanEntry<'run>>,
}

/// A resource that belongs to no application.
#[derive(Serialize)]
struct OrphanEntry<'run> {
    #[serde(skip_serializing_if = "str::is_empty")]
    group: &'run str,
    kind: &'run str,
    namespace: &'run str,
    name: &'run str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemovalData<'run> {
    name: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'run str,
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_by: Option<&'run str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'run str>,
    cluster: &'run str,
    destination_namespace: &'run str,
    objects: usize,
    keeps_objects: bool,
    removed: bool,
}

impl<'run> RemovalData<'run> {
    fn of(removal: &'run RemovedApplication) -> Self {
        Self {
            name: &removal.name.name,
            namespace: &removal.name.namespace,
            generated_by: removal.generated_by.as_deref(),
            parent: removal.parent.as_deref(),
            cluster: &removal.cluster,
            destination_namespace: &removal.namespace,
            objects: removal.objects,
            keeps_objects: removal.outcome == RemovedObjects::Kept,
            removed: removal.is_removed,
        }
    }
}

#[derive(Serialize)]
struct RolledBackEntry<'run> {
    entry: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    revision: &'run str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SourceData<'run> {
    #[serde(rename = "repoURL")]
    repo_url: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    target_revision: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    revision: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    last_synced_revision: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    fetched_by: &'run str,
    #[serde(skip_serializing_if = "is_false")]
    dirty: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    tool: &'run str,
}

/// serde passes a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Serialize)]
struct DestinationEntry<'run> {
    #[serde(skip_serializing_if = "str::is_empty")]
    server: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'run str,
}

#[derive(Serialize)]
struct ConditionEntry<'run> {
    #[serde(rename = "type")]
    kind: &'run str,
    severity: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'run str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'run str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<PlaceData<'run>>,
}

#[derive(Serialize)]
struct FindingEntry<'run> {
    severity: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'run str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'run str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<PlaceData<'run>>,
}

#[derive(Serialize)]
struct PlaceData<'run> {
    file: &'run str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceData<'run> {
    #[serde(skip_serializing_if = "str::is_empty")]
    group: &'run str,
    version: &'run str,
    kind: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'run str,
    name: &'run str,
    state: &'static str,
    proof: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health_message: Option<&'run str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<PlaceData<'run>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'run str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldData<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    additions: Vec<FieldData<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<IgnoredEntry<'run>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tolerated: bool,
}

#[derive(Serialize)]
struct IgnoredEntry<'run> {
    path: String,
    rule: &'run str,
    #[serde(skip_serializing_if = "Option::is_none")]
    git: Option<&'run Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<&'run Value>,
    #[serde(skip_serializing_if = "is_false")]
    accepted: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FieldData<'run> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    git: Option<&'run Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<&'run Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_synced: Option<&'run Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<&'run Map<String, Value>>,
    moved: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<By<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    commits: Vec<CommitEntry<'run>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more_commits: bool,
}

#[derive(Serialize)]
struct CommitEntry<'run> {
    hash: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    author: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    subject: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    time: &'run str,
}

#[derive(Serialize)]
struct By<'run> {
    manager: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    operation: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    subresource: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    time: &'run str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestCounts {
    discovery: u64,
    list: u64,
    get: u64,
    dry_run: u64,
    openapi: u64,
    access: u64,
    write: u64,
}

impl<'run> DriftReport<'run> {
    /// The report of a run.
    pub(in crate::report) fn of(run: &'run Run, view: &View) -> Self {
        Self {
            api_version: "trueup/v1",
            kind: "DriftReport",
            summary: Summary::of(run),
            applications: run.applications.iter().map(ApplicationData::of).collect(),
            removals: run.removals.iter().map(RemovalData::of).collect(),
            findings: run.findings.iter().map(FindingEntry::of).collect(),
            requests: RequestCounts::of(run.requests),
            version: env!("CARGO_PKG_VERSION"),
            exit_code: run.exit_code(&view.exit),
        }
    }
}

impl Summary {
    fn of(run: &Run) -> Self {
        Self {
            applications: run.applications.len(),
            synced: run.count_applications(SyncStatus::Synced),
            out_of_sync: run.count_applications(SyncStatus::OutOfSync),
            unknown: run.count_applications(SyncStatus::Unknown),
            changed: run.count(ResourceState::Changed),
            missing: run.count(ResourceState::Missing),
            extra: run.count(ResourceState::Extra),
            errors: run.errors().count(),
        }
    }
}

impl<'run> ApplicationData<'run> {
    fn of(application: &'run ApplicationRun) -> Self {
        let Destination { server, name, namespace } = &application.destination;
        Self {
            name: &application.name,
            namespace: &application.namespace,
            project: &application.project,
            generated_by: application.lineage.generated_by.as_ref().map(ToString::to_string),
            parent: application.lineage.parent.as_ref().map(ToString::to_string),
            sync: match application.sync() {
                SyncStatus::Synced => "Synced",
                SyncStatus::OutOfSync => "OutOfSync",
                SyncStatus::Unknown => "Unknown",
            },
            // One source has one revision; of several, each has its own in `sources`.
            revision: match application.sources.as_slice() {
                [source] => &source.revision,
                _ => "",
            },
            last_synced_revision: match application.sources.as_slice() {
                [source] => &source.last_synced_revision,
                _ => "",
            },
            sources: application.sources.iter().map(SourceData::of).collect(),
            destination: DestinationEntry { server, name, namespace },
            cluster: &application.cluster,
            operation: application.operation.as_ref().map(OperationEntry::of),
            // What was done says it all.
            plan: application.plan.as_ref().filter(|_| application.operation.is_none()).map(SavedPlan::of),
            held: application.plan.iter().flat_map(|plan| &plan.held).map(HeldEntry::of).collect(),
            left: application.left.as_deref(),
            rolled_back: application
                .rolled_back
                .as_ref()
                .map(|rolled_back| RolledBackEntry { entry: rolled_back.entry, revision: &rolled_back.revision }),
            deleted: application.is_deleted,
            conditions: application.conditions.iter().map(ConditionEntry::of).collect(),
            health: application.health.as_ref().map(|health| health.status.as_str()),
            resources: application.resources.iter().map(|resource| ResourceData::of(resource, application)).collect(),
            recent: application.recent.iter().map(|resource| ResourceData::of(resource, application)).collect(),
            orphans: application
                .orphans
                .iter()
                .map(|Key { group, kind, namespace, name }| OrphanEntry { group, kind, namespace, name })
                .collect(),
        }
    }
}

impl<'run> SourceData<'run> {
    fn of(source: &'run SourceRun) -> Self {
        Self {
            repo_url: &source.repo_url,
            path: &source.path,
            target_revision: &source.target_revision,
            revision: &source.revision,
            last_synced_revision: &source.last_synced_revision,
            fetched_by: &source.fetched_by,
            dirty: source.dirty,
            tool: &source.tool,
        }
    }
}

impl<'run> ConditionEntry<'run> {
    fn of(condition: &'run Condition) -> Self {
        let FindingEntry { severity, message, code, help, source } = FindingEntry::of(&condition.finding);
        Self { kind: condition.kind.as_str(), severity, message, code, help, source }
    }
}

impl<'run> FindingEntry<'run> {
    fn of(finding: &'run Finding) -> Self {
        Self {
            severity: match finding.severity {
                Severity::Warning => "warning",
                Severity::Error => "error",
            },
            message: message_with_causes(finding),
            code: finding.code.map(Code::as_str),
            help: finding.help.as_deref(),
            source: finding
                .excerpt
                .as_ref()
                .map(|excerpt| PlaceData { file: &excerpt.file, line: Some(excerpt.line()) }),
        }
    }
}

impl<'run> ResourceData<'run> {
    fn of(resource: &'run ResourceDrift, application: &'run ApplicationRun) -> Self {
        let health = application.health.as_ref().and_then(|health| health.of(resource));
        let history = application.history_of(resource);
        Self {
            health: health.map(|health| health.status.as_str()),
            health_message: health.map(|health| health.message.as_str()).filter(|message| !message.is_empty()),
            group: &resource.gvk.group,
            version: &resource.gvk.version,
            kind: &resource.gvk.kind,
            namespace: &resource.namespace,
            name: &resource.name,
            state: match resource.state {
                ResourceState::InSync => "inSync",
                ResourceState::Changed => "changed",
                ResourceState::Missing => "missing",
                ResourceState::Extra => "extra",
                ResourceState::Unknown => "unknown",
            },
            proof: match resource.proof {
                InSyncProof::Ownership => "ownership",
                InSyncProof::Structural => "structural",
                InSyncProof::Server => "server",
                InSyncProof::Schema => "schema",
                InSyncProof::None => "none",
            },
            moved: (resource.state != ResourceState::InSync && resource.moved != Moved::Unknown)
                .then(|| side(resource.moved)),
            source: resource
                .origin
                .as_ref()
                .map(|origin| PlaceData { file: &origin.file, line: Some(origin.line).filter(|line| *line > 0) }),
            since: application.since(resource).map(|since| since.to_string()),
            note: resource.note.as_deref(),
            fields: resource
                .fields
                .iter()
                .map(|field| FieldData::of(field, application.since_of_field(resource, field), history))
                .collect(),
            additions: resource.additions.iter().map(|field| FieldData::of(field, None, None)).collect(),
            ignored: resource.ignored.iter().map(IgnoredEntry::of).collect(),
            tolerated: resource.is_tolerated,
        }
    }
}

impl<'run> IgnoredEntry<'run> {
    fn of(ignored: &'run Ignored) -> Self {
        let Ignored { field, rule, is_accepted } = ignored;
        Self {
            path: field.path.to_string(),
            rule,
            git: field.git.as_ref(),
            live: field.live.as_ref(),
            accepted: *is_accepted,
        }
    }
}

impl<'run> FieldData<'run> {
    fn of(field: &'run FieldDrift, since: Option<Timestamp>, history: Option<&'run PathHistory>) -> Self {
        // What git did explains only what git moved.
        let history = history.filter(|_| field.moved.has_git());
        Self {
            path: field.path.to_string(),
            git: field.git.as_ref(),
            live: field.live.as_ref(),
            last_synced: field.last_synced.as_ref(),
            item: field.item.as_ref(),
            moved: side(field.moved),
            since: since.map(|since| since.to_string()),
            by: field.managers.first().map(By::of),
            commits: history.iter().flat_map(|history| &history.commits).map(CommitEntry::of).collect(),
            more_commits: history.is_some_and(|history| history.is_cut),
        }
    }
}

fn side(moved: Moved) -> &'static str {
    match moved {
        Moved::Git => "git",
        Moved::Cluster => "cluster",
        Moved::Both => "both",
        Moved::Unknown => "unknown",
    }
}

impl<'run> CommitEntry<'run> {
    fn of(commit: &'run Commit) -> Self {
        let Commit { hash, author, subject, time } = commit;
        Self { hash, author, subject, time }
    }
}

impl<'run> By<'run> {
    fn of(manager: &'run Manager) -> Self {
        Self {
            manager: &manager.manager,
            operation: &manager.operation,
            subresource: &manager.subresource,
            time: &manager.time,
        }
    }
}

impl RequestCounts {
    fn of(requests: Requests) -> Self {
        // Whoever compares watches nothing.
        let Requests { discovery, list, get, dry_run, openapi, access, write, watch: _ } = requests;
        Self { discovery, list, get, dry_run, openapi, access, write }
    }
}
