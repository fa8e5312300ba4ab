//! CustomResourceDefinition: its names are taken and its resources are served.
//!
//! Rule: Argo CD `resource_customizations/apiextensions.k8s.io/CustomResourceDefinition`.

use super::super::condition::Truth;
use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    if status.list("conditions").is_empty() {
        return Health::progressing("Status conditions not found");
    }
    let holds = |kind, truth| status.conditions().find(|found| found.kind == kind && found.truth == truth);
    if let Some(terminating) = holds("Terminating", Truth::True) {
        return Health::progressing(format!("CRD is terminating: {}", terminating.message));
    }
    if let Some(refused) = holds("NamesAccepted", Truth::False) {
        return Health::degraded(format!("CRD names have not been accepted: {}", refused.message));
    }
    let established = status.condition("Established");
    if established.is_some_and(|established| !established.is_true() && established.reason == "Installing") {
        return Health::progressing("CRD is being installed");
    }
    if holds("Established", Truth::True).is_none() {
        return Health::degraded("CRD is not established");
    }
    if let Some(violation) = holds("NonStructuralSchema", Truth::True) {
        return Health::degraded(format!("Schema violations found: {}", violation.message));
    }
    Health::healthy("CRD is healthy")
}
