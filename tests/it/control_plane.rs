//! The ground that the other tests stand on: the API server is real, namespaces are apart, rights hold, nothing is left.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{TestCluster, config_map, deployment, or_skip};

/// The API server is Kubernetes' own, and kubectl works against it.
#[test]
fn the_api_server_answers_kubectl() {
    let cluster = or_skip!(TestCluster::namespace());

    let version: serde_json::Value = serde_json::from_str(&cluster.kubectl(["version", "-o", "json"])).unwrap();
    assert_eq!(version["serverVersion"]["gitVersion"], version["clientVersion"]["gitVersion"]);

    cluster.apply(config_map("settings").data("colour", "y"));
    assert_eq!(cluster.kubectl(["get", "configmap", "settings", "-o", "jsonpath={.data.colour}"]), "y");
    assert_eq!(cluster.kubectl(["config", "current-context"]).trim(), cluster.context());
}

/// Two tests that run side by side do not see each other's objects.
#[test]
fn two_namespaces_are_apart() {
    let one = or_skip!(TestCluster::namespace());
    let other = or_skip!(TestCluster::namespace());

    one.apply(config_map("settings"));

    assert_ne!(one.name(), other.name());
    assert_eq!(other.kubectl(["get", "configmap", "settings", "--ignore-not-found"]), "");
}

/// A user without rights is refused, not shown an empty list.
#[test]
fn a_user_without_rights_is_forbidden() {
    let cluster = or_skip!(TestCluster::namespace());

    let refused = cluster.try_kubectl(&cluster.stranger(), &["get", "configmaps"], "");
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains(r#"User "stranger" cannot list resource "configmaps""#));

    let unknown = cluster.try_kubectl(&cluster.unknown_token(), &["get", "configmaps"], "");
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("Unauthorized"));
}

/// An account may do what its Role says, where it says it, and nothing else.
#[test]
fn an_account_has_exactly_its_rights() {
    let cluster = or_skip!(TestCluster::namespace());
    let reader = cluster.account("reader").may("get,list", "configmaps").may_everywhere("list", "namespaces");
    let answer = |arguments: &[&str]| cluster.try_kubectl(reader.kubeconfig(), arguments, "").status.success();

    assert!(answer(&["get", "configmaps"]));
    assert!(answer(&["get", "namespaces"]));
    assert!(!answer(&["get", "configmaps", "--namespace=default"]));
    assert!(!answer(&["create", "configmap", "more"]));
    let who =
        cluster.try_kubectl(reader.kubeconfig(), &["auth", "whoami", "-o=jsonpath={.status.userInfo.username}"], "");
    assert_eq!(String::from_utf8_lossy(&who.stdout), reader.user());
}

/// Controllers are there for who asks: a Deployment's Pods run, without a machine to run them on.
#[test]
fn with_controllers_a_deployment_becomes_available() {
    let cluster = or_skip!(TestCluster::with_controllers());

    cluster.apply(deployment("web").replicas(2).image("registry.example.com/web:1.0.1"));

    cluster.kubectl(["wait", "--for=condition=Available", "deployment/web", "--timeout=60s"]);
    assert_eq!(cluster.kubectl(["get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}"]), "2");
}

/// Tests that are killed outright leave no program running and no folder behind.
#[test]
fn nothing_outlives_a_killed_test_run() {
    const ROLE: &str = "TRUEUP_TEST_TO_BE_KILLED";
    let cluster = or_skip!(TestCluster::namespace());
    if std::env::var_os(ROLE).is_some() {
        let line = format!("\nstarted {} {}\n", cluster.control_plane_folder().display(), cluster.server());
        std::io::stdout().write_all(line.as_bytes()).unwrap();
        loop {
            std::thread::park();
        }
    }

    let mut run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "control_plane::nothing_outlives_a_killed_test_run", "--nocapture"])
        .env(ROLE, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(run.stdout.take().unwrap()).lines().map(Result::unwrap);
    let started = lines.into_iter().find(|line| line.starts_with("started ")).expect("it starts a control plane");
    let (folder, server) = started["started ".len()..].rsplit_once(' ').unwrap();
    let address = server.trim_start_matches("https://");
    assert!(Path::new(folder).exists() && TcpStream::connect(address).is_ok());

    run.kill().unwrap();
    run.wait().unwrap();

    let limit = Instant::now() + Duration::from_secs(30);
    while Path::new(folder).exists() {
        assert!(Instant::now() < limit, "{folder} is still there");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(TcpStream::connect(address).is_err(), "the API server still listens at {address}");
}

/// What hooks need: a pod ends as its test says, a Job's or not.
#[test]
fn a_pod_ends_as_its_annotation_says() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let pod = |outcome: &str| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": outcome.to_lowercase(), "annotations": {"test.trueup.dev/outcome": outcome}},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "hook", "image": "registry.example.com/hook"}]},
        })
    };

    for outcome in ["Succeeded", "Failed"] {
        cluster.apply(pod(outcome));
        let phase = format!("--for=jsonpath={{.status.phase}}={outcome}");
        cluster.kubectl(["wait", &phase, "pod", &outcome.to_lowercase(), "--timeout=60s"]);
    }
}
