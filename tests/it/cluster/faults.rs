//! Everything that can go wrong between here and an API server: always an error, never an empty answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use trueup::cluster::{ClusterError, ClusterSettings};

use super::{Asked, settings_of, told};
use crate::harness::{Front, Reply};
use crate::harness::{TestCluster, config_map, or_skip};

fn asked(front: &Front) -> Asked {
    Asked::with(ClusterSettings {
        kubeconfig: Some(front.kubeconfig()),
        request_timeout: Some(Duration::from_secs(5)),
        ..ClusterSettings::default()
    })
}

/// A server that serves `ConfigMap`s and answers a LIST of them like this.
pub(super) fn serving(list: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Front {
    Front::alone(move |line| {
        let path = line.split(' ').nth(1)?;
        Some(match path {
            "/version" => Reply::json(200, &json!({ "gitVersion": "v1.36.3" })),
            "/api" => Reply::json(200, &discovery()),
            "/apis" => Reply::json(200, &json!({ "kind": "APIGroupDiscoveryList", "items": [] })),
            _ => list(path),
        })
    })
}

fn discovery() -> Value {
    json!({ "kind": "APIGroupDiscoveryList", "items": [{ "metadata": {}, "versions": [{
        "version": "v1", "freshness": "Current", "resources": [{
            "resource": "configmaps", "responseKind": { "kind": "ConfigMap" }, "scope": "Namespaced", "verbs": ["list"],
        }],
    }] }] })
}

/// The API server is down, or the VPN is: the error names the address and the context.
#[test]
fn a_server_that_is_down_is_unreachable() {
    let front = Front::alone(|_| None);
    let kubeconfig = front.kubeconfig();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = ClusterSettings {
        kubeconfig: Some(kubeconfig),
        server: Some(format!("http://{nobody}")),
        ..ClusterSettings::default()
    };

    let error = Asked::with(settings).kinds().unwrap_err();

    assert!(matches!(error, ClusterError::Unreachable { .. }), "{error:?}");
    let told = told(&error);
    assert!(
        told.starts_with(&format!("cluster front: http://{nobody} cannot be reached\nConnection refused")),
        "{told}"
    );
}

/// A name that no resolver knows reads as what it is.
#[test]
fn a_host_that_does_not_exist_is_unreachable() {
    let front = Front::alone(|_| None);
    let settings = ClusterSettings {
        kubeconfig: Some(front.kubeconfig()),
        server: Some("https://prod.invalid:6443".to_owned()),
        ..ClusterSettings::default()
    };

    let error = Asked::with(settings).kinds().unwrap_err();

    assert!(matches!(error, ClusterError::Unreachable { .. }), "{error:?}");
}

/// A server that accepts connections and says nothing does not hang the run.
#[test]
fn a_silent_server_is_a_timeout() {
    let front = Front::alone(|_| Some(Reply::Silence));
    let settings = ClusterSettings {
        kubeconfig: Some(front.kubeconfig()),
        request_timeout: Some(Duration::from_millis(300)),
        ..ClusterSettings::default()
    };

    let error = Asked::with(settings).kinds().unwrap_err();

    assert!(matches!(error, ClusterError::Timeout { .. }), "{error:?}");
    assert!(
        told(&error).ends_with("within 0.3 s\nhelp: `--request-timeout` sets another limit; 0 means no limit"),
        "{}",
        told(&error)
    );
}

/// A server that is not to be trusted is not talked to: no token is sent before the certificate is checked.
#[test]
fn a_certificate_of_somebody_else_is_a_tls_error() {
    let cluster = or_skip!(TestCluster::namespace());
    let kubeconfig = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
    let mut kubeconfig: Value = serde_json::from_str(&kubeconfig).unwrap();
    let entry = kubeconfig.pointer_mut("/clusters/0/cluster").unwrap();
    entry["tls-server-name"] = json!("somebody-else.example.com");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    std::fs::write(&file, kubeconfig.to_string()).unwrap();

    let error = Asked::with(ClusterSettings { kubeconfig: Some(file), ..settings_of(&cluster) }).kinds().unwrap_err();

    assert!(matches!(error, ClusterError::Tls { .. }), "{error:?}");
    assert!(told(&error).contains("somebody-else.example.com"), "{}", told(&error));
}

/// A token that the server does not know.
#[test]
fn an_unknown_token_is_unauthorized() {
    let cluster = or_skip!(TestCluster::namespace());
    let settings = ClusterSettings { kubeconfig: Some(cluster.unknown_token()), ..settings_of(&cluster) };

    let error = Asked::with(settings).kinds().unwrap_err();

    assert!(matches!(error, ClusterError::Unauthorized { .. }), "{error:?}");
    assert!(!told(&error).contains("nobody-knows-it"), "{}", told(&error));
}

/// A thousand applications do not wait a thousand times for the same dead server.
#[test]
fn a_failed_discovery_is_not_repeated() {
    let front = Front::alone(|_| Some(Reply::json(500, &json!({ "kind": "Status", "message": "etcd is gone" }))));
    let asked = asked(&front);

    let first = asked.kinds().unwrap_err();
    let second = asked.list("v1", "ConfigMap", None).unwrap_err();

    assert_eq!(first, second);
    assert!(told(&first).contains("etcd is gone"), "{}", told(&first));
    assert_eq!(front.seen().len(), 3);
}

/// A proxy's login page, a cut-off page, items that are no objects: unknown, with the item's number; never "missing".
#[test]
fn a_malformed_answer_is_an_error_that_names_the_item() {
    for (body, problem) in [
        (r#"{"metadata":{},"items":[{"metadata":{"name":"a"}},"s3cret"]}"#, "item 1 of `v1/ConfigMap` is text"),
        (r#"{"metadata":{},"items":[{"metadata":{"name":"a"}}"#, "it is not JSON, or is cut off"),
        ("<html>please log in</html>", "it is not JSON"),
        (r#"{"kind":"ConfigMapList"}"#, "it is not a list of objects"),
    ] {
        let front = serving(move |_| Reply::Now(200, "", body.to_owned()));

        let error = asked(&front).list("v1", "ConfigMap", Some("shop")).unwrap_err();

        assert!(matches!(error, ClusterError::BrokenAnswer { .. }), "{error:?}");
        let told = told(&error);
        assert!(told.contains(problem) && !told.contains("s3cret"), "{told}");
        assert!(told.contains("`GET /api/v1/namespaces/shop/configmaps`"), "{told}");
    }
}

/// An overloaded server asks for patience, and gets it.
#[test]
fn a_server_that_is_busy_is_asked_again() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(config_map("settings"));
    for answer in [
        || Reply::Now(429, "Retry-After: 0\r\n", "{}".to_owned()),
        || Reply::Now(503, "", "{}".to_owned()),
        || Reply::Hangup,
    ] {
        let count = AtomicUsize::new(0);
        let front = or_skip!(Front::before(&cluster, move |line| {
            (line.contains("configmaps") && count.fetch_add(1, Ordering::Relaxed) < 2).then(answer)
        }));
        let asked = asked(&front);

        assert!(!asked.list("v1", "ConfigMap", Some(cluster.name())).unwrap().is_empty());
        assert_eq!(asked.requests().list, 3);
    }
}

/// Patience has an end, and the end is an error.
#[test]
fn a_server_that_stays_busy_is_an_error() {
    let body = json!({ "kind": "Status", "message": "too many requests, slow down" });
    let front = serving(move |_| Reply::Now(429, "Retry-After: 0\r\n", body.to_string()));
    let asked = asked(&front);

    let error = asked.list("v1", "ConfigMap", None).unwrap_err();

    assert!(matches!(error, ClusterError::Server { status: 429, .. }), "{error:?}");
    assert!(told(&error).contains("slow down"), "{}", told(&error));
    assert_eq!(asked.requests().list, 4);
}
