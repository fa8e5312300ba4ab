//! The status of an application in Argo CD's shape, and writing it to the Application in the cluster (`--write-status`).
//!
//! In: what was found and done ([`StatusInput`]). Out: the value of `.status`, purely ([`status`]); and whether there is an
//! Application to put it on ([`write`]). What Argo CD keeps there and trueup knows nothing of stays.
//!
//! Rules: Argo CD pkg/apis/application/v1alpha1/types.go `ApplicationStatus`; its definition of the kind, which has no
//! status subresource.

use jiff::Timestamp;
use miette::Diagnostic;
use serde_json::{Map, Value, json};

use super::execute::{Operation, OperationPhase, StepOutcome, StepResult};
use super::plan::Action;
use super::state::{HistoryEntry, SyncedSource};
use crate::app::{Application, Source, SourceForm};
use crate::cluster::{Cluster, ClusterError, ObjectName, Reason, Refusal, Writing, Written};
use crate::object::Gvk;
use crate::status::health::{HealthStatus, ResourceHealth};
use crate::status::{ResourceDrift, ResourceState};

/// How often it is tried against somebody who writes, too.
const TRIES: usize = 5;

/// Everything that a status tells.
#[derive(Debug, Clone, Copy)]
pub struct StatusInput<'a> {
    /// The application.
    pub application: &'a Application,
    /// `Synced`, `OutOfSync`, `Unknown`.
    pub sync: &'a str,
    /// The full commit hash of each source.
    pub revisions: &'a [String],
    /// Which tool rendered each source: `Directory`, `Helm` …
    pub source_types: &'a [String],
    /// Its resources, as they are now.
    pub resources: &'a [ResourceDrift],
    /// Its health, and that of its resources, where it was judged.
    pub health: Option<(HealthStatus, &'a [ResourceHealth])>,
    /// The types and messages of its conditions.
    pub conditions: &'a [(String, String)],
    /// The result of the sync, if there was one.
    pub operation: Option<Done<'a>>,
    /// The successful syncs, oldest first.
    pub history: &'a [HistoryEntry],
    /// The time.
    pub now: Timestamp,
}

/// The result of a sync.
#[derive(Debug, Clone, Copy)]
pub struct Done<'a> {
    /// Its steps.
    pub operation: &'a Operation,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// Who ran it.
    pub by: &'a str,
    /// Whether a policy asked for it, and nobody.
    pub automated: bool,
}

/// Whether a status was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusWritten {
    /// It was.
    Done,
    /// The cluster has no such Application.
    NoApplication,
}

/// Why a status could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum StatusError {
    /// The cluster does not take it.
    #[error("the status of Application `{name}` cannot be written")]
    #[diagnostic(
        code(trueup::sync::status_refused),
        help("--write-status needs get and patch of applications.argoproj.io")
    )]
    Refused {
        /// The Application.
        name: String,
        /// Why, in the server's words.
        #[source]
        refusal: Refusal,
    },
    /// The cluster does not answer.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cluster(#[from] ClusterError),
}

/// Puts a status on the Application of this name, if there is one.
pub async fn write(
    cluster: &dyn Cluster,
    namespace: &str,
    name: &str,
    status: &Value,
) -> Result<StatusWritten, StatusError> {
    let gvk = Gvk::from_api_version("argoproj.io/v1alpha1", "Application");
    let object = ObjectName { gvk, namespace: Some(namespace.to_owned()), name: name.to_owned() };
    let mut tries = 0;
    loop {
        let Some(live) = cluster.get(&object).await? else { return Ok(StatusWritten::NoApplication) };
        let version = live.metadata().and_then(|metadata| metadata.get("resourceVersion")).cloned();
        let status = onto(live.value().get("status"), status);
        let patch = json!([
            // Whoever wrote it meanwhile is not written over: the server answers with a conflict.
            {"op": "add", "path": "/metadata/resourceVersion", "value": version.unwrap_or_default()},
            {"op": "add", "path": "/status", "value": status},
        ]);
        match cluster.patch(&object, &patch, Writing::Really).await? {
            Written::Done(_) => return Ok(StatusWritten::Done),
            Written::Refused(refusal) if refusal.reason == Reason::NotFound => return Ok(StatusWritten::NoApplication),
            Written::Refused(refusal) if refusal.reason == Reason::Conflict && tries < TRIES => tries += 1,
            Written::Refused(refusal) => return Err(StatusError::Refused { name: name.to_owned(), refusal }),
        }
    }
}

/// The status of an application.
pub fn status(input: &StatusInput<'_>) -> Value {
    let mut sync = revisions(input.application, input.revisions);
    sync.insert("status".to_owned(), input.sync.into());
    sync.insert("comparedTo".to_owned(), compared_to(input.application).into());
    let mut status = Map::from_iter([
        ("sync".to_owned(), sync.into()),
        ("resources".to_owned(), input.resources.iter().map(|resource| of_resource(resource, input)).collect()),
        ("reconciledAt".to_owned(), time(input.now)),
        ("history".to_owned(), input.history.iter().map(|entry| of_entry(entry, input.application)).collect()),
        (
            "conditions".to_owned(),
            input.conditions.iter().map(|condition| of_condition(condition, input.now)).collect(),
        ),
    ]);
    if let Some((health, _)) = input.health {
        let health = json!({"status": health.as_str(), "lastTransitionTime": time(input.now)});
        status.insert("health".to_owned(), health);
    }
    if let Some(done) = &input.operation {
        status.insert("operationState".to_owned(), of_operation(done, input));
    }
    match (input.application.source_form, input.source_types) {
        (SourceForm::Multiple, types) => _ = status.insert("sourceTypes".to_owned(), types.into()),
        (_, [one, ..]) => _ = status.insert("sourceType".to_owned(), one.as_str().into()),
        (_, []) => {}
    }
    status.into()
}

/// A status in the place of another one: what is not known here stays, and what did not change keeps its time.
fn onto(live: Option<&Value>, status: &Value) -> Value {
    let mut merged = live.and_then(Value::as_object).cloned().unwrap_or_default();
    let before = merged.clone();
    for (field, value) in status.as_object().into_iter().flatten() {
        merged.insert(field.clone(), value.clone());
    }
    // Argo CD looks elsewhere for the health of resources where this says so; here it is in the list.
    merged.remove("resourceHealthSource");
    // One of the two is from when the application had another form.
    for (field, other) in [("sourceType", "sourceTypes"), ("sourceTypes", "sourceType")] {
        if status.get(field).is_some() {
            merged.remove(other);
        }
    }
    if let (Some(health), Some(earlier)) = (merged.get_mut("health"), before.get("health")) {
        keep_time(health, earlier, &["status"]);
    }
    let earlier = before.get("conditions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for condition in merged.get_mut("conditions").and_then(Value::as_array_mut).into_iter().flatten() {
        for earlier in earlier {
            keep_time(condition, earlier, &["type", "message"]);
        }
    }
    merged.into()
}

fn keep_time(value: &mut Value, earlier: &Value, fields: &[&str]) {
    let is_same = fields.iter().all(|field| value.get(field) == earlier.get(field));
    if let (true, Some(time)) = (is_same, earlier.get("lastTransitionTime")) {
        value["lastTransitionTime"] = time.clone();
    }
}

fn compared_to(application: &Application) -> Map<String, Value> {
    let destination = &application.destination;
    let destination = texts([
        ("server", destination.server.as_str()),
        ("name", &destination.name),
        ("namespace", &destination.namespace),
    ]);
    let mut compared = sources(application, application.sources.iter().map(of_source));
    compared.insert("destination".to_owned(), destination.into());
    compared
}

/// `source` or `sources`, as the application has it.
fn sources(application: &Application, mut sources: impl Iterator<Item = Value>) -> Map<String, Value> {
    if application.source_form == SourceForm::Multiple {
        Map::from_iter([("sources".to_owned(), sources.collect())])
    } else {
        sources.next().map(|source| ("source".to_owned(), source)).into_iter().collect()
    }
}

/// `revision` or `revisions`, as the application has it.
fn revisions(application: &Application, revisions: &[String]) -> Map<String, Value> {
    if application.source_form == SourceForm::Multiple {
        Map::from_iter([("revisions".to_owned(), revisions.into())])
    } else {
        let revision = revisions.first().map(String::as_str).unwrap_or_default();
        Map::from_iter([("revision".to_owned(), revision.into())])
    }
}

fn of_source(source: &Source) -> Value {
    // A URL is shown without its credentials.
    let repo_url = source.repo_url.to_string();
    let text =
        |field: &'static str, value: &Option<String>| value.clone().map(|value| (field.to_owned(), value.into()));
    let mut fields = texts([("repoURL", repo_url.as_str()), ("targetRevision", &source.target_revision)]);
    fields.extend(text("path", &source.path));
    fields.extend(text("chart", &source.chart));
    fields.extend(text("ref", &source.reference));
    fields.extend(text("name", &source.name));
    fields.into()
}

fn of_synced(source: &SyncedSource, application: &Application) -> Value {
    let is_chart = application.sources.iter().any(|wanted| wanted.chart.as_ref() == Some(&source.path));
    texts([
        ("repoURL", source.repo_url.as_str()),
        (if is_chart { "chart" } else { "path" }, &source.path),
        ("targetRevision", &source.target_revision),
    ])
    .into()
}

/// Rule: Argo CD controller/state.go: an extra is out of sync, and is marked as such.
fn of_resource(resource: &ResourceDrift, input: &StatusInput<'_>) -> Value {
    let mut fields = texts([
        ("group", resource.gvk.group.as_str()),
        ("version", &resource.gvk.version),
        ("kind", &resource.gvk.kind),
        ("namespace", &resource.namespace),
        ("name", &resource.name),
    ]);
    let status = match resource.state {
        ResourceState::InSync => "Synced",
        ResourceState::Changed | ResourceState::Missing | ResourceState::Extra => "OutOfSync",
        ResourceState::Unknown => "Unknown",
    };
    fields.insert("status".to_owned(), status.into());
    if resource.state == ResourceState::Extra {
        fields.insert("requiresPruning".to_owned(), true.into());
    }
    let judged = input.health.and_then(|(_, resources)| resources.iter().find(|judged| judged.key() == resource.key()));
    if let Some(health) = judged.and_then(|judged| judged.health.as_ref()) {
        let health = texts([("status", health.status.as_str()), ("message", &health.message)]);
        fields.insert("health".to_owned(), health.into());
    }
    fields.into()
}

fn of_condition((kind, message): &(String, String), now: Timestamp) -> Value {
    json!({"type": kind, "message": message, "lastTransitionTime": time(now)})
}

fn of_entry(entry: &HistoryEntry, application: &Application) -> Value {
    let hashes: Vec<String> = entry.sources.iter().map(|source| source.revision.clone()).collect();
    let mut fields = revisions(application, &hashes);
    fields.extend(sources(application, entry.sources.iter().map(|source| of_synced(source, application))));
    fields.insert("id".to_owned(), entry.id.into());
    fields.insert("deployStartedAt".to_owned(), time(entry.started));
    fields.insert("deployedAt".to_owned(), time(entry.deployed));
    fields.insert("initiatedBy".to_owned(), texts([("username", entry.by.as_str())]).into());
    fields.into()
}

fn of_operation(done: &Done<'_>, input: &StatusInput<'_>) -> Value {
    let mut initiated_by = texts([("username", done.by)]);
    if done.automated {
        initiated_by.insert("automated".to_owned(), true.into());
    }
    let sync = revisions(input.application, input.revisions);
    // Its definition wants a revision also where there are several.
    let mut result = Map::from_iter([("revision".to_owned(), Value::from(""))]);
    result.extend(sync.clone());
    result.extend(sources(input.application, input.application.sources.iter().map(of_source)));
    let of_steps = done.operation.steps.iter().filter_map(of_step);
    result.insert("resources".to_owned(), of_steps.chain(not_pruned(done.operation, input.resources)).collect());
    let phase = match done.operation.phase {
        // gitops-engine pkg/sync/sync_context.go `Terminate`: it has no word of its own.
        OperationPhase::Terminated => OperationPhase::Failed,
        phase => phase,
    };
    json!({
        "operation": {"sync": sync, "initiatedBy": initiated_by},
        "phase": phase.as_str(),
        "message": done.operation.message,
        "startedAt": time(done.started),
        "finishedAt": time(done.finished),
        "syncResult": result,
    })
}

/// The result of a step; nothing for one that was not begun.
fn of_step(outcome: &StepOutcome) -> Option<Value> {
    let step = &outcome.step;
    let (is_done, words) = match &outcome.result {
        StepResult::Done(words) => (true, words.as_str()),
        StepResult::Failed(failure) => (false, failure.words.as_str()),
        StepResult::Held { why, .. } => (false, why.as_str()),
        StepResult::NotBegun => return None,
    };
    let is_prune = matches!(step.action, Action::Prune { .. });
    let is_held = matches!(outcome.result, StepResult::Held { .. });
    let status = match (is_done, is_prune) {
        _ if is_held && is_prune => "PruneSkipped",
        (true, true) => "Pruned",
        (true, false) => "Synced",
        (false, _) => "SyncFailed",
    };
    let (phase, hook_phase) = (step.phase.as_str(), if is_done { "Succeeded" } else { "Failed" });
    let namespace = step.object.namespace.as_deref().unwrap_or_default();
    let mut fields = of_name(&step.object.gvk, namespace, &step.object.name);
    fields.extend(texts([("status", status), ("message", words), ("hookPhase", hook_phase), ("syncPhase", phase)]));
    if step.hook.is_some() {
        fields.insert("hookType".to_owned(), phase.into());
    }
    Some(fields.into())
}

/// Extras that no step was about.
fn not_pruned(operation: &Operation, resources: &[ResourceDrift]) -> impl Iterator<Item = Value> {
    let is_left = move |resource: &&ResourceDrift| {
        resource.state == ResourceState::Extra
            && !operation.steps.iter().any(|outcome| outcome.step.object.key() == resource.key())
    };
    resources.iter().filter(is_left).map(|resource| {
        let mut fields = of_name(&resource.gvk, &resource.namespace, &resource.name);
        fields.extend(texts([
            ("status", "PruneSkipped"),
            ("message", "ignored (requires pruning)"),
            ("syncPhase", "Sync"),
        ]));
        fields.into()
    })
}

/// Its definition wants each of these, also where it is empty.
fn of_name(gvk: &Gvk, namespace: &str, name: &str) -> Map<String, Value> {
    let fields = [
        ("group", &*gvk.group),
        ("version", &gvk.version),
        ("kind", &gvk.kind),
        ("namespace", namespace),
        ("name", name),
    ];
    fields.into_iter().map(|(field, value)| (field.to_owned(), value.into())).collect()
}

/// Fields that have a text; one without is left out.
fn texts<const N: usize>(fields: [(&str, &str); N]) -> Map<String, Value> {
    let given = fields.into_iter().filter(|(_, value)| !value.is_empty());
    given.map(|(field, value)| (field.to_owned(), value.into())).collect()
}

/// Rule: apimachinery `metav1.Time`: RFC 3339, whole seconds.
fn time(time: Timestamp) -> Value {
    Value::String(format!("{time:.0}"))
}

#[cfg(test)]
mod tests;
