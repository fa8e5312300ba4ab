//! What scales, limits and extends a cluster, and what it is made of.

use serde_json::{Value, json};

use super::*;

#[test]
fn an_autoscaler() {
    let conditions = |kind: &str, status: &str, reason: &str| json!([{"type": kind, "status": status, "reason": reason, "message": "because"}]);
    let cases = [
        (conditions("AbleToScale", "True", "ReadyForNewScale"), "Healthy: because"),
        (conditions("AbleToScale", "False", "FailedGetScale"), "Degraded: because"),
        (conditions("AbleToScale", "False", "FailedUpdateScale"), "Degraded: because"),
        (conditions("ScalingActive", "False", "FailedGetResourceMetric"), "Degraded: because"),
        (conditions("ScalingActive", "False", "InvalidSelector"), "Degraded: because"),
        (conditions("ScalingActive", "False", "ScalingDisabled"), "Progressing: Waiting to Autoscale"),
        (conditions("ScalingLimited", "True", "TooFewReplicas"), "Healthy: because"),
        (json!([]), "Progressing: Waiting to Autoscale"),
    ];
    for (conditions, expected) in cases {
        let second =
            object("autoscaling/v2", "HorizontalPodAutoscaler", &json!({}), &json!({"conditions": conditions}));
        assert_eq!(shown(health(&second)), expected, "v2: {conditions}");
        let mut first = object("autoscaling/v1", "HorizontalPodAutoscaler", &json!({}), &json!({}));
        first.value_mut()["metadata"]["annotations"] =
            json!({"autoscaling.alpha.kubernetes.io/conditions": conditions.to_string()});
        assert_eq!(shown(health(&first)), expected, "v1: {conditions}");
    }
    let mut broken = object("autoscaling/v1", "HorizontalPodAutoscaler", &json!({}), &json!({}));
    broken.value_mut()["metadata"]["annotations"] = json!({"autoscaling.alpha.kubernetes.io/conditions": "{"});
    assert!(shown(health(&broken)).starts_with("Unknown: failed to convert conditions annotation to typed: "));
}

/// The API server writes `AbleToScale` first, also while no metrics are there (Argo CD since 3.5.1).
#[test]
fn an_autoscaler_without_metrics_is_degraded_in_any_order() {
    let condition = |kind: &str, status: &str, reason: &str| json!({"type": kind, "status": status, "reason": reason, "message": reason});
    let able = condition("AbleToScale", "True", "SucceededGetScale");
    let limited = condition("ScalingLimited", "True", "TooFewReplicas");
    for reason in
        ["FailedGetResourceMetric", "FailedGetContainerResourceMetric", "InvalidMetricSourceType", "InvalidSelector"]
    {
        let broken = condition("ScalingActive", "False", reason);
        for conditions in
            [json!([able, broken, limited]), json!([broken, limited, able]), json!([limited, able, broken])]
        {
            let object =
                object("autoscaling/v2", "HorizontalPodAutoscaler", &json!({}), &json!({"conditions": conditions}));
            assert_eq!(shown(health(&object)), format!("Degraded: {reason}"));
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn what_the_cluster_itself_is_made_of() {
    let conditions = |kind: &str, status: &str, reason: &str, message: &str| json!({"conditions": [{"type": kind, "status": status, "reason": reason, "message": message}]});
    check(
        "apiregistration.k8s.io/v1",
        "APIService",
        [
            (
                "reached",
                json!({}),
                conditions("Available", "True", "Passed", "all checks passed"),
                "Healthy: Passed: all checks passed",
            ),
            (
                "not reached",
                json!({}),
                conditions("Available", "False", "ServiceNotFound", "no service"),
                "Progressing: ServiceNotFound: no service",
            ),
            ("new", json!({}), json!({}), "Progressing: Waiting to be processed"),
        ],
    );
    check(
        "policy/v1",
        "PodDisruptionBudget",
        [
            ("new", json!({}), json!({}), "Progressing: Waiting for status"),
            (
                "allows",
                json!({}),
                conditions("DisruptionAllowed", "True", "SufficientPods", ""),
                "Healthy: PodDisruptionBudget has SufficientPods",
            ),
            (
                "allows none",
                json!({}),
                conditions("DisruptionAllowed", "False", "InsufficientPods", ""),
                "Healthy: PodDisruptionBudget has InsufficientPods",
            ),
            (
                "cannot tell",
                json!({}),
                conditions("DisruptionAllowed", "False", "SyncFailed", ""),
                "Degraded: PodDisruptionBudget has SyncFailed",
            ),
        ],
    );
    let definition = |list: Value| json!({ "conditions": list });
    check(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        [
            ("new", json!({}), json!({}), "Progressing: Status conditions not found"),
            (
                "served",
                json!({}),
                definition(
                    json!([{"type": "NamesAccepted", "status": "True"}, {"type": "Established", "status": "True"}]),
                ),
                "Healthy: CRD is healthy",
            ),
            (
                "taken",
                json!({}),
                conditions("NamesAccepted", "False", "ListKindConflict", "name in use"),
                "Degraded: CRD names have not been accepted: name in use",
            ),
            ("not served", json!({}), conditions("NamesAccepted", "True", "", ""), "Degraded: CRD is not established"),
            (
                "being installed",
                json!({}),
                definition(json!([
                    {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts"},
                    {"type": "Established", "status": "False", "reason": "Installing"},
                ])),
                "Progressing: CRD is being installed",
            ),
            (
                "terminating",
                json!({}),
                conditions("Terminating", "True", "", "instances are left"),
                "Progressing: CRD is terminating: instances are left",
            ),
            (
                "no structure",
                json!({}),
                definition(
                    json!([{"type": "Established", "status": "True"}, {"type": "NonStructuralSchema", "status": "True", "message": "no type"}]),
                ),
                "Degraded: Schema violations found: no type",
            ),
        ],
    );
    let ready = || json!({"type": "Ready", "status": "True"});
    check(
        "v1",
        "Node",
        [
            ("new", json!({}), json!({}), "Progressing: Waiting for the kubelet to report"),
            ("ready", json!({}), json!({"conditions": [ready()]}), "Healthy"),
            (
                "cordoned",
                json!({"unschedulable": true}),
                json!({"conditions": [ready()]}),
                "Suspended: Node is cordoned",
            ),
            (
                "silent",
                json!({}),
                conditions("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."),
                "Degraded: Ready is Unknown (NodeStatusUnknown): Kubelet stopped posting node status.",
            ),
            (
                "full",
                json!({}),
                json!({"conditions": [{"type": "DiskPressure", "status": "True", "reason": "Full"}, ready()]}),
                "Degraded: DiskPressure is True (Full)",
            ),
        ],
    );
}
