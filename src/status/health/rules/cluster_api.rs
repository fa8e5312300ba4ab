//! Cluster API: clusters, machines, what makes many of them, and what its providers make for them.
//!
//! Rule: Cluster API's API, `ClusterPhase`, `MachinePhase`, `MachineDeploymentPhase`, `MachinePoolPhase`; `failureReason` and
//! `failureMessage`, which only a new machine ends; the annotation `cluster.x-k8s.io/paused`; the conditions of v1beta2 that are true
//! while something goes on (`ScalingUp`, `ScalingDown`, `RollingOut`, `Remediating`).

use super::super::condition::Condition;
use super::super::general::{self, paused, stale};
use super::super::{Health, HealthStatus, RuleSubject};

const PAUSED: &str = "cluster.x-k8s.io/paused";
const WORK: &[&str] = &["Deleting", "Remediating", "RollingOut", "ScalingDown", "ScalingUp"];

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    let status = subject.status();
    if let Some(paused) = paused(subject) {
        return Some(paused);
    }
    if subject.object.annotation(PAUSED).is_some() {
        return Some(Health::suspended(format!("the annotation `{PAUSED}` is set")));
    }
    let failure = ["failureMessage", "failureReason"].into_iter().find_map(|field| status.get(field)?.as_str());
    if let Some(failure) = failure.filter(|words| !words.is_empty()) {
        return Some(Health::degraded(failure));
    }
    if let Some(stale) = stale(subject) {
        return Some(stale);
    }
    let by_phase = by_phase(subject.object.kind(), status.text("phase"));
    if let Some(work) =
        status.conditions().find(|condition| WORK.contains(&condition.kind) && Condition::is_true(condition))
    {
        return Some(Health::progressing(work.sentence()));
    }
    if subject.object.kind() == "ClusterResourceSet" {
        let applied = status.condition("ResourcesApplied");
        return applied.map_or_else(
            || Some(super::waiting(subject)),
            |applied| applied.is_true().then(|| Health::healthy(applied.message)),
        );
    }
    let by_phase = by_phase?;
    match (by_phase, general::by_conditions_alone(subject)) {
        // A phase that is well says less than a condition that is not.
        (phase, Some(health)) if health.status > phase => Some(health),
        (HealthStatus::Healthy, _) => Some(Health::healthy("")),
        (phase, _) => Some(Health::new(phase, format!("phase {}", status.text("phase")))),
    }
}

/// `Provisioned` is the end for a cluster, and half of the way for a machine, which has no node yet.
fn by_phase(kind: &str, phase: &str) -> Option<HealthStatus> {
    Some(match (kind, phase) {
        ("Cluster", "Provisioned") | (_, "Running") => HealthStatus::Healthy,
        (_, "Failed") => HealthStatus::Degraded,
        (_, "Unknown") => HealthStatus::Unknown,
        (_, "Pending" | "Provisioning" | "Provisioned" | "Deleting" | "ScalingUp" | "ScalingDown" | "Scaling") => {
            HealthStatus::Progressing
        }
        _ => return None,
    })
}
