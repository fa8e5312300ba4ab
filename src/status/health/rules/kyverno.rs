//! Kyverno: policies of both generations, and update requests.
//!
//! Rule: Kyverno's API, `PolicyStatus` (`Ready`; `status.ready` before 1.10), `ConditionStatus` of `policies.kyverno.io`, and
//! `UpdateRequestStatus.state`. Reports and exceptions have no status.

use super::super::condition::Truth;
use super::super::{Health, RuleSubject};
use super::waiting;

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    let is_new = subject.object.gvk().group == "policies.kyverno.io";
    match subject.object.kind() {
        "ClusterPolicy" | "Policy" => Some(policy(subject)),
        "UpdateRequest" => Some(request(subject)),
        kind if is_new && kind.ends_with("Policy") => Some(new_policy(subject)),
        _ => None,
    }
}

fn policy(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    match status.condition("Ready") {
        Some(ready) if ready.is_true() => Health::healthy(ready.message),
        Some(ready) if ready.truth == Truth::False => Health::degraded(ready.sentence()),
        Some(ready) => Health::progressing(ready.sentence()),
        None if status.flag("ready") => Health::healthy(""),
        None => waiting(subject),
    }
}

/// `WebhookConfigured`, `PolicyCached` and `RBACPermissionsGranted` all have to be true; `ready` sums them up.
fn new_policy(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status().child("conditionStatus");
    if let Some(failed) = status.conditions().find(|condition| condition.truth == Truth::False) {
        return Health::degraded(failed.sentence());
    }
    if status.flag("ready") { Health::healthy(status.text("message")) } else { waiting(subject) }
}

fn request(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    let message = status.text("message");
    match status.text("state") {
        "Completed" | "Skip" => Health::healthy(message),
        "Failed" => Health::degraded(message),
        _ => Health::progressing(message),
    }
}
