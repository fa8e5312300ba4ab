//! Storage, and what is reached from outside.

use serde_json::json;

use super::*;
use crate::app::settings::HealthSettings;
use crate::status::health::lua::Clock;

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
