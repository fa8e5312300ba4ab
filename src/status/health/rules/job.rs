//! Job: complete, failed, suspended, or still running.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_job.go. There, conditions are read by their type alone, so that
//! `Suspended` with status `False`, which a resumed Job keeps for ever, reads as complete. Here a condition counts when it
//! is true.

use super::super::{Health, Subject};

pub(super) fn health(subject: &Subject<'_>) -> Option<Health> {
    let status = subject.status();
    let holds = |kind| status.conditions().filter(|condition| condition.kind == kind).find(|found| found.is_true());
    if let Some(failed) = holds("Failed") {
        return Some(Health::degraded(failed.message));
    }
    if holds("Suspended").is_some() {
        return Some(Health::suspended(""));
    }
    Some(match holds("Complete") {
        Some(complete) => Health::healthy(complete.message),
        None => Health::progressing(""),
    })
}
