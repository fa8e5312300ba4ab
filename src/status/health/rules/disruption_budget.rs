//! `PodDisruptionBudget`: its controller could work out what it allows.
//!
//! Rule: Argo CD `resource_customizations/policy/PodDisruptionBudget`. That no pod may go at the moment
//! (`InsufficientPods`) is the budget at work (argo-cd#20171).

use super::super::condition::Truth;
use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let mut health = Health::progressing("Waiting for status");
    for condition in subject.status().conditions() {
        let message = format!("PodDisruptionBudget has {}", condition.reason);
        if condition.truth == Truth::False && condition.reason != "InsufficientPods" {
            return Health::degraded(message);
        }
        health = Health::healthy(message);
    }
    health
}
