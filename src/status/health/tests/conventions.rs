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
                json!({"observedGeneration": 2, "conditions": [
                    condition("Available", "True", ""),
                    condition("Progressing", "True", "NewReplicaSetAvailable"),
                ]}),
                "Healthy: because",
            ),
            (
                "like a Deployment, of nobody knows which generation",
                spec(),
                conditions(vec![
                    condition("Available", "True", ""),
                    condition("Progressing", "True", "NewReplicaSetAvailable"),
                ]),
                "none",
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
                json!({"observedGeneration": "5c788f4484", "phase": "Ready"}),
                "Healthy",
            ),
            ("a generation as text", spec(), json!({"observedGeneration": "2", "phase": "Ready"}), "Healthy"),
            (
                "an older generation as text",
                spec(),
                json!({"observedGeneration": "1", "phase": "Ready"}),
                "Progressing: the controller has seen generation 1 of 2",
            ),
            ("a generation that is a map", spec(), json!({"observedGeneration": {}, "phase": "Ready"}), "Healthy"),
        ],
    );
}

/// Each of these once read as healthy: a sign that something is wrong counts more than every sign that all is well.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn a_bad_sign_anywhere_beats_a_good_one() {
    let condition = |kind: &str, status: &str, reason: &str| json!({"type": kind, "status": status, "reason": reason});
    let conditions = |list: &[(&str, &str, &str)]| json!({"conditions": list.iter().map(|(kind, status, reason)| condition(kind, status, reason)).collect::<Vec<_>>()});
    let ready_and = |fields: Value| {
        let mut status = json!({"conditions": [condition("Ready", "True", "")]});
        for (name, value) in fields.as_object().unwrap() {
            status[name] = value.clone();
        }
        status
    };
    let spec = || json!({});
    check(
        "shop.example.com/v1",
        "Till",
        [
            (
                "available, and the roll-out is stuck",
                spec(),
                conditions(&[("Available", "True", ""), ("Progressing", "False", "ProgressDeadlineExceeded")]),
                "Degraded: Progressing is False (ProgressDeadlineExceeded)",
            ),
            (
                "complete, because it failed",
                spec(),
                conditions(&[("Complete", "True", "JobFailed")]),
                "Degraded: Complete is True (JobFailed)",
            ),
            (
                "ready, and not healthy",
                spec(),
                conditions(&[("Ready", "True", ""), ("Healthy", "False", "")]),
                "Progressing: Healthy is False",
            ),
            (
                "ready, and known to be unhealthy",
                spec(),
                conditions(&[("Ready", "True", ""), ("Healthy", "False", "QuorumLost")]),
                "Degraded: Healthy is False (QuorumLost)",
            ),
            (
                "deployed, and its children are unhealthy",
                spec(),
                conditions(&[("Deployed", "True", ""), ("ChildrenHealthy", "False", "Unavailable")]),
                "Degraded: ChildrenHealthy is False (Unavailable)",
            ),
            (
                "deployed, and its children are on their way",
                spec(),
                conditions(&[("Deployed", "True", ""), ("ChildrenHealthy", "False", "Progressing")]),
                "Progressing: ChildrenHealthy is False (Progressing)",
            ),
            (
                "ready, and a part is not",
                spec(),
                conditions(&[("Ready", "True", ""), ("DatabaseReady", "False", "")]),
                "Progressing: DatabaseReady is False",
            ),
            (
                "ready, and a part has failed",
                spec(),
                conditions(&[("Ready", "True", ""), ("BackupSucceeded", "False", "")]),
                "Degraded: BackupSucceeded is False",
            ),
            (
                "ready, and a part is not available",
                spec(),
                conditions(&[("Ready", "True", ""), ("AllReplicasAvailable", "False", "QuotaExceeded")]),
                "Degraded: AllReplicasAvailable is False (QuotaExceeded)",
            ),
            ("only a part is ready", spec(), conditions(&[("DatabaseReady", "True", "")]), "none"),
            (
                "not ready, as a condition",
                spec(),
                conditions(&[("NotReady", "True", "Creating")]),
                "Progressing: NotReady is True (Creating)",
            ),
            (
                "nobody knows how far it is",
                spec(),
                conditions(&[("Available", "True", ""), ("Progressing", "Unknown", "")]),
                "Progressing: Progressing is Unknown",
            ),
            (
                "ready, and being updated",
                spec(),
                conditions(&[("Ready", "True", ""), ("ControlPlaneUpdating", "True", "")]),
                "Progressing: ControlPlaneUpdating is True",
            ),
            (
                "ready, and a failure of a part",
                spec(),
                conditions(&[("Ready", "True", ""), ("SyncFailed", "True", "")]),
                "Degraded: SyncFailed is True",
            ),
            (
                "not ready because it is stopped",
                spec(),
                conditions(&[("Ready", "False", "Stopped")]),
                "Suspended: Ready is False (Stopped)",
            ),
            ("good news in a bad word", spec(), conditions(&[("Ready", "True", "NoErrors")]), "Healthy"),
            (
                "ready, and provisioning",
                spec(),
                ready_and(json!({"phase": "Provisioning"})),
                "Progressing: `status.phase` is Provisioning",
            ),
            (
                "ready, and failed in a word of its own",
                spec(),
                ready_and(json!({"state": "UpgradeFailed"})),
                "Degraded: `status.state` is UpgradeFailed",
            ),
            ("ready, and red", spec(), ready_and(json!({"health": "red"})), "Degraded: `status.health` is red"),
            (
                "a phase that is well, and yellow",
                spec(),
                json!({"phase": "Ready", "health": "yellow"}),
                "Progressing: `status.health` is yellow",
            ),
            (
                "a phase and a state",
                spec(),
                json!({"phase": "Ready", "state": "Error"}),
                "Degraded: `status.state` is Error",
            ),
            (
                "completed, without success",
                spec(),
                json!({"state": "Completed", "pass": false}),
                "Degraded: `status.pass` is false",
            ),
            (
                "a flag that is not set",
                spec(),
                ready_and(json!({"ready": false})),
                "Progressing: `status.ready` is false",
            ),
            ("a flag alone", spec(), json!({"ready": true}), "none"),
            (
                "fewer replicas",
                json!({"replicas": 3}),
                ready_and(json!({"readyReplicas": 2})),
                "Progressing: `status.readyReplicas` is 2 of 3",
            ),
            ("all replicas", json!({"replicas": 3}), ready_and(json!({"readyReplicas": 3})), "Healthy"),
            ("paused", json!({"paused": true}), ready_and(json!({})), "Suspended: `spec.paused` is set"),
            ("suspended", json!({"suspended": true}), ready_and(json!({})), "Suspended: `spec.suspended` is set"),
            (
                "paused by a condition",
                spec(),
                conditions(&[("Ready", "True", ""), ("ReconciliationPaused", "True", "")]),
                "Suspended: ReconciliationPaused is True",
            ),
            (
                "asleep, and ready before",
                spec(),
                ready_and(json!({"phase": "hibernated"})),
                "Suspended: `status.phase` is hibernated",
            ),
            // Of the past or of a part: nothing ranks them.
            ("a part that failed", spec(), ready_and(json!({"targets": [{"name": "a", "phase": "failure"}]})), "none"),
            (
                "a result that is bad",
                spec(),
                ready_and(json!({"model": {"transitionStatus": "BlockedByFailedLoad"}})),
                "none",
            ),
            ("an operation under way", spec(), json!({"phase": "Bound", "lastOperationStatus": "Progressing"}), "none"),
            (
                "parts that are well",
                spec(),
                ready_and(json!({"targets": [{"phase": "success"}], "errorBudget": "no"})),
                "Healthy",
            ),
            ("a truth as a boolean", spec(), json!({"conditions": [{"type": "Ready", "status": true}]}), "Healthy"),
            (
                "an untruth as a boolean",
                spec(),
                json!({"conditions": [{"type": "Ready", "status": false, "reason": "Failed"}]}),
                "Degraded: Ready is False (Failed)",
            ),
            (
                "no reason, and a message that says it",
                spec(),
                json!({"conditions": [{"type": "Ready", "status": "False", "message": "Failed to reach it"}]}),
                "Degraded: Ready is False: Failed to reach it",
            ),
        ],
    );
}
