//! `ReplicaSet` and `ReplicationController`: as many pods as asked for are available.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_replicaset.go. Argo CD has no rule for a `ReplicationController`, which
//! is the same idea with the same status.

use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    if subject.is_stale() {
        let kind = if subject.object.kind() == "ReplicaSet" { "replica set" } else { "replication controller" };
        return Health::progressing(format!(
            "Waiting for rollout to finish: observed {kind} generation less than desired generation"
        ));
    }
    if let Some(failure) = status.condition("ReplicaFailure").filter(super::super::condition::Condition::is_true) {
        return Health::degraded(failure.message);
    }
    let available = status.count("availableReplicas");
    match subject.spec().integer("replicas") {
        Some(wanted) if available < wanted => Health::progressing(format!(
            "Waiting for rollout to finish: {available} out of {wanted} new replicas are available..."
        )),
        _ => Health::healthy(""),
    }
}
