//! Custom resources, by what their operators write.

use serde_json::{Value, json};

use super::*;

/// What operators really write, and what it means; after the kinds that are named in each line.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn a_custom_resource_by_its_conventions() {
    let condition = |kind: &str, status: &str, reason: &str| json!({"type": kind, "status": status, "reason": reason, "message": "because"});
    let conditions = |list: Vec<Value>| json!({ "conditions": list });
    let spec = || json!({});
    check(
        "shop.example.com/v1",
        "Till",
        [
            ("no status", spec(), json!(null), "none"),
            ("an empty status", spec(), json!({}), "none"),
            ("ready", spec(), conditions(vec![condition("Ready", "True", "Up")]), "Healthy: because"),
            (
                "issuing (cert-manager)",
                spec(),
                conditions(vec![condition("Ready", "False", "DoesNotExist")]),
                "Progressing: Ready is False (DoesNotExist): because",
            ),
            (
                "cannot (external-secrets)",
                spec(),
                conditions(vec![condition("Ready", "False", "SecretSyncedError")]),
                "Degraded: Ready is False (SecretSyncedError): because",
            ),
            (
                "unknown",
                spec(),
                conditions(vec![condition("Ready", "Unknown", "")]),
                "Progressing: Ready is Unknown: because",
            ),
            (
                "reconciling (Flux)",
                spec(),
                conditions(vec![
                    condition("Ready", "Unknown", "Progressing"),
                    condition("Reconciling", "True", "Progressing"),
                ]),
                "Progressing: Reconciling is True (Progressing): because",
            ),
            (
                "stalled (Flux)",
                spec(),
                conditions(vec![condition("Ready", "False", "X"), condition("Stalled", "True", "Y")]),
                "Degraded: Stalled is True (Y): because",
            ),
            (
                "ready, not synced (Crossplane)",
                spec(),
                conditions(vec![
                    condition("Ready", "True", "Available"),
                    condition("Synced", "False", "ReconcileError"),
                ]),
                "Degraded: Synced is False (ReconcileError): because",
            ),
            (
                "synced, not ready (Crossplane)",
                spec(),
                conditions(vec![
                    condition("Ready", "False", "Creating"),
                    condition("Synced", "True", "ReconcileSuccess"),
                ]),
                "Progressing: Ready is False (Creating): because",
            ),
            (
                "synced, and nothing else",
                spec(),
                conditions(vec![condition("Synced", "True", "ReconcileSuccess")]),
                "none",
            ),
            (
                "a cluster operator",
                spec(),
                conditions(vec![
                    condition("Available", "True", ""),
                    condition("Progressing", "False", ""),
                    condition("Degraded", "False", ""),
                ]),
                "Healthy: because",
            ),
            (
                "a cluster operator at work",
                spec(),
                conditions(vec![condition("Available", "True", ""), condition("Progressing", "True", "")]),
                "Progressing: Progressing is True: because",
            ),
            (
                "like a Deployment",
                spec(),
                conditions(vec![
                    condition("Available", "True", ""),
                    condition("Progressing", "True", "NewReplicaSetAvailable"),
                ]),
                "Healthy: because",
            ),
            (
                "degraded, though available",
                spec(),
                conditions(vec![condition("Available", "True", ""), condition("Degraded", "True", "")]),
                "Degraded: Degraded is True: because",
            ),
            (
                "running (Tekton)",
                spec(),
                conditions(vec![condition("Succeeded", "Unknown", "Running")]),
                "Progressing: Succeeded is Unknown (Running): because",
            ),
            (
                "failed (Tekton)",
                spec(),
                conditions(vec![condition("Succeeded", "False", "Timeout")]),
                "Degraded: Succeeded is False (Timeout): because",
            ),
            (
                "paused",
                spec(),
                conditions(vec![condition("Ready", "True", ""), condition("Paused", "True", "")]),
                "Suspended: Paused is True: because",
            ),
            (
                "suspended by git (Flux)",
                json!({"suspend": true}),
                conditions(vec![condition("Ready", "True", "")]),
                "Suspended: `spec.suspend` is set",
            ),
            ("an unknown convention", spec(), conditions(vec![condition("MoonIsFull", "True", "")]), "none"),
            (
                "only a good part (Knative)",
                spec(),
                conditions(vec![condition("Ready", "True", ""), condition("Installed", "False", "")]),
                "Healthy: because",
            ),
            (
                "two good parts, one not",
                spec(),
                conditions(vec![condition("Available", "True", ""), condition("Installed", "False", "")]),
                "Progressing: Installed is False: because",
            ),
            (
                "stale",
                spec(),
                json!({"observedGeneration": 1, "conditions": [condition("Ready", "True", "")]}),
                "Progressing: the controller has seen generation 1 of 2",
            ),
            (
                "a stale condition",
                spec(),
                json!({"conditions": [{"type": "Ready", "status": "True", "observedGeneration": 1}]}),
                "Progressing: Ready is True; of an older generation",
            ),
            (
                "information (Cluster API)",
                spec(),
                json!({"conditions": [{"type": "Ready", "status": "False", "severity": "Info", "reason": "WaitingForX"}]}),
                "Progressing: Ready is False (WaitingForX)",
            ),
            (
                "an error (Cluster API)",
                spec(),
                json!({"conditions": [{"type": "Ready", "status": "False", "severity": "Error", "reason": "X"}]}),
                "Degraded: Ready is False (X)",
            ),
            ("conditions of another shape", spec(), json!({"conditions": {"Ready": "yes"}}), "none"),
            ("conditions that are no maps", spec(), json!({"conditions": ["Ready"]}), "none"),
            ("a phase", spec(), json!({"phase": "Ready"}), "Healthy"),
            (
                "a phase in capitals",
                spec(),
                json!({"phase": "IN_PROGRESS"}),
                "Progressing: `status.phase` is IN_PROGRESS",
            ),
            (
                "a phase of failure",
                spec(),
                json!({"phase": "Failed", "message": "no money"}),
                "Degraded: `status.phase` is Failed: no money",
            ),
            ("a state", spec(), json!({"state": "Error"}), "Degraded: `status.state` is Error"),
            ("a phase that means either", spec(), json!({"phase": "Running"}), "none"),
            ("a phase of its own", spec(), json!({"phase": "Dreaming"}), "none"),
            (
                "ready, and failed",
                spec(),
                json!({"phase": "Failed", "conditions": [condition("Ready", "True", "")]}),
                "Degraded: `status.phase` is Failed",
            ),
            (
                "a generation that is no number",
                spec(),
                json!({"observedGeneration": "two", "phase": "Ready"}),
                "Unknown: `status.observedGeneration` is text, not a whole number",
            ),
        ],
    );
}
