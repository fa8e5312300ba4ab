//! Pod: by its phase, its readiness, and what its containers wait for.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_pod.go.

use super::super::node::Node;
use super::super::{Health, RuleSubject};
use crate::object::annotations::{IGNORE_RESTART_POLICY, is_hook};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    let policy = subject.spec().text("restartPolicy");
    let is_ignored = subject.object.annotation(IGNORE_RESTART_POLICY) == Some("true") && !is_hook(subject.object);
    let runs_for_ever = policy == "Always" || is_ignored;
    if runs_for_ever && let Some(stuck) = stuck(status) {
        return stuck;
    }
    let message = status.text("message");
    match status.text("phase") {
        "Pending" => Health::progressing(message),
        "Succeeded" => Health::healthy(message),
        "Failed" if !message.is_empty() => Health::degraded(message),
        "Failed" => Health::degraded(failure(status)),
        "Running" if runs_for_ever => running(status, message),
        // It has an end, and is not there yet.
        "Running" if matches!(policy, "OnFailure" | "Never") => Health::progressing(message),
        _ => Health::unknown(message),
    }
}

/// Containers that cannot start. Only where they are tried for ever: a hook's pod may still come through.
fn stuck(status: Node<'_>) -> Option<Health> {
    let waiting = status.items("containerStatuses").map(|container| container.child("state").child("waiting"));
    let messages: Vec<&str> = waiting
        .filter(|waiting| {
            let reason = waiting.text("reason");
            reason.starts_with("Err") || reason.ends_with("Error") || reason.ends_with("BackOff")
        })
        .map(|waiting| waiting.text("message"))
        .collect();
    (!messages.is_empty()).then(|| Health::degraded(messages.join(", ")))
}

fn running(status: Node<'_>, message: &str) -> Health {
    if status.condition("Ready").is_some_and(|condition| condition.is_true()) {
        return Health::healthy(message);
    }
    let has_died = |container: Node<'_>| container.child("lastState").has("terminated");
    if status.items("containerStatuses").any(has_died) {
        Health::degraded(message)
    } else {
        Health::progressing(message)
    }
}

/// Why the first container failed that says so.
fn failure(status: Node<'_>) -> String {
    let containers = status.items("initContainerStatuses").chain(status.items("containerStatuses"));
    let mut failures = containers.filter_map(|container| {
        let terminated = container.child("state").child("terminated");
        match (terminated.text("message"), terminated.text("reason"), terminated.count("exitCode")) {
            ("", reason @ "OOMKilled", _) => Some(reason.to_owned()),
            ("", _, 0) => None,
            ("", _, code) => Some(format!("container \"{}\" failed with exit code {code}", container.text("name"))),
            (message, _, _) => Some(message.to_owned()),
        }
    });
    failures.next().unwrap_or_default()
}
