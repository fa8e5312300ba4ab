//! KEDA: `ScaledObject` and `ScaledJob`.
//!
//! Rule: KEDA's documentation, "`ScaledObject` conditions": `Ready`, `Active`, `Fallback`, `Paused`. `Active` says whether there is work, not
//! whether it works; `Fallback` is true while a scaler fails and the number of replicas for that case is used.

use super::super::condition::{Condition, Truth};
use super::super::{Health, RuleSubject};
use super::waiting;

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    if !matches!(subject.object.kind(), "ScaledObject" | "ScaledJob") {
        return None;
    }
    let status = subject.status();
    let holds = |kind| status.condition(kind).filter(Condition::is_true);
    if let Some(paused) = holds("Paused") {
        return Some(Health::suspended(paused.sentence()));
    }
    let Some(ready) = status.condition("Ready") else { return Some(waiting(subject)) };
    // Unknown is a `ScaledJob` of which some triggers do not work.
    if ready.truth == Truth::False || ready.reason == "PartialTriggerError" {
        return Some(Health::degraded(ready.sentence()));
    }
    if let Some(fallback) = holds("Fallback") {
        return Some(Health::degraded(fallback.sentence()));
    }
    Some(if ready.is_true() { Health::healthy(ready.message) } else { Health::progressing(ready.sentence()) })
}
