//! Every built-in rule, the general rule, and what no object can do.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::object::Object;

/// An object of a kind with a `spec` and a `status`, of generation 2.
fn object(api_version: &str, kind: &str, spec: &Value, status: &Value) -> Object {
    let metadata = json!({"name": "web", "namespace": "shop", "generation": 2});
    let value = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec, "status": status});
    Object::new(value).unwrap()
}

/// The verdict as `Status: message`.
fn shown(health: Option<Health>) -> String {
    match health {
        None => "none".to_owned(),
        Some(Health { status, message }) if message.is_empty() => status.to_string(),
        Some(Health { status, message }) => format!("{status}: {message}"),
    }
}

/// What a case is: its name, `spec`, `status`, and what is said of it.
type Case = (&'static str, Value, Value, &'static str);

fn check(api_version: &str, kind: &str, cases: impl IntoIterator<Item = Case>) {
    for (name, spec, status, expected) in cases {
        assert_eq!(shown(health(&object(api_version, kind, &spec, &status))), expected, "{kind}: {name}");
    }
}

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
fn a_job() {
    let conditions = |list: &[(&str, &str, &str)]| {
        let list: Vec<Value> = list
            .iter()
            .map(|(kind, status, message)| json!({"type": kind, "status": status, "message": message}))
            .collect();
        json!({ "conditions": list })
    };
    check(
        "batch/v1",
        "Job",
        [
            ("just made", json!({}), json!({}), "Progressing"),
            (
                "done",
                json!({}),
                conditions(&[("SuccessCriteriaMet", "True", ""), ("Complete", "True", "all done")]),
                "Healthy: all done",
            ),
            (
                "failed",
                json!({}),
                conditions(&[("Failed", "True", "BackoffLimitExceeded")]),
                "Degraded: BackoffLimitExceeded",
            ),
            ("about to fail", json!({}), conditions(&[("FailureTarget", "True", "")]), "Progressing"),
            ("suspended", json!({}), conditions(&[("Suspended", "True", "Job suspended")]), "Suspended"),
        ],
    );
}

/// Argo CD says `Healthy` while it runs: the API server keeps `Suspended` with status `False` for ever.
#[test]
fn a_job_that_was_resumed_is_running() {
    let resumed = json!({"active": 1, "conditions": [{"type": "Suspended", "status": "False", "reason": "JobResumed", "message": "Job resumed"}]});
    check("batch/v1", "Job", [("resumed", json!({}), resumed, "Progressing")]);
}

#[test]
fn a_cron_job() {
    let status = |scheduled: &str, successful: Option<&str>, active: Value| json!({"lastScheduleTime": scheduled, "lastSuccessfulTime": successful, "active": active});
    let (early, late) = ("2026-11-24T06:00:00Z", "2026-11-24T06:05:00Z");
    check(
        "batch/v1",
        "CronJob",
        [
            ("suspended", json!({"suspend": true}), json!({}), "Suspended: CronJob is Suspended"),
            ("just made", json!({}), json!(null), "Progressing: Waiting for CronJob"),
            ("not due yet", json!({}), json!({}), "Healthy: CronJob has not been scheduled yet"),
            (
                "never done",
                json!({}),
                status(late, None, json!([])),
                "Healthy: The Cronjob never completed succesfully. It may not be healthy",
            ),
            (
                "running",
                json!({}),
                status(late, Some(early), json!([{"name": "web-1"}])),
                "Healthy: The job is running. Its last execution may not have been successful",
            ),
            (
                "failed",
                json!({}),
                status(late, Some(early), json!([])),
                "Degraded: CronJob has not completed its last execution successfully",
            ),
            (
                "done",
                json!({}),
                status(early, Some(late), json!(null)),
                "Healthy: CronJob has completed its last execution successfully",
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

#[test]
fn storage_and_network() {
    let address = || json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
    let balanced = || json!({"type": "LoadBalancer"});
    check(
        "v1",
        "PersistentVolumeClaim",
        [
            ("bound", json!({}), json!({"phase": "Bound"}), "Healthy"),
            ("pending", json!({}), json!({"phase": "Pending"}), "Progressing"),
            ("lost", json!({}), json!({"phase": "Lost"}), "Degraded"),
            ("new", json!({}), json!({}), "Unknown"),
        ],
    );
    check(
        "v1",
        "Service",
        [
            ("inside", json!({"type": "ClusterIP"}), json!({"loadBalancer": {}}), "Healthy"),
            ("waiting", balanced(), json!({"loadBalancer": {}}), "Progressing"),
            ("reachable", balanced(), address(), "Healthy"),
        ],
    );
    for api_version in ["networking.k8s.io/v1", "extensions/v1beta1"] {
        check(
            api_version,
            "Ingress",
            [
                ("waiting", json!({}), json!({"loadBalancer": {}}), "Progressing"),
                ("reachable", json!({}), address(), "Healthy"),
            ],
        );
    }
}

/// The two eternal complaints: where nothing hands out addresses, nothing is ever healthy.
#[test]
fn what_never_gets_an_address_may_be_called_healthy() {
    let mut settings = HealthSettings::default();
    settings.ingress_without_address_is_healthy = true;
    settings.load_balancer_without_address_is_healthy = true;
    let judge = Judge::new(settings, Clock { now: std::time::Instant::now, unix: || 0 });
    for (api_version, kind) in [("networking.k8s.io/v1", "Ingress"), ("v1", "Service")] {
        let object = object(api_version, kind, &json!({"type": "LoadBalancer"}), &json!({"loadBalancer": {}}));
        assert_eq!(shown(judge.health(&object)), "Healthy", "{kind}");
    }
}

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

#[test]
fn gateways_and_routes() {
    let parent = |kind: &str, status: &str, generation: u32| json!({"parents": [{"parentRef": {"name": "edge"}, "conditions": [{"type": kind, "status": status, "message": "because", "observedGeneration": generation}]}]});
    check(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        [
            ("new", json!({}), json!({}), "Progressing: Waiting for HTTPRoute status"),
            ("accepted", json!({}), parent("Accepted", "True", 2), "Healthy: HTTPRoute is healthy"),
            ("refused", json!({}), parent("Accepted", "False", 2), "Degraded: Parent edge: because"),
            ("no backend", json!({}), parent("ResolvedRefs", "False", 2), "Degraded: Parent edge: because"),
            ("refused before", json!({}), parent("Accepted", "False", 1), "Progressing: Waiting for HTTPRoute status"),
        ],
    );
    let gateway =
        |kind: &str, status: &str| json!({"conditions": [{"type": kind, "status": status, "message": "because"}]});
    check(
        "gateway.networking.k8s.io/v1",
        "Gateway",
        [
            ("new", json!({}), json!({}), "Progressing: Waiting for Gateway status"),
            ("programmed", json!({}), gateway("Programmed", "True"), "Healthy: Gateway is healthy"),
            ("at work", json!({}), gateway("Programmed", "False"), "Progressing: because"),
            ("refused", json!({}), gateway("Accepted", "False"), "Degraded: because"),
            (
                "a listener",
                json!({}),
                json!({"listeners": [gateway("ResolvedRefs", "False")]}),
                "Degraded: Listener: because",
            ),
        ],
    );
    check(
        "gateway.networking.k8s.io/v1",
        "GatewayClass",
        [
            ("new", json!({}), gateway("Accepted", "Unknown"), "Progressing: Waiting for GatewayClass status"),
            ("accepted", json!({}), gateway("Accepted", "True"), "Healthy: GatewayClass is healthy"),
            ("refused", json!({}), gateway("Accepted", "False"), "Degraded: because"),
        ],
    );
}

#[test]
fn argo_s_own_kinds() {
    check(
        "argoproj.io/v1alpha1",
        "Workflow",
        [
            ("new", json!({}), json!({}), "Progressing"),
            ("running", json!({}), json!({"phase": "Running"}), "Progressing"),
            ("done", json!({}), json!({"phase": "Succeeded"}), "Healthy"),
            ("failed", json!({}), json!({"phase": "Error", "message": "no pod"}), "Degraded: no pod"),
            ("odd", json!({}), json!({"phase": "Dreaming"}), "Unknown"),
        ],
    );
    check(
        "argoproj.io/v1alpha1",
        "Application",
        [
            ("new", json!({}), json!({}), "Progressing"),
            ("healthy", json!({}), json!({"health": {"status": "Healthy"}}), "Healthy"),
            ("degraded", json!({}), json!({"health": {"status": "Degraded", "message": "no pod"}}), "Degraded: no pod"),
            ("odd", json!({}), json!({"health": {"status": "Dreaming"}}), "Unknown"),
        ],
    );
}

/// What is on its way out is not judged by its rule, unless it is a hook whose end is awaited.
#[test]
fn what_is_being_deleted() {
    let mut pod = object("v1", "Pod", &json!({"restartPolicy": "Never"}), &json!({"phase": "Succeeded"}));
    pod.value_mut()["metadata"]["deletionTimestamp"] = json!("2026-11-24T06:00:00Z");
    assert_eq!(shown(health(&pod)), "Progressing: Pending deletion");
    pod.value_mut()["metadata"]["finalizers"] = json!(["argocd.argoproj.io/hook-finalizer"]);
    assert_eq!(shown(health(&pod)), "Healthy");
    let left = json!({"phase": "Terminating", "conditions": [
        {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "All resources successfully discovered"},
        {"type": "NamespaceContentRemaining", "status": "True", "message": "Some resources are remaining: pods. has 1 resource instances"},
    ]});
    let mut namespace = object("v1", "Namespace", &json!({}), &left);
    assert_eq!(shown(health(&namespace)), "none");
    namespace.value_mut()["metadata"]["deletionTimestamp"] = json!("2026-11-24T06:00:00Z");
    assert_eq!(
        shown(health(&namespace)),
        "Progressing: Pending deletion; Some resources are remaining: pods. has 1 resource instances"
    );
}

#[test]
fn kinds_that_cannot_be_unhealthy_have_no_health() {
    for (api_version, kind) in [("v1", "ConfigMap"), ("v1", "Secret"), ("rbac.authorization.k8s.io/v1", "Role")] {
        check(api_version, kind, [("as it is", json!({}), json!({"phase": "Failed"}), "none")]);
    }
}

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

/// The worst of what is there; what is missing counts only when everything is.
#[test]
fn an_application_is_as_healthy_as_its_worst_resource() {
    use HealthStatus::{Degraded, Healthy, Missing, Progressing, Suspended, Unknown};
    let cases: [(&str, &[Option<HealthStatus>], HealthStatus); 9] = [
        ("nothing", &[], Healthy),
        ("no verdicts", &[None, None], Healthy),
        ("all healthy", &[Some(Healthy), None], Healthy),
        ("one suspended", &[Some(Healthy), Some(Suspended)], Suspended),
        ("one on its way", &[Some(Suspended), Some(Progressing)], Progressing),
        ("one degraded", &[Some(Degraded), Some(Progressing)], Degraded),
        ("one unknown", &[Some(Degraded), Some(Unknown)], Unknown),
        ("one missing", &[Some(Healthy), Some(Missing)], Healthy),
        ("all missing", &[Some(Missing), Some(Missing)], Missing),
    ];
    for (name, statuses, expected) in cases {
        let healths: Vec<Option<Health>> =
            statuses.iter().map(|status| status.map(|status| Health::new(status, ""))).collect();
        let counted = healths.iter().map(|health| Counted { health: health.as_ref(), is_application: false });
        assert_eq!(aggregate(counted), expected, "{name}");
    }
    let child = Health::new(Unknown, "");
    let unknown = Counted { health: Some(&child), is_application: true };
    assert_eq!(aggregate([unknown]), Healthy, "an application of its own that nobody knows of yet");
}

/// Any JSON, with the words that rules look for among its keys.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        prop::sample::select(vec!["True", "False", "Ready", "Running", "Failed", "LoadBalancer", "RollingUpdate"])
            .prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "conditions",
        "type",
        "status",
        "reason",
        "message",
        "phase",
        "state",
        "replicas",
        "updatedReplicas",
        "waiting",
        "availableReplicas",
        "readyReplicas",
        "observedGeneration",
        "generation",
        "containerStatuses",
        "terminated",
        "exitCode",
        "loadBalancer",
        "ingress",
        "parents",
        "listeners",
        "updateStrategy",
        "rollingUpdate",
        "partition",
        "health",
        "lastState",
    ]);
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// A status is written by any controller, in any shape: it is judged, or it is not, and nothing breaks.
    #[test]
    fn no_object_breaks_a_rule(spec in any_value(), status in any_value(), generation in any_value()) {
        for (api_version, kind) in [
            ("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"), ("apps/v1", "ReplicaSet"),
            ("v1", "Pod"), ("v1", "Service"), ("v1", "Node"), ("v1", "PersistentVolumeClaim"), ("batch/v1", "Job"), ("batch/v1", "CronJob"),
            ("autoscaling/v2", "HorizontalPodAutoscaler"), ("networking.k8s.io/v1", "Ingress"), ("policy/v1", "PodDisruptionBudget"),
            ("apiextensions.k8s.io/v1", "CustomResourceDefinition"), ("apiregistration.k8s.io/v1", "APIService"),
            ("gateway.networking.k8s.io/v1", "Gateway"), ("gateway.networking.k8s.io/v1", "HTTPRoute"),
            ("argoproj.io/v1alpha1", "Application"), ("argoproj.io/v1alpha1", "Workflow"), ("shop.example.com/v1", "Till"),
        ] {
            let value = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web", "generation": generation}, "spec": spec, "status": status});
            let _ = health(&Object::new(value).unwrap());
        }
    }
}
