//! The ground that the other tests stand on: the API server is real, namespaces are apart, rights hold, nothing is left.

use crate::harness::{TestCluster, config_map, or_skip};

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
