//! `CloudNativePG`: `Cluster`, `Backup`, and what is declared within a cluster.
//!
//! Rule: the API of `CloudNativePG`, `ClusterStatus.phase` (sentences) and conditions (`Ready`, `ContinuousArchiving`, `LastBackupSucceeded`),
//! `BackupStatus.phase`, `status.applied` of `Database`, `Publication` and `Subscription`; "Declarative hibernation".

use super::super::condition::Truth;
use super::super::general::stale;
use super::super::{Health, RuleSubject};
use super::waiting;

/// Every phase but this one is on its way to it, or has failed.
const HEALTHY: &str = "Cluster in healthy state";
/// Phases that only somebody's change ends.
const FAILED: &[&str] = &[
    "Cluster cannot execute instance online upgrade due to missing architecture binary",
    "Cluster cannot proceed to reconciliation due to an error while interacting with plugins",
    "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
    "Cluster has incomplete or invalid image catalog",
    "Cluster is unrecoverable and needs manual intervention",
    "Not enough disk space",
    "Unable to create required cluster objects",
];
/// Annotations that put a cluster to sleep, and their values.
const ASLEEP: &[(&str, &str)] = &[("cnpg.io/hibernation", "on"), ("cnpg.io/reconciliationLoop", "disabled")];
/// With `primaryUpdateStrategy: supervised`, the primary is restarted by hand.
const WAITS: &str = "Waiting for user action";

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    match subject.object.kind() {
        "Cluster" => Some(cluster(subject)),
        "Backup" => Some(backup(subject)),
        "Database" | "Publication" | "Subscription" => Some(applied(subject)),
        _ => None,
    }
}

fn cluster(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    if let Some(asleep) = status.condition("cnpg.io/hibernation").filter(super::super::condition::Condition::is_true) {
        return Health::suspended(asleep.sentence());
    }
    if let Some((name, value)) = ASLEEP.iter().find(|(name, value)| subject.object.annotation(name) == Some(value)) {
        return Health::suspended(format!("the annotation `{name}` is `{value}`"));
    }
    let (phase, reason) = (status.text("phase"), status.text("phaseReason"));
    let message = if reason.is_empty() { phase.to_owned() } else { format!("{phase}: {reason}") };
    if FAILED.contains(&phase) {
        return Health::degraded(message);
    }
    if phase == WAITS {
        return Health::suspended(message);
    }
    for kind in ["ContinuousArchiving", "LastBackupSucceeded"] {
        if let Some(failed) = status.condition(kind).filter(|condition| condition.truth == Truth::False) {
            return Health::degraded(failed.sentence());
        }
    }
    if phase.is_empty() {
        return waiting(subject);
    }
    match status.condition("Ready") {
        Some(ready) if !ready.is_true() => Health::progressing(format!("{message}; {}", ready.sentence())),
        _ if phase == HEALTHY => Health::healthy(message),
        _ => Health::progressing(message),
    }
}

fn backup(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    let error = status.text("error");
    match status.text("phase") {
        "completed" => Health::healthy(""),
        phase @ ("failed" | "walArchivingFailing") => Health::degraded(if error.is_empty() { phase } else { error }),
        phase => Health::progressing(phase),
    }
}

fn applied(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    if let Some(stale) = stale(subject) {
        return stale;
    }
    if !status.has("applied") {
        return waiting(subject);
    }
    let message = status.text("message");
    if status.flag("applied") { Health::healthy(message) } else { Health::degraded(message) }
}
