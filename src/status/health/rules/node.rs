//! Node: its kubelet reports in, and nothing presses it.
//!
//! Argo CD has no rule for nodes. Rule: Kubernetes' page "Node status".

use super::super::condition::Truth;
use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    let Some(ready) = status.condition("Ready") else {
        return Health::progressing("Waiting for the kubelet to report");
    };
    if ready.truth != Truth::True {
        return Health::degraded(ready.sentence());
    }
    // All other conditions of a node are troubles.
    if let Some(trouble) = status.conditions().find(|condition| condition.kind != "Ready" && condition.is_true()) {
        return Health::degraded(trouble.sentence());
    }
    if subject.spec().flag("unschedulable") { Health::suspended("Node is cordoned") } else { Health::healthy("") }
}
