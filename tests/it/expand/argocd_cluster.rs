//! `--clusters argocd`: cluster Secrets, ConfigMaps, tokens and decisions as the API server of Argo CD's cluster has them.

use serde_json::{Value, json};

use super::application_set;
use super::forges::{assert_names, words};
use crate::harness::{Answer, HttpServer, Outcome, TestCluster, folder_with, or_skip, trueup};

const TOKEN: &str = "s3cret-t0ken";

/// A cluster as `argocd cluster add` registers it.
fn cluster_secret(name: &str, env: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": format!("cluster-{name}"),
            "labels": {"argocd.argoproj.io/secret-type": "cluster", "env": env}, "annotations": {"team": "shop"}},
        "stringData": {"name": name, "server": format!("https://{name}.example.com"),
            "config": json!({"bearerToken": TOKEN}).to_string()}})
}

fn expanded(cluster: &TestCluster, generators: &Value, name: &str, output: &str) -> Outcome {
    let mut set = application_set(generators, name, ".");
    set["metadata"]["namespace"] = json!(cluster.name());
    set["spec"]["template"]["spec"]["destination"] =
        json!({"server": "{{dig \"server\" \"\" .}}", "namespace": "shop"});
    let folder = folder_with([("set.yaml", &set.to_string().as_str())]);
    let outcome = trueup(["expand", "set.yaml", "-o", output, "--clusters", "argocd"])
        .arguments(["--argocd-namespace", cluster.name(), "--context", cluster.context()])
        .argument("--kubeconfig")
        .argument(cluster.kubeconfig())
        .in_folder(folder.path())
        .outcome();
    assert!(!outcome.transcript().contains(TOKEN), "{}", outcome.transcript());
    outcome
}

/// Argo CD documentation, "Cluster Generator": the Applications go to the servers that the Secrets name.
#[test]
fn cluster_secrets_of_the_api_server_are_destinations() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(cluster_secret("eu", "prod"));
    cluster.apply(format!(
        "{}\n---\n{}",
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "other"}}),
        cluster_secret("us", "dev")
    ));
    let labelled = json!([{"clusters": {"selector": {"matchLabels": {"env": "prod"}}, "values": {"tier": "{{.metadata.labels.env}}"}}}]);

    let applications =
        expanded(&cluster, &labelled, "{{.name}}-{{.values.tier}}-{{.metadata.annotations.team}}", "json").json();

    let found: Vec<[&Value; 2]> = applications
        .as_array()
        .expect("an array")
        .iter()
        .map(|one| [&one["metadata"]["name"], &one["spec"]["destination"]["server"]])
        .collect();
    assert_eq!(found, [["eu-prod-shop", "https://eu.example.com"]]);
    assert_names(&expanded(&cluster, &json!([{"clusters": {}}]), "{{.name}}", "name"), &["in-cluster", "eu", "us"]);
    assert_names(
        &expanded(&cluster, &json!([{"clusters": {"flatList": true}}]), "n-{{len .clusters}}", "name"),
        &["n-3"],
    );
}

/// The token of a forge, a plugin's ConfigMap, and a resource that decides about clusters.
#[test]
fn other_generators_read_their_objects_from_the_api_server() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(cluster_secret("eu", "prod"));
    cluster.apply(
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "forge"}, "stringData": {"token": TOKEN}}),
    );
    let server = HttpServer::start(|request| {
        if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return Answer::json(401, &json!({"message": "Bad credentials"}));
        }
        match request.target.as_str() {
            "/api/v1/getparams.execute" => {
                Answer::json(200, &json!({"output": {"parameters": [{"name": "plugged", "server": "https://x"}]}}))
            }
            _ => Answer::json(
                200,
                &json!([{"number": 7, "head": {"ref": "one", "sha": "6dcb09b5"}, "base": {"ref": "main"}}]),
            ),
        }
    });
    cluster.apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "plugin"},
        "data": {"baseUrl": server.url(), "token": "$forge:token"}}));
    let pulls = json!([{"pullRequest": {"github": {"owner": "shop", "repo": "web", "api": server.url(),
        "tokenRef": {"secretName": "forge", "key": "token"}}, "values": {"a": "b"}}}]);
    let set = |generators: Value| json!([{"matrix": {"generators": [{"list": {"elements": [{"server": "https://x"}]}}, generators]}}]);
    assert_names(&expanded(&cluster, &set(pulls[0].clone()), "pull-{{.number}}", "name"), &["pull-7"]);
    let plugin = json!([{"plugin": {"configMapRef": {"name": "plugin"}}}]);
    assert_names(&expanded(&cluster, &plugin, "{{.name}}", "name"), &["plugged"]);

    // Any resource whose status has a list can decide: a Deployment's conditions, here.
    let container = json!({"name": "web", "image": "web:1"});
    cluster.apply(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "decider"}, "spec": {
        "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}}}));
    let status =
        json!({"status": {"conditions": [{"type": "eu", "status": "True"}, {"type": "unknown", "status": "True"}]}})
            .to_string();
    cluster.kubectl(["patch", "deployment/decider", "--subresource=status", "--type=merge", "-p", &status]);
    cluster.apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "decisions"},
        "data": {"apiVersion": "apps/v1", "kind": "deployments", "statusListKey": "conditions", "matchKey": "type"}}));
    let decided = json!([{"clusterDecisionResource": {"configMapRef": "decisions", "name": "decider"}}]);
    assert_names(&expanded(&cluster, &decided, "decided-{{.name}}", "name"), &["decided-eu"]);
}

/// Who may not read Secrets gets the API server's refusal, and no Application for the clusters that are not known.
#[test]
fn an_account_that_cannot_read_secrets_is_an_error() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(cluster_secret("eu", "prod"));
    let account = cluster.account("reader").may("get,list", "configmaps");
    let set = application_set(&json!([{"clusters": {}}]), "{{.name}}", ".").to_string();
    let folder = folder_with([("set.yaml", &set.as_str())]);

    let outcome =
        trueup(["expand", "set.yaml", "-o", "name", "--clusters", "argocd", "--argocd-namespace", cluster.name()])
            .kubeconfig(account.kubeconfig())
            .in_folder(folder.path())
            .outcome();

    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{}", outcome.transcript());
    let expected = format!("{}` cannot list `secrets` in namespace `{}`", account.user(), cluster.name());
    assert!(words(&outcome).contains(&expected), "{}", outcome.transcript());
}
