//! `PersistentVolumeClaim`: by its phase.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_pvc.go.

use super::super::{Health, Subject};

pub(super) fn health(subject: &Subject<'_>) -> Health {
    match subject.status().text("phase") {
        "Bound" => Health::healthy(""),
        "Pending" => Health::progressing(""),
        "Lost" => Health::degraded(""),
        _ => Health::unknown(""),
    }
}
