//! Deployment: every replica is of the newest template, available, and no old one is left.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_deployment.go, after kubectl's `rollout status`.

use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let (spec, status) = (subject.spec(), subject.status());
    if spec.flag("paused") {
        return Health::suspended("Deployment is paused");
    }
    let waiting = |what: String| Health::progressing(format!("Waiting for rollout to finish: {what}"));
    if subject.is_stale() {
        return waiting("observed deployment generation less than desired generation".to_owned());
    }
    if status.condition("Progressing").is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded") {
        let name = subject.object.name();
        return Health::degraded(format!("Deployment \"{name}\" exceeded its progress deadline"));
    }
    let (replicas, updated, available) =
        (status.count("replicas"), status.count("updatedReplicas"), status.count("availableReplicas"));
    match spec.integer("replicas") {
        Some(wanted) if updated < wanted => {
            waiting(format!("{updated} out of {wanted} new replicas have been updated..."))
        }
        _ if replicas > updated => {
            waiting(format!("{} old replicas are pending termination...", replicas.saturating_sub(updated)))
        }
        _ if available < updated => waiting(format!("{available} of {updated} updated replicas are available...")),
        _ => Health::healthy(""),
    }
}
