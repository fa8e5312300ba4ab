//! `ClusterRole`s that a controller puts together from others.

use super::*;

fn role(rules: Option<Value>, selector: &str) -> Value {
    let mut role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "sum"},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"aggregate-to": selector}}]},
    });
    if let Some(rules) = rules {
        role["rules"] = rules;
    }
    role
}

/// Argo CD says `OutOfSync` for ever: each sync empties the rules, and the controller writes them again.
#[test]
fn rules_that_git_leaves_empty_are_the_aggregation_controllers() {
    let written = || Some(json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]));
    let plain = |rules: Option<Value>| {
        let mut role = role(rules, "x");
        role.as_object_mut().unwrap().remove("aggregationRule");
        role
    };
    let applied = |rules: Option<Value>| {
        let mut live = role(rules, "x");
        let last = role(Some(json!([])), "x").to_string();
        live["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": last});
        live
    };
    for (name, git, live, is_in_sync) in [
        ("an empty list", role(Some(json!([])), "x"), role(written(), "x"), true),
        ("nothing", role(Some(Value::Null), "x"), role(written(), "x"), true),
        ("an empty list that kubectl applied", role(Some(json!([])), "x"), applied(written()), true),
        ("none in the cluster either", role(Some(json!([])), "x"), role(None, "x"), true),
        ("rules of its own", role(Some(json!([{"verbs": ["list"]}])), "x"), role(written(), "x"), false),
        ("another selector", role(Some(json!([])), "y"), role(written(), "x"), false),
        ("a role that aggregates nothing", plain(Some(json!([]))), plain(written()), false),
    ] {
        assert_eq!(is_settled(&git, &live), is_in_sync, "{name}");
    }
}
