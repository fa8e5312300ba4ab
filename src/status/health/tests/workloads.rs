//! What keeps pods running, and the pods.

use serde_json::{Value, json};

use super::*;

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn a_deployment() {
    let fine = json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3});
    let with = |field: &str, value: Value| {
        let mut status = fine.clone();
        status[field] = value;
        status
    };
    let exceeded = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]);
    let three = || json!({"replicas": 3});
    check(
        "apps/v1",
        "Deployment",
        [
            ("as asked", three(), fine.clone(), "Healthy"),
            ("paused", json!({"replicas": 3, "paused": true}), json!({}), "Suspended: Deployment is paused"),
            (
                "not looked at yet",
                three(),
                with("observedGeneration", json!(1)),
                "Progressing: Waiting for rollout to finish: observed deployment generation less than desired generation",
            ),
            (
                "too late",
                three(),
                with("conditions", exceeded),
                "Degraded: Deployment \"web\" exceeded its progress deadline",
            ),
            (
                "some new",
                three(),
                with("updatedReplicas", json!(1)),
                "Progressing: Waiting for rollout to finish: 1 out of 3 new replicas have been updated...",
            ),
            (
                "some old",
                three(),
                with("replicas", json!(5)),
                "Progressing: Waiting for rollout to finish: 2 old replicas are pending termination...",
            ),
            (
                "not available",
                three(),
                with("availableReplicas", json!(2)),
                "Progressing: Waiting for rollout to finish: 2 of 3 updated replicas are available...",
            ),
            ("none asked for", json!({"replicas": 0}), json!({"observedGeneration": 2}), "Healthy"),
            (
                "nonsense",
                three(),
                with("replicas", json!("three")),
                "Unknown: `status.replicas` is text, not a whole number",
            ),
            (
                "half a replica",
                three(),
                with("replicas", json!(2.5)),
                "Unknown: `status.replicas` is 2.5, not a whole number",
            ),
        ],
    );
    check(
        "apps/v1beta1",
        "Deployment",
        [(
            "a version of long ago",
            three(),
            fine.clone(),
            "Unknown: unsupported Deployment GVK: apps/v1beta1, Kind=Deployment",
        )],
    );
}

#[test]
fn a_replica_set_and_a_replication_controller() {
    for (api_version, kind, called) in
        [("apps/v1", "ReplicaSet", "replica set"), ("v1", "ReplicationController", "replication controller")]
    {
        let stale = format!(
            "Progressing: Waiting for rollout to finish: observed {called} generation less than desired generation"
        );
        let failure = json!([{"type": "ReplicaFailure", "status": "True", "message": "quota exceeded"}]);
        check(
            api_version,
            kind,
            [
                (
                    "as asked",
                    json!({"replicas": 2}),
                    json!({"observedGeneration": 2, "availableReplicas": 2}),
                    "Healthy",
                ),
                (
                    "waiting",
                    json!({"replicas": 2}),
                    json!({"observedGeneration": 2, "availableReplicas": 1}),
                    "Progressing: Waiting for rollout to finish: 1 out of 2 new replicas are available...",
                ),
                (
                    "refused",
                    json!({"replicas": 2}),
                    json!({"observedGeneration": 2, "conditions": failure}),
                    "Degraded: quota exceeded",
                ),
            ],
        );
        let unseen = object(api_version, kind, &json!({"replicas": 2}), &json!({"observedGeneration": 1}));
        assert_eq!(shown(health(&unseen)), stale);
    }
}

#[test]
fn a_stateful_set() {
    let rolling = |partition: Value| json!({"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": partition}});
    let status = |updated: u32, current: &str| {
        json!({"observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": updated, "currentReplicas": 3,
               "updateRevision": "web-2", "currentRevision": current})
    };
    check(
        "apps/v1",
        "StatefulSet",
        [
            (
                "never looked at",
                rolling(json!({})),
                json!({}),
                "Progressing: Waiting for statefulset spec update to be observed...",
            ),
            (
                "not ready",
                rolling(json!({})),
                json!({"observedGeneration": 2, "readyReplicas": 1}),
                "Progressing: Waiting for 2 pods to be ready...",
            ),
            (
                "done",
                rolling(json!({"partition": 0})),
                status(3, "web-2"),
                "Healthy: partitioned roll out complete: 3 new pods have been updated...",
            ),
            (
                "a partition that holds back",
                rolling(json!({"partition": 2})),
                status(1, "web-1"),
                "Healthy: partitioned roll out complete: 1 new pods have been updated...",
            ),
            (
                "a partition that waits",
                rolling(json!({"partition": 1})),
                status(1, "web-1"),
                "Progressing: Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...",
            ),
            (
                "on deletion",
                json!({"replicas": 3, "updateStrategy": {"type": "OnDelete"}}),
                status(0, "web-1"),
                "Healthy: statefulset has 3 ready pods",
            ),
            (
                "without a strategy",
                json!({"replicas": 3}),
                status(3, "web-2"),
                "Healthy: statefulset rolling update complete 3 pods at revision web-2...",
            ),
        ],
    );
}

/// Argo CD says `Healthy` in the middle of this roll-out: it never compares the revisions when the API server has filled in
/// `rollingUpdate`, which it always does.
#[test]
fn a_stateful_set_in_the_middle_of_a_roll_out_is_not_healthy() {
    let strategy =
        json!({"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}});
    let status = json!({"observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 1,
                        "updateRevision": "web-2", "currentRevision": "web-1"});
    check(
        "apps/v1",
        "StatefulSet",
        [(
            "one of three",
            strategy,
            status,
            "Progressing: waiting for statefulset rolling update to complete 1 pods at revision web-2...",
        )],
    );
}

#[test]
fn a_daemon_set() {
    let status = |updated: u32, available: u32| json!({"observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": updated, "numberAvailable": available});
    check(
        "apps/v1",
        "DaemonSet",
        [
            ("on every node", json!({}), status(3, 3), "Healthy"),
            (
                "not looked at yet",
                json!({}),
                json!({"observedGeneration": 1}),
                "Progressing: Waiting for rollout to finish: observed daemon set generation less than desired generation",
            ),
            (
                "on deletion",
                json!({"updateStrategy": {"type": "OnDelete"}}),
                status(1, 1),
                "Healthy: daemon set 1 out of 3 new pods have been updated",
            ),
            (
                "some new",
                json!({}),
                status(2, 3),
                "Progressing: Waiting for daemon set \"web\" rollout to finish: 2 out of 3 new pods have been updated...",
            ),
            (
                "not available",
                json!({}),
                status(3, 1),
                "Progressing: Waiting for daemon set \"web\" rollout to finish: 1 of 3 updated pods are available...",
            ),
        ],
    );
}

#[test]
fn a_pod() {
    let always = || json!({"restartPolicy": "Always"});
    let never = || json!({"restartPolicy": "Never"});
    let waiting = |reason: &str, message: &str| json!({"phase": "Pending", "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": reason, "message": message}}}]});
    let terminated = |state: Value| json!({"phase": "Failed", "containerStatuses": [{"name": "app", "state": {"terminated": state}}]});
    check(
        "v1",
        "Pod",
        [
            ("starting", always(), json!({"phase": "Pending"}), "Progressing"),
            ("no image", always(), waiting("ErrImagePull", "not found"), "Degraded: not found"),
            (
                "no image, still",
                always(),
                waiting("ImagePullBackOff", "Back-off pulling"),
                "Degraded: Back-off pulling",
            ),
            ("no configuration", always(), waiting("CreateContainerConfigError", "no secret"), "Degraded: no secret"),
            ("creating", always(), waiting("ContainerCreating", ""), "Progressing"),
            ("no image, of a hook", never(), waiting("ImagePullBackOff", "Back-off pulling"), "Progressing"),
            ("done", never(), json!({"phase": "Succeeded"}), "Healthy"),
            ("evicted", always(), json!({"phase": "Failed", "message": "low on memory"}), "Degraded: low on memory"),
            (
                "failed, and says why",
                never(),
                terminated(json!({"exitCode": 1, "message": "no database"})),
                "Degraded: no database",
            ),
            (
                "out of memory",
                never(),
                terminated(json!({"exitCode": 137, "reason": "OOMKilled"})),
                "Degraded: OOMKilled",
            ),
            (
                "failed",
                never(),
                terminated(json!({"exitCode": 2, "reason": "Error"})),
                "Degraded: container \"app\" failed with exit code 2",
            ),
            (
                "ready",
                always(),
                json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}),
                "Healthy",
            ),
            (
                "restarted",
                always(),
                json!({"phase": "Running", "containerStatuses": [{"name": "app", "lastState": {"terminated": {"exitCode": 1}}}]}),
                "Degraded",
            ),
            ("not ready", always(), json!({"phase": "Running"}), "Progressing"),
            ("running to its end", never(), json!({"phase": "Running"}), "Progressing"),
            ("lost", always(), json!({"phase": "Unknown"}), "Unknown"),
        ],
    );
}

/// A Pod that never restarts but should be judged as one that does; a hook still is a hook.
#[test]
fn a_pod_may_ask_to_be_judged_as_if_it_restarted() {
    let status = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
    let mut pod = object("v1", "Pod", &json!({"restartPolicy": "Never"}), &status);
    pod.value_mut()["metadata"]["annotations"] = json!({"argocd.argoproj.io/ignore-restart-policy": "true"});
    assert_eq!(shown(health(&pod)), "Healthy");
    pod.value_mut()["metadata"]["annotations"]["argocd.argoproj.io/hook"] = json!("PreSync");
    assert_eq!(shown(health(&pod)), "Progressing");
}
