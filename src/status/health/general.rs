//! Any custom resource without a rule of its own: by the conventions that operators use.
//!
//! In: `spec.suspend` and its like, `status.observedGeneration`, `status.conditions`, `status.phase`, `status.state`,
//! `status.health` and `status.ready`. Out: a verdict only where the convention is known; a word that is not in
//! [`words`](super::words) decides nothing, for a false `Healthy` lets a broken release through.
//!
//! Each field is a sign of its own, and a sign that something is wrong beats every sign that all is well. Signs that contradict
//! each other in another way give no verdict.
//!
//! Rule: docs/health.md, "Custom resources". After kstatus (cli-utils) and the Kubernetes API conventions, widened by the
//! conditions of Flux, Crossplane, Cluster API, Knative, Tekton, OLM and cert-manager.

use serde_json::Value;

use super::condition::{Condition, Truth};
use super::node::Node;
use super::words::{self, Meaning};
use super::{Health, HealthStatus, RuleSubject};
use crate::object::Gvk;

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

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    if let Some(health) = stale(subject).or_else(|| paused(subject)) {
        return Some(health);
    }
    let status = subject.status();
    let mut signs = by_conditions(status, subject.generation());
    signs.extend(["phase", "state", "health"].into_iter().filter_map(|field| by_word(status, field)));
    signs.extend(FLAGS.iter().filter_map(|(field, verdict)| by_flag(status, field, *verdict)));
    signs.extend(by_replicas(subject));
    // A part that is not well may be of the past, or another's: it ranks with nothing, and still it is no proof of health.
    worst(signs)
        .filter(|health| health.status != HealthStatus::Healthy || !(has_doubt(status) || has_undated_end(status)))
}

/// Whether a roll-out is over, and nothing says of which generation: right after a change, that still is the one before.
fn has_undated_end(status: Node<'_>) -> bool {
    let is_over = |condition: &Condition<'_>| {
        let is_work = words::meaning(condition.kind) == Some(Meaning::Work) && condition.is_true();
        is_work && words::reads_as_done(condition.reason) && condition.observed_generation.is_none()
    };
    has_conditions(status)
        && status.generation("observedGeneration").is_none()
        && status.conditions().any(|condition| is_over(&condition))
}

/// Some use the name for a map or a text of their own: that is no convention, and no fault.
fn has_conditions(status: Node<'_>) -> bool {
    status.get("conditions").is_some_and(Value::is_array)
}

/// The verdict of the conditions, whatever else is in the status.
pub(super) fn by_conditions_alone(subject: &RuleSubject<'_>) -> Option<Health> {
    worst(by_conditions(subject.status(), subject.generation()))
}

/// The first of the signs that are worst. A pause counts more than what is in progress because of it.
fn worst(signs: Vec<Health>) -> Option<Health> {
    let order = [HealthStatus::Degraded, HealthStatus::Suspended, HealthStatus::Progressing, HealthStatus::Healthy];
    let status = order.into_iter().find(|status| signs.iter().any(|sign| sign.status == *status))?;
    signs.into_iter().find(|sign| sign.status == status)
}

/// An object that its controller has not observed yet is in progress, whatever its status says.
pub(super) fn stale(subject: &RuleSubject<'_>) -> Option<Health> {
    let (observed, generation) = (subject.status().generation("observedGeneration")?, subject.generation());
    let message = || format!("the controller has seen generation {observed} of {generation}");
    (observed < generation).then(|| Health::progressing(message()))
}

/// A custom resource may mean anything by these fields; only the boolean is the convention.
pub(super) fn paused(subject: &RuleSubject<'_>) -> Option<Health> {
    let is_set = |field: &&str| subject.spec().get(field).and_then(Value::as_bool) == Some(true);
    let field = ["suspend", "suspended", "pause", "paused"].into_iter().find(is_set)?;
    Some(Health::suspended(format!("`spec.{field}` is set")))
}

/// The message of each condition, if anything: failures first, then pauses, work and what should be true.
fn by_conditions(status: Node<'_>, generation: i64) -> Vec<Health> {
    if !has_conditions(status) {
        return Vec::new();
    }
    let has_summary = status.conditions().any(|condition| words::meaning(condition.kind) == Some(Meaning::Summary));
    let mut signs: Vec<(Meaning, Health)> = status
        .conditions()
        .filter_map(|condition| {
            let meaning = words::meaning(condition.kind)?;
            Some((meaning, sign(&condition, meaning, has_summary, generation)?))
        })
        .collect();
    signs.sort_by_key(|(meaning, _)| *meaning);
    signs.into_iter().map(|(_, sign)| sign).collect()
}

fn sign(condition: &Condition<'_>, meaning: Meaning, has_summary: bool, generation: i64) -> Option<Health> {
    let is_current = condition.observed_generation.is_none_or(|observed| observed >= generation);
    let failed = reads_as_failure(condition);
    let is_paused = words::reads_as_pause(condition.reason);
    match (meaning, condition.truth) {
        (Meaning::Failure, Truth::True) => Some(Health::degraded(condition.sentence())),
        (Meaning::Pause, Truth::True) => Some(Health::suspended(condition.sentence())),
        (Meaning::Work, Truth::True | Truth::False) | (Meaning::Bad, Truth::True) if failed => {
            Some(Health::degraded(condition.sentence()))
        }
        (Meaning::Work, Truth::True) if words::reads_as_done(condition.reason) => None,
        (Meaning::Work | Meaning::Bad, Truth::True) | (Meaning::Work, Truth::Unknown) => {
            Some(Health::progressing(condition.sentence()))
        }
        (Meaning::Failure | Meaning::Pause | Meaning::Work | Meaning::Bad, _) => None,
        // The summary has looked at what only informs.
        (Meaning::Part, _) if has_summary && condition.severity == "Info" => None,
        (Meaning::Whole, _) if has_summary => None,
        (Meaning::Summary | Meaning::Sync | Meaning::Key | Meaning::Whole | Meaning::Part, truth) => match truth {
            _ if !is_current => Some(Health::progressing(format!("{}; of an older generation", condition.sentence()))),
            Truth::True if failed => Some(Health::degraded(condition.sentence())),
            // That the controller keeps up, or that one part works, does not say that the thing works.
            Truth::True if matches!(meaning, Meaning::Sync | Meaning::Part) => None,
            Truth::True => Some(Health::healthy(condition.message)),
            Truth::False if is_paused => Some(Health::suspended(condition.sentence())),
            Truth::False if is_final(condition) => Some(Health::degraded(condition.sentence())),
            Truth::False | Truth::Unknown => Some(Health::progressing(condition.sentence())),
        },
    }
}

/// The reason is for programs. Who writes none says it in the message's first word.
fn reads_as_failure(condition: &Condition<'_>) -> bool {
    let first = condition.message.split([' ', ':']).next().unwrap_or_default();
    words::reads_as_failure(if condition.reason.is_empty() { first } else { condition.reason })
}

/// Whether what is not well will not become well by itself.
fn is_final(condition: &Condition<'_>) -> bool {
    match condition.severity {
        "Error" => true,
        "Warning" | "Info" => false,
        _ if reads_as_failure(condition) || words::is_ending(condition.kind) => true,
        // What is not healthy while it is not being worked on will stay so.
        _ => condition.kind.ends_with("Healthy") && !words::reads_as_work(condition.reason),
    }
}

/// A phase, a state or a colour.
fn by_word(status: Node<'_>, field: &str) -> Option<Health> {
    let written = status.get(field)?.as_str()?;
    let verdict = words::phase(written)?;
    if verdict == HealthStatus::Healthy {
        return Some(Health::healthy(""));
    }
    let detail = ["message", "reason"].into_iter().find_map(|detail| status.get(detail)?.as_str());
    let detail = detail.filter(|words| !words.is_empty()).map(|words| format!(": {words}")).unwrap_or_default();
    Some(Health::new(verdict, format!("`status.{field}` is {written}{detail}")))
}

/// Booleans that mean one thing when they are false; true, they prove nothing more.
const FLAGS: &[(&str, HealthStatus)] = &[
    ("available", HealthStatus::Progressing),
    ("healthy", HealthStatus::Degraded),
    ("pass", HealthStatus::Degraded),
    ("passed", HealthStatus::Degraded),
    ("ready", HealthStatus::Progressing),
    ("succeeded", HealthStatus::Degraded),
    ("success", HealthStatus::Degraded),
];

fn by_flag(status: Node<'_>, field: &str, verdict: HealthStatus) -> Option<Health> {
    let is_set = status.get(field)?.as_bool()?;
    (!is_set).then(|| Health::new(verdict, format!("`status.{field}` is false")))
}

/// Fewer replicas than are asked for, where both are numbers.
fn by_replicas(subject: &RuleSubject<'_>) -> Option<Health> {
    let wanted = subject.spec().get("replicas")?.as_i64()?;
    ["readyReplicas", "availableReplicas"].into_iter().find_map(|field| {
        let count = subject.status().get(field)?.as_i64()?;
        (count < wanted).then(|| Health::progressing(format!("`status.{field}` is {count} of {wanted}")))
    })
}

/// How deep into a status a doubt is looked for.
const DEPTH: usize = 6;

/// Whether a phase, a state, a result or a health anywhere in a status says that something is not well, or not done.
fn has_doubt(status: Node<'_>) -> bool {
    status.fields().any(|(field, value)| doubts(field, value, DEPTH))
}

fn doubts(field: &str, value: &Value, depth: usize) -> bool {
    match value {
        Value::String(written) => words::is_state(field) && words::reads_as_doubt(written),
        Value::Array(items) if depth > 0 => items.iter().any(|item| doubts(field, item, depth - 1)),
        Value::Object(fields) if depth > 0 => fields.iter().any(|(field, value)| doubts(field, value, depth - 1)),
        _ => false,
    }
}
