//! Job: complete, failed, suspended, or still running.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_job.go. There, conditions are read by their type alone, so that
//! `Suspended` with status `False`, which a resumed Job keeps for ever, reads as complete. Here a condition counts when it
//! is true.

use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    let holds = |kind| {
        status.conditions().filter(|condition| condition.kind == kind).find(super::super::condition::Condition::is_true)
    };
    if let Some(failed) = holds("Failed") {
        return Health::degraded(failed.message);
    }
    if holds("Suspended").is_some() {
        return Health::suspended("");
    }
    match holds("Complete") {
        Some(complete) => Health::healthy(complete.message),
        None => Health::progressing(""),
    }
}
