//! Gateway API's Gateway and `GatewayClass`: accepted, resolved and programmed, and so is each listener.
//!
//! Rule: Argo CD `resource_customizations/gateway.networking.k8s.io`; conditions of an older generation say nothing of
//! this one (GEP-1364).

use super::super::condition::{Condition, Truth};
use super::super::node::Node;
use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    let generation = subject.metadata().count("generation");
    if let Some(trouble) = trouble(status, generation, "Gateway is still being programmed") {
        return trouble;
    }
    for listener in status.items("listeners") {
        if let Some(trouble) = trouble(listener, generation, "Listener is still being programmed") {
            return Health::new(trouble.status, format!("Listener: {}", trouble.message));
        }
    }
    let has_answer = status.conditions().any(|condition| is_current(&condition, generation));
    if has_answer { Health::healthy("Gateway is healthy") } else { Health::progressing("Waiting for Gateway status") }
}

/// A class is fine when its controller has accepted it.
pub(super) fn class_health(subject: &RuleSubject<'_>) -> Health {
    let generation = subject.metadata().count("generation");
    let accepted = subject.status().condition("Accepted").filter(|accepted| is_current(accepted, generation));
    match accepted {
        Some(accepted) if accepted.is_true() => Health::healthy("GatewayClass is healthy"),
        // `Unknown` is what the class is made with, before any controller has seen it.
        Some(accepted) if accepted.truth == Truth::False => Health::degraded(words(&accepted)),
        _ => Health::progressing("Waiting for GatewayClass status"),
    }
}

/// The reason that keeps something from being programmed; nothing when all is well, or nothing is known.
pub(super) fn trouble(node: Node<'_>, generation: i64, default_message: &str) -> Option<Health> {
    let current = || node.conditions().filter(|condition| is_current(condition, generation));
    for kind in ["ResolvedRefs", "Accepted"] {
        let refused = current().find(|condition| condition.kind == kind && condition.truth == Truth::False);
        if let Some(refused) = refused {
            return Some(Health::degraded(words(&refused)));
        }
    }
    let waiting = current().find(|condition| condition.kind == "Programmed" && !condition.is_true())?;
    let message = if waiting.message.is_empty() { default_message } else { waiting.message };
    Some(Health::progressing(message))
}

/// Whether a condition is about the object as it is now.
pub(super) fn is_current(condition: &Condition<'_>, generation: i64) -> bool {
    condition.observed_generation.is_none_or(|observed| observed >= generation)
}

fn words(condition: &Condition<'_>) -> String {
    if condition.message.is_empty() {
        format!("Failed condition: {}", condition.kind)
    } else {
        condition.message.to_owned()
    }
}
