//! Argo Workflows' Workflow: by its phase.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_argo.go.

use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    let message = status.text("message");
    match status.text("phase") {
        "" | "Pending" | "Running" => Health::progressing(message),
        "Succeeded" => Health::healthy(message),
        "Failed" | "Error" => Health::degraded(message),
        _ => Health::unknown(message),
    }
}
