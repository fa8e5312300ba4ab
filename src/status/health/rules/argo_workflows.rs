//! Argo Workflows: `CronWorkflow`, by its errors. `Workflow` has a rule of its own, templates have no status.
//!
//! Rule: Argo Workflows' API, `CronWorkflowStatus`: `SpecError` and `SubmissionError` are true when the specification is invalid or the
//! last workflow could not be submitted, and are taken away when that is over. What became of the workflows is their own health.

use super::super::condition::Condition;
use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    if subject.object.kind() != "CronWorkflow" {
        return None;
    }
    let status = subject.status();
    let is_error =
        |condition: &Condition<'_>| matches!(condition.kind, "SpecError" | "SubmissionError") && condition.is_true();
    if let Some(error) = status.conditions().find(is_error) {
        return Some(Health::degraded(error.sentence()));
    }
    // As a CronJob: git asks for it, and nothing will end it.
    if subject.spec().flag("suspend") {
        return Some(Health::healthy("CronWorkflow is suspended"));
    }
    let is_scheduled = status.has("lastScheduledTime");
    Some(Health::healthy(if is_scheduled { "" } else { "CronWorkflow has not been scheduled yet" }))
}
