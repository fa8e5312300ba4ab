//! External Secrets: `ExternalSecret`, `PushSecret`, the stores, and their cluster-wide forms.
//!
//! Rule: External Secrets' API, `ExternalSecretStatusCondition`, `SecretStoreStatusCondition`, `PushSecretStatusCondition`,
//! `ClusterExternalSecretStatus.failedNamespaces`: a `Ready` that is false has failed, and is tried again.

use super::super::condition::Truth;
use super::super::{Health, RuleSubject};
use super::waiting;

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    let kind = subject.object.kind();
    if !matches!(
        kind,
        "ExternalSecret"
            | "ClusterExternalSecret"
            | "SecretStore"
            | "ClusterSecretStore"
            | "PushSecret"
            | "ClusterPushSecret"
    ) {
        return None;
    }
    let status = subject.status();
    let failed =
        status.items("failedNamespaces").next().map(|failed| (failed.text("namespace"), failed.text("reason")));
    if let Some((namespace, reason)) = failed {
        return Some(Health::degraded(format!("failed in namespace {namespace}: {reason}")));
    }
    Some(match status.condition("Ready") {
        Some(ready) if ready.is_true() => Health::healthy(ready.message),
        Some(ready) if ready.truth == Truth::False => Health::degraded(ready.sentence()),
        Some(ready) => Health::progressing(ready.sentence()),
        None => waiting(subject),
    })
}
