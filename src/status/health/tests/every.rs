//! What holds for every object, and for an application of many.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// An object that is being deleted is not judged by its rule, unless it is a hook whose end is awaited.
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
            ("argoproj.io/v1alpha1", "Rollout"), ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"), ("pkg.crossplane.io/v1", "Provider"),
            ("postgresql.cnpg.io/v1", "Cluster"), ("cluster.x-k8s.io/v1beta1", "Machine"), ("promoter.argoproj.io/v1alpha1", "PromotionStrategy"),
            ("elasticsearch.k8s.elastic.co/v1", "Elasticsearch"), ("networking.istio.io/v1", "VirtualService"),
        ] {
            let value = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web", "generation": generation}, "spec": spec, "status": status});
            let _ = health(&Object::new(value).unwrap());
        }
    }
}
