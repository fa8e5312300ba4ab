//! Where generators have their facts from: manifests, the kubeconfig, a fixture.

use serde_json::json;

use super::application_set;
use crate::harness::{folder_with, trueup};

const SECRETS: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  labels: {argocd.argoproj.io/secret-type: cluster, env: prod}\n\
    stringData: {name: prod, server: 'https://prod.example.com'}\n";
const DECISIONS: &str = "kind: ConfigMap\nmetadata: {name: placements}\n\
    data: {apiVersion: cluster.open-cluster-management.io/v1beta1, kind: placementdecisions, statusListKey: decisions, matchKey: clusterName}\n---\n\
    apiVersion: cluster.open-cluster-management.io/v1beta1\nkind: PlacementDecision\n\
    metadata: {name: web-decision-1, labels: {cluster.open-cluster-management.io/placement: web}}\n\
    status: {decisions: [{clusterName: prod, reason: ''}, {clusterName: unknown, reason: ''}]}\n";

/// Documentation, "Cluster Decision Resource Generator", with Open Cluster Management.
#[test]
fn a_folder_has_clusters_and_decisions() {
    let set = application_set(
        &json!([{"clusterDecisionResource": {"configMapRef": "placements",
            "labelSelector": {"matchLabels": {"cluster.open-cluster-management.io/placement": "web"}}}}]),
        "{{.name}}-guestbook",
        ".",
    );
    let set = set.to_string();
    let folder = folder_with([
        ("set.yaml", &set.as_str()),
        ("argo/secrets.yaml", &SECRETS),
        ("argo/decisions.yaml", &DECISIONS),
    ]);
    let run = trueup(["expand", "set.yaml", "-o", "name", "--clusters", "argo"]).in_folder(folder.path()).exits(0);
    assert_eq!(run.stdout, "prod-guestbook\n", "{}", run.transcript());
}

/// `argocd cluster add CONTEXT` names a cluster as the context is named; labels it has none.
#[test]
fn contexts_of_the_kubeconfig_are_clusters_when_asked_for() {
    let kubeconfig = "apiVersion: v1\nkind: Config\ncontexts:\n- {name: eu, context: {cluster: one, user: me}}\n\
        - {name: us, context: {cluster: two, user: me}}\nclusters:\n- {name: one, cluster: {server: 'https://eu.example.com'}}\n\
        - {name: two, cluster: {server: 'https://us.example.com/'}}\nusers:\n- {name: me, user: {token: s3cret}}\n";
    let set = |selector: serde_json::Value| {
        application_set(&json!([{"clusters": selector}]), "{{.name}}-{{.server | trimPrefix \"https://\"}}", ".")
            .to_string()
    };
    let (all, labelled) = (set(json!({})), set(json!({"selector": {"matchLabels": {"env": "prod"}}})));
    let folder = folder_with([
        ("all.yaml", &all.as_str()),
        ("labelled.yaml", &labelled.as_str()),
        ("kubeconfig.yaml", &kubeconfig),
    ]);
    let run = |set: &str| {
        trueup(["expand", set, "-o", "name", "--clusters", "kubeconfig", "--kubeconfig", "kubeconfig.yaml"])
            .in_folder(folder.path())
            .exits(0)
            .stdout
    };
    assert_eq!(run("all.yaml"), "in-cluster-kubernetes.default.svc\neu-eu.example.com\nus-us.example.com\n");
    assert_eq!(run("labelled.yaml"), "");
}

#[test]
fn a_fixture_makes_a_preview_without_network() {
    let set = application_set(
        &json!([{"pullRequest": {"github": {"owner": "shop", "repo": "web", "tokenRef": {"secretName": "a", "key": "b"}}}}]),
        "web-{{.number}}",
        ".",
    );
    let set = set.to_string();
    let fixture = "generators:\n- generator: pullRequest\n  pullRequests: [{number: 7, branch: a, headSha: b}]\n";
    let folder =
        folder_with([("set.yaml", &set.as_str()), ("fixture.yaml", &fixture), ("wrong.yaml", &"generators: [{}]\n")]);
    let run = |fixture: &str| {
        trueup(["expand", "set.yaml", "-o", "name", "--generator-fixture", fixture]).in_folder(folder.path()).outcome()
    };
    let done = run("fixture.yaml");
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), "web-7\n"), "{}", done.transcript());
    let wrong = run("wrong.yaml");
    assert_eq!(wrong.code, Some(2), "{}", wrong.transcript());
    assert!(wrong.stderr.contains("the generator fixture is invalid"), "{}", wrong.transcript());
}
