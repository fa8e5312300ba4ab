//! Any custom resource without a rule of its own: by the conventions that operators use.
//!
//! In: `status.observedGeneration`, `status.conditions`, `status.phase` or `status.state`. Out: a verdict only where the
//! convention is known; a word that is not in the tables below decides nothing, for a false `Healthy` lets a broken
//! release through.
//!
//! Rule: docs/health.md, "Custom resources". After kstatus (cli-utils) and the Kubernetes API conventions, widened by the
//! conditions of Flux, Crossplane, Cluster API, Knative, Tekton, OLM and cert-manager.

use super::condition::{Condition, Truth};
use super::node::Node;
use super::{Health, HealthStatus, Subject};
use crate::object::Gvk;

/// True means that it has failed.
const FAILURES: &[&str] = &[
    "Broken",
    "Degraded",
    "Error",
    "Errored",
    "Failed",
    "Failure",
    "Faulted",
    "Invalid",
    "ReconcileError",
    "ReconcileFailed",
    "ReleaseFailed",
    "ReplicaFailure",
    "Stalled",
    "Unavailable",
    "Unhealthy",
];
/// True means that it is still being worked on.
const WORK: &[&str] = &[
    "Creating",
    "Deleting",
    "InProgress",
    "Initializing",
    "Installing",
    "Pending",
    "Progressing",
    "Provisioning",
    "Reconciling",
    "Terminating",
    "Updating",
    "Upgrading",
];
/// True means that somebody has paused it.
const PAUSES: &[&str] = &["Paused", "Suspended"];
/// False means that the controller could not do what is asked for, however ready the thing itself may be.
const SYNCS: &[&str] = &["ReconcileSuccess", "Reconciled", "Synced"];
/// The one condition that sums up all others, where there is one.
const SUMMARY: &str = "Ready";
/// True means that it works; without [`SUMMARY`], all of them have to be true.
const GOOD: &[&str] = &[
    "Accepted",
    "Active",
    "Applied",
    "Available",
    "Bound",
    "Complete",
    "Completed",
    "Deployed",
    "Established",
    "Healthy",
    "Installed",
    "Programmed",
    "Succeeded",
    "Valid",
];
/// False means that it has ended, and badly: Knative and Tekton have `Unknown` for what still runs.
const ENDINGS: &[&str] = &["Succeeded"];

/// Phases and states, in lower case, each with its verdict.
const PHASES: &[(HealthStatus, &[&str])] = &[
    (
        HealthStatus::Healthy,
        &[
            "active",
            "available",
            "bound",
            "complete",
            "completed",
            "deployed",
            "established",
            "healthy",
            "installed",
            "provisioned",
            "ready",
            "succeeded",
            "synced",
        ],
    ),
    (HealthStatus::Suspended, &["hibernated", "paused", "stopped", "suspended"]),
    (
        HealthStatus::Progressing,
        &[
            "configuring",
            "creating",
            "deleting",
            "deploying",
            "initializing",
            "inprogress",
            "installing",
            "pending",
            "processing",
            "progressing",
            "provisioning",
            "queued",
            "reconciling",
            "restoring",
            "scaling",
            "starting",
            "terminating",
            "updating",
            "upgrading",
            "waiting",
        ],
    ),
    (
        HealthStatus::Degraded,
        &[
            "aborted",
            "crashloopbackoff",
            "degraded",
            "error",
            "failed",
            "failure",
            "invalid",
            "lost",
            "partiallyfailed",
            "rejected",
            "stalled",
            "unhealthy",
        ],
    ),
];

/// Groups of Kubernetes itself: their kinds have rules of their own, or nothing that could be unhealthy.
const BUILT_IN_GROUPS: &[&str] = &[
    "admissionregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// Whether the kind is somebody's custom resource: their groups have a dot.
pub(super) fn applies_to(gvk: &Gvk) -> bool {
    gvk.group.contains('.') && !BUILT_IN_GROUPS.contains(&gvk.group.as_str())
}

pub(super) fn health(subject: &Subject<'_>) -> Option<Health> {
    let (status, generation) = (subject.status(), subject.metadata().count("generation"));
    if let Some(observed) = status.integer("observedGeneration").filter(|observed| *observed < generation) {
        let message = format!("the controller has seen generation {observed} of {generation}");
        return Some(Health::progressing(message));
    }
    if let Some(field) = ["suspend", "paused"].into_iter().find(|field| is_set(subject.spec(), field)) {
        return Some(Health::suspended(format!("`spec.{field}` is set")));
    }
    let by_conditions = by_conditions(status, generation);
    let by_phase = by_phase(status);
    match (by_conditions, by_phase) {
        // A phase of failure is never set by mistake; every other is vaguer than the conditions.
        (Some(conditions), Some(phase))
            if phase.status == HealthStatus::Degraded && conditions.status < HealthStatus::Degraded =>
        {
            Some(phase)
        }
        (Some(conditions), _) => Some(conditions),
        (None, phase) => phase,
    }
}

/// A custom resource may mean anything by these fields; only the boolean is the convention.
fn is_set(spec: Node<'_>, field: &str) -> bool {
    spec.get(field).and_then(serde_json::Value::as_bool) == Some(true)
}

fn by_conditions(status: Node<'_>, generation: i64) -> Option<Health> {
    // Some use the name for a map or a text of their own: that is no convention, and no fault.
    status.get("conditions")?.as_array()?;
    let holds = |kinds: &[&str]| {
        status
            .conditions()
            .find(|condition| condition.is_true() && kinds.contains(&condition.kind) && !is_done(condition))
    };
    if let Some(failure) = holds(FAILURES) {
        return Some(Health::degraded(failure.sentence()));
    }
    let summary = status.condition(SUMMARY);
    let counts = |condition: &Condition<'_>| {
        let sums_up = if summary.is_some() { condition.kind == SUMMARY } else { GOOD.contains(&condition.kind) };
        sums_up || SYNCS.contains(&condition.kind)
    };
    let worst = status.conditions().filter(counts).map(|condition| judge(&condition, generation));
    let worst = worst.reduce(|worst, next| if next.status > worst.status { next } else { worst });
    if let Some(failed) = worst.as_ref().filter(|worst| worst.status == HealthStatus::Degraded) {
        return Some(failed.clone());
    }
    if let Some(pause) = holds(PAUSES) {
        return Some(Health::suspended(pause.sentence()));
    }
    if let Some(work) = holds(WORK) {
        return Some(Health::progressing(work.sentence()));
    }
    // That the controller keeps up says nothing of the thing itself.
    let says_more = status.conditions().any(|condition| counts(&condition) && !SYNCS.contains(&condition.kind));
    worst.filter(|worst| says_more || worst.status != HealthStatus::Healthy)
}

/// Deployments and those who imitate them keep `Progressing` true when the roll-out is over, and tell it by the reason.
fn is_done(condition: &Condition<'_>) -> bool {
    condition.kind == "Progressing"
        && ["Available", "Complete", "Completed", "Succeeded", "Finished"]
            .iter()
            .any(|ending| condition.reason.ends_with(ending))
}

/// What one condition, of those that are true when all is well, says.
fn judge(condition: &Condition<'_>, generation: i64) -> Health {
    if condition.observed_generation.is_some_and(|observed| observed < generation) {
        return Health::progressing(format!("{}; of an older generation", condition.sentence()));
    }
    match condition.truth {
        Truth::True => Health::healthy(condition.message),
        Truth::False if is_final(condition) => Health::degraded(condition.sentence()),
        Truth::False | Truth::Unknown => Health::progressing(condition.sentence()),
    }
}

/// Whether what is not well will not become well by itself.
fn is_final(condition: &Condition<'_>) -> bool {
    let reason = condition.reason;
    match condition.severity {
        "Error" => return true,
        "Warning" | "Info" => return false,
        _ => {}
    }
    let reads_as_failure = ["Err", "Fail", "Invalid"].iter().any(|start| reason.starts_with(start))
        || ["Error", "Failed", "Failure", "Invalid", "BackOff", "Denied", "Exceeded", "NotFound", "Rejected"]
            .iter()
            .any(|ending| reason.ends_with(ending));
    reads_as_failure || ENDINGS.contains(&condition.kind)
}

fn by_phase(status: Node<'_>) -> Option<Health> {
    ["phase", "state"].into_iter().find_map(|field| {
        let written = status.get(field)?.as_str()?;
        let known = written.to_ascii_lowercase().replace(['_', '-', ' '], "");
        let (verdict, _) = PHASES.iter().find(|(_, words)| words.contains(&known.as_str()))?;
        let mut message = format!("`status.{field}` is {written}");
        for detail in ["message", "reason"] {
            if let Some(words) = status.get(detail).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty())
            {
                message.push_str(": ");
                message.push_str(words);
                break;
            }
        }
        Some(Health::new(*verdict, if *verdict == HealthStatus::Healthy { String::new() } else { message }))
    })
}
