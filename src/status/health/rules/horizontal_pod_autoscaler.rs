//! `HorizontalPodAutoscaler`: it can read its metrics and scale its target.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_hpa.go: the first condition that decides wins.

use serde_json::Value;

use super::super::node::{Faults, Node};
use super::super::{Health, Subject};

/// Where `autoscaling/v1` keeps its conditions.
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

pub(super) fn health(subject: &Subject<'_>) -> Health {
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
    for condition in status.conditions() {
        if cannot_scale(condition.kind, condition.reason) {
            return Health::degraded(condition.message);
        }
        if matches!(condition.kind, "AbleToScale" | "ScalingLimited") && condition.is_true() {
            return Health::healthy(condition.message);
        }
    }
    waiting()
}

fn cannot_scale(kind: &str, reason: &str) -> bool {
    match kind {
        "AbleToScale" => matches!(reason, "FailedGetScale" | "FailedUpdateScale"),
        "ScalingActive" => matches!(
            reason,
            "FailedGetResourceMetric"
                | "FailedGetObjectMetric"
                | "FailedGetPodsMetric"
                | "FailedGetExternalMetric"
                | "FailedComputeMetricsReplicas"
                | "InvalidSelector"
        ),
        _ => false,
    }
}

fn waiting() -> Health {
    Health::progressing("Waiting to Autoscale")
}
