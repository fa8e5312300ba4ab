//! cert-manager: `Certificate`, `CertificateRequest`, issuers, and ACME's `Order` and `Challenge`.
//!
//! Rule: cert-manager's API, `CertificateStatus` (`Ready`, `Issuing`), `CertificateRequestStatus` (`Ready`, `InvalidRequest`, `Denied`),
//! `IssuerStatus` (`Ready`), `OrderStatus.state` and `ChallengeStatus.state`.

use super::super::condition::{Condition, Truth};
use super::super::{Health, RuleSubject};
use super::waiting;

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    match subject.object.kind() {
        "Certificate" => certificate(subject),
        "CertificateRequest" => request(subject),
        "Issuer" | "ClusterIssuer" => subject.status().list("conditions").is_empty().then(|| waiting(subject)),
        "Order" | "Challenge" => Some(acme(subject)),
        _ => None,
    }
}

/// A certificate that is renewed stays ready meanwhile; one whose renewal has failed is so until it expires.
fn certificate(subject: &RuleSubject<'_>) -> Option<Health> {
    let status = subject.status();
    match (status.condition("Issuing"), status.condition("Ready")) {
        (Some(issuing), _) if issuing.is_true() => Some(Health::progressing(issuing.sentence())),
        (Some(issuing), _) if issuing.truth == Truth::False && issuing.reason == "Failed" => {
            Some(Health::degraded(issuing.sentence()))
        }
        (_, Some(ready)) if ready.truth == Truth::False && ready.reason == "Expired" => {
            Some(Health::degraded(ready.sentence()))
        }
        (None, None) => Some(waiting(subject)),
        _ => None,
    }
}

fn request(subject: &RuleSubject<'_>) -> Option<Health> {
    let status = subject.status();
    let refused =
        |condition: &Condition<'_>| matches!(condition.kind, "Denied" | "InvalidRequest") && condition.is_true();
    if let Some(refused) = status.conditions().find(refused) {
        return Some(Health::degraded(refused.sentence()));
    }
    status.condition("Ready").is_none().then(|| waiting(subject))
}

fn acme(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    let reason = status.text("reason");
    match status.text("state") {
        "valid" => Health::healthy(reason),
        "invalid" | "expired" | "errored" => Health::degraded(reason),
        // Empty, `pending`, `processing`, and `ready` to be finalized.
        _ => Health::progressing(reason),
    }
}
