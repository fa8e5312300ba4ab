//! `PersistentVolumeClaim`: by its phase.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_pvc.go.

use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    match subject.status().text("phase") {
        "Bound" => Health::healthy(""),
        "Pending" => Health::progressing(""),
        "Lost" => Health::degraded(""),
        _ => Health::unknown(""),
    }
}
