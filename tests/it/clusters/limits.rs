//! `namespaces` and `clusterResources` of a cluster Secret: what is outside is an error, never in sync and never pruned.

use serde_json::{Value, json};

use super::{ClusterSecrets, with_token};
use crate::harness::{Outcome, TestApplication, TestCluster, TestRepo, config_map, or_skip, trueup};

fn cluster_role(name: &str) -> String {
    format!("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}}}\nrules: []\n")
}

/// A Secret that lets these namespaces be managed, with or without cluster-scoped resources.
fn limited(cluster: &TestCluster, namespaces: &str, cluster_resources: &str) -> ClusterSecrets {
    ClusterSecrets::new().with_data(
        "prod",
        &json!({
            "name": "prod", "server": cluster.server(), "config": with_token(cluster).to_string(),
            "namespaces": namespaces, "clusterResources": cluster_resources,
        }),
    )
}

fn application(git: &TestRepo, cluster: &TestCluster) -> TestApplication {
    let policy = json!({ "syncOptions": ["PrunePropagationPolicy=background"] });
    let destination = json!({ "name": "prod", "namespace": cluster.name() });
    git.application("shop").path("shop").destination(destination).spec_field("syncPolicy", policy)
}

fn run(arguments: &[&str], shop: &TestApplication, secrets: &ClusterSecrets, code: i32) -> Outcome {
    let run = trueup([]).arguments(arguments).argument(shop.manifest());
    run.argument("--clusters").argument(secrets.path()).exits(code)
}

fn state(report: &Value, name: &str) -> String {
    let resources = report["applications"][0]["resources"].as_array().unwrap();
    let found = resources.iter().find(|resource| resource["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not in {report:#}"))["state"].as_str().unwrap().to_owned()
}

/// As in Argo CD's namespaced mode: what git has outside of the limits is an error that says so.
#[test]
fn what_git_has_outside_of_the_limits_is_an_error() {
    let cluster = or_skip!(TestCluster::namespace());
    let role = format!("{}-role", cluster.name());
    let elsewhere = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: elsewhere, namespace: default}\n";
    let git = TestRepo::new()
        .file("shop/settings.yaml", config_map("settings"))
        .file("shop/role.yaml", cluster_role(&role))
        .file("shop/elsewhere.yaml", elsewhere)
        .commit("the shop");
    let shop = application(&git, &cluster);

    let outcome = run(&["diff", "-o", "json"], &shop, &limited(&cluster, cluster.name(), "false"), 2);
    let report = outcome.json();
    assert_eq!(report["applications"][0]["sync"], "Unknown");
    assert_eq!(
        [state(&report, "settings"), state(&report, &role), state(&report, "elsewhere")],
        ["missing", "unknown", "unknown"]
    );
    for part in [
        "cluster prod: cluster-scoped ClusterRole cannot be managed: the cluster's Secret limits it to namespace",
        "cluster prod: namespace `default` cannot be managed",
    ] {
        assert!(outcome.stdout.contains(part), "{part}: {}", outcome.transcript());
    }
    // Nothing of it is written, within the limits neither.
    run(&["sync", "-y"], &shop, &limited(&cluster, cluster.name(), "false"), 2);
    assert_eq!(cluster.kubectl(["get", "configmap", "settings", "--ignore-not-found"]), "");

    let namespaces = format!("{}, default", cluster.name());
    let report = run(&["diff", "-o", "json"], &shop, &limited(&cluster, &namespaces, "true"), 1).json();
    assert_eq!([state(&report, "settings"), state(&report, &role), state(&report, "elsewhere")], ["missing"; 3]);
}

/// The limits hide objects, not the account: it is the cluster behind them that knows it.
#[test]
fn an_account_is_known_within_the_limits_too() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("shop/settings.yaml", config_map("settings")).commit("the shop");
    let shop = application(&git, &cluster);

    let report = run(&["whoami", "-o", "json"], &shop, &limited(&cluster, cluster.name(), "false"), 0).json();

    let user = report["clusters"][0]["user"].as_str();
    assert!(user.is_some_and(|user| !user.is_empty()), "{report:#}");
    assert_eq!(report["applications"][0]["diff"]["allowed"], json!(true), "{report:#}");
}

/// Narrowed after a sync: what was synced outside and removed from git since is unknown. It is neither in sync nor pruned, and its
/// application is not deleted without it.
#[test]
fn what_was_synced_outside_of_the_limits_is_unknown_and_is_kept() {
    let cluster = or_skip!(TestCluster::namespace());
    let role = format!("{}-role", cluster.name());
    let git = TestRepo::new()
        .file("shop/settings.yaml", config_map("settings"))
        .file("shop/old.yaml", config_map("old"))
        .file("shop/role.yaml", cluster_role(&role))
        .commit("the shop");
    let shop = application(&git, &cluster);
    run(&["sync", "-y"], &shop, &limited(&cluster, cluster.name(), "true"), 0);
    let git = git.remove("shop/role.yaml").remove("shop/old.yaml").commit("without the role");
    let shop = application(&git, &cluster);
    let narrow = limited(&cluster, cluster.name(), "");

    let report = run(&["diff", "-o", "json"], &shop, &narrow, 2).json();
    assert_eq!([state(&report, "old"), state(&report, &role)], ["extra", "unknown"]);
    run(&["sync", "-y", "--prune"], &shop, &narrow, 2);
    run(&["delete", "shop", "-y"], &shop, &narrow, 2);
    let kept = cluster.kubectl(["get", "clusterrole", &role, "-o", "name"]);
    assert!(kept.contains(&role), "{kept}");
    assert!(cluster.kubectl(["get", "configmap", "settings", "-o", "name"]).contains("settings"));

    // With the limits of before it is seen again, and pruned.
    let all = ["sync", "-y", "--prune", "--max-prune", "100%"];
    run(&all, &shop, &limited(&cluster, cluster.name(), "true"), 0);
    assert_eq!(cluster.kubectl(["get", "clusterrole", &role, "--ignore-not-found"]), "");
}

/// Within the limits everything works: the namespace is created, extras are found and pruned, nothing outside is asked for.
#[test]
fn within_the_limits_an_application_is_synced_and_pruned() {
    let cluster = or_skip!(TestCluster::namespace());
    let created = format!("{}-created", cluster.name());
    let git = TestRepo::new()
        .file("shop/settings.yaml", config_map("settings"))
        .file("shop/old.yaml", config_map("old"))
        .commit("the shop");
    let shop = |git: &TestRepo| {
        git.application("shop").path("shop").destination(json!({ "name": "prod", "namespace": created })).spec_field(
            "syncPolicy",
            json!({ "syncOptions": ["CreateNamespace=true", "PrunePropagationPolicy=background"] }),
        )
    };
    let secrets = limited(&cluster, &created, "false");
    run(&["sync", "-y"], &shop(&git), &secrets, 0);
    let git = git.remove("shop/old.yaml").commit("without the old one");

    let report = run(&["diff", "-o", "json"], &shop(&git), &secrets, 1).json();
    assert_eq!(state(&report, "old"), "extra");
    run(&["sync", "-y", "--prune"], &shop(&git), &secrets, 0);
    run(&["diff"], &shop(&git), &secrets, 0);
}
