//! Strimzi: every kind of `kafka.strimzi.io`, and its `StrimziPodSet`.
//!
//! Rule: Strimzi's documentation, "Kafka custom resource status" and "`KafkaRebalance` states": the type of the one condition that is true
//! is the state.

use super::super::condition::Condition;
use super::super::general::stale;
use super::super::{Health, RuleSubject};
use super::waiting;

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    match subject.object.kind() {
        "StrimziPodSet" => return Some(pods(subject)),
        // Its pods are the Kafka's; it has a status, and no condition when all is well.
        "KafkaNodePool" if subject.status().list("conditions").is_empty() => return None,
        _ => {}
    }
    if let Some(stale) = stale(subject) {
        return Some(stale);
    }
    let status = subject.status();
    let holds = |kind| status.condition(kind).filter(Condition::is_true);
    if let Some(paused) = holds("ReconciliationPaused") {
        return Some(Health::suspended(paused.sentence()));
    }
    if let Some(failed) = holds("NotReady") {
        let is_new = failed.reason == "Creating";
        let sentence = failed.sentence();
        return Some(if is_new { Health::progressing(sentence) } else { Health::degraded(sentence) });
    }
    if subject.object.kind() == "KafkaRebalance" {
        return Some(rebalance(subject));
    }
    match holds("Ready") {
        Some(ready) => Some(Health::healthy(ready.message)),
        None => Some(waiting(subject)),
    }
}

fn rebalance(subject: &RuleSubject<'_>) -> Health {
    let state = subject.status().conditions().find(Condition::is_true);
    match state.map(|state| (state.kind, state.sentence())) {
        Some(("Ready", _)) => Health::healthy(""),
        // The proposal waits for somebody's approval.
        Some(("ProposalReady" | "Stopped", sentence)) => Health::suspended(sentence),
        Some((_, sentence)) => Health::progressing(sentence),
        None => waiting(subject),
    }
}

fn pods(subject: &RuleSubject<'_>) -> Health {
    if let Some(stale) = stale(subject) {
        return stale;
    }
    let status = subject.status();
    let (all, ready, current) = (status.count("pods"), status.count("readyPods"), status.count("currentPods"));
    if !subject.root.has("status") {
        waiting(subject)
    } else if ready < all || current < all {
        Health::progressing(format!("{ready} of {all} pods are ready, {current} are current"))
    } else {
        Health::healthy("")
    }
}
