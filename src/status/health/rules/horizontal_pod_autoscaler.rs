//! `HorizontalPodAutoscaler`: it can read its metrics and scale its target.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_hpa.go: whatever the order of the conditions, one that cannot scale counts before
//! one that can. The API server puts `AbleToScale` first, which is true also while no metrics are there.

use serde_json::Value;

use super::super::condition::Condition;
use super::super::node::{Faults, Node};
use super::super::{Health, RuleSubject};

/// Where `autoscaling/v1` keeps its conditions.
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    if subject.object.gvk().version == "v1" {
        return match subject.object.annotation(CONDITIONS).map(serde_json::from_str) {
            None => waiting(),
            Some(Ok(conditions)) => of_annotation(conditions),
            Some(Err(error)) => Health::unknown(format!("failed to convert conditions annotation to typed: {error}")),
        };
    }
    decide(subject.status())
}

fn of_annotation(conditions: Value) -> Health {
    let status = serde_json::Map::from_iter([("conditions".to_owned(), conditions)]);
    let faults = Faults::default();
    let health = decide(Node::root(&status, &faults));
    match faults.into_first() {
        Some(fault) => Health::unknown(format!("failed to convert conditions annotation to typed: {fault}")),
        None => health,
    }
}

fn decide(status: Node<'_>) -> Health {
    if let Some(condition) = status.conditions().find(|condition| cannot_scale(condition.kind, condition.reason)) {
        return Health::degraded(condition.message);
    }
    let can_scale =
        |condition: &Condition<'_>| matches!(condition.kind, "AbleToScale" | "ScalingLimited") && condition.is_true();
    status.conditions().find(can_scale).map_or_else(waiting, |condition| Health::healthy(condition.message))
}

/// Argo CD names eight reasons; all of them, and the ones that it does not know (`FailedGetContainerResourceMetric`), begin alike.
fn cannot_scale(kind: &str, reason: &str) -> bool {
    matches!(kind, "AbleToScale" | "ScalingActive") && (reason.starts_with("Failed") || reason.starts_with("Invalid"))
}

fn waiting() -> Health {
    Health::progressing("Waiting to Autoscale")
}
