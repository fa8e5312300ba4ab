//! `APIService`: the API server reaches what serves it.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_apiservice.go.

use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let Some(available) = subject.status().condition("Available") else {
        return Health::progressing("Waiting to be processed");
    };
    let message = format!("{}: {}", available.reason, available.message);
    if available.is_true() { Health::healthy(message) } else { Health::progressing(message) }
}
