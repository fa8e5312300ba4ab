//! Flux: every kind that a controller reconciles.
//!
//! Rule: Flux' API documentation, "status conditions": `Ready` sums up, `Stalled` needs somebody's change, `Reconciling` is under way. A
//! `Ready` that is false has failed and is tried again, unless it waits for another (`DependencyNotReady`).

use super::super::condition::{Condition, Truth};
use super::super::general::{paused, stale};
use super::super::{Health, RuleSubject};
use super::waiting;

/// Kinds without a status: nothing reconciles them.
const STATIC: &[&str] = &["Alert", "Provider"];

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    if let Some(health) = paused(subject) {
        return Some(health);
    }
    let status = subject.status();
    if let Some(stalled) = status.condition("Stalled").filter(Condition::is_true) {
        return Some(Health::degraded(stalled.sentence()));
    }
    let Some(ready) = status.condition("Ready") else {
        // A Helm repository that is a registry is only an address.
        let is_static = STATIC.contains(&subject.object.kind()) || subject.spec().text("type") == "oci";
        return (!is_static).then(|| waiting(subject));
    };
    // While it fails, `status.observedGeneration` stays behind, and that of the condition does not.
    let is_stale = match ready.observed_generation {
        Some(observed) => observed < subject.generation(),
        None => stale(subject).is_some(),
    };
    let is_waiting = ready.reason.starts_with("Progressing") || ready.reason == "DependencyNotReady";
    Some(match ready.truth {
        _ if is_stale => Health::progressing(format!("{}; of an older generation", ready.sentence())),
        Truth::False if !is_waiting => Health::degraded(ready.sentence()),
        Truth::True => match status.condition("Reconciling").filter(Condition::is_true) {
            Some(reconciling) => Health::progressing(reconciling.sentence()),
            None => Health::healthy(ready.message),
        },
        Truth::False | Truth::Unknown => Health::progressing(ready.sentence()),
    })
}
