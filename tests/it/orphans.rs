//! `--orphans`: what stands in an application's namespace and belongs to no application.

use serde_json::{Value, json};

use crate::harness::{TestCluster, TestRepo, config_map, deployment, folder_with, or_skip, trueup};

fn names(application: &Value) -> Vec<String> {
    let orphans = application["orphans"].as_array().cloned().unwrap_or_default();
    let name = |orphan: &Value| format!("{}/{}", orphan["kind"], orphan["name"]).replace('"', "");
    orphans.iter().map(name).collect()
}

fn code_of(report: &Value) -> Vec<&str> {
    let conditions = report["applications"][0]["conditions"].as_array().expect("conditions");
    conditions.iter().filter_map(|condition| condition["code"].as_str()).collect()
}

/// Argo CD's definition: no owner, no mark of an application, not in git, and not what Kubernetes puts into each namespace.
#[test]
fn an_orphan_is_listed_and_is_no_drift() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new()
        .file("shop/web.yaml", deployment("web"))
        .file("till/till.yaml", config_map("till"))
        .commit("two applications");
    let shop = git.application("shop").path("shop").deployed_to(&cluster);
    let till = git.application("till").path("till").deployed_to(&cluster);
    trueup(["sync", "-y"]).of(&shop).exits(0);
    trueup(["sync", "-y"]).of(&till).exits(0);
    cluster.apply(config_map("by-hand"));
    // Another application's, which is not in the run, and something that has an owner.
    let tracked = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "annotations": {
        "argocd.argoproj.io/tracking-id": format!("other:/ConfigMap:{}/theirs", cluster.name())}}});
    cluster.apply(tracked);
    let uid = cluster.kubectl(["get", "deployment/web", "-o", "jsonpath={.metadata.uid}"]);
    let owner = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": uid}]);
    cluster.apply(json!({"apiVersion": "v1", "kind": "ConfigMap",
                         "metadata": {"name": "owned", "ownerReferences": owner}}));

    let plain = trueup(["diff", "-o", "json"]).of(&shop).exits(0).json();
    assert_eq!(names(&plain["applications"][0]), [""; 0], "nobody asked");
    let both = trueup(["diff", "--orphans", "-o", "json"]).of(&shop).argument(till.manifest()).exits(0).json();
    for application in both["applications"].as_array().expect("applications") {
        assert_eq!(names(application), ["ConfigMap/by-hand"], "{both:#}");
        assert_eq!(application["sync"], "Synced");
    }
    // The mark of trueup on `till` counts, whether its application is in the run or not.
    let one = trueup(["diff", "--orphans", "-o", "json"]).of(&shop).exits(0).json();
    assert_eq!(names(&one["applications"][0]), ["ConfigMap/by-hand"], "{one:#}");
    let lists = |report: &Value| report["requests"]["list"].as_u64().unwrap_or_default();
    let (first, second) = (lists(&one), lists(&both));
    assert!(second <= first + 2, "one LIST for each kind serves both applications: {first} {second}");

    let text = trueup(["diff", "--orphans", "-q"]).of(&shop).exits(0).stdout;
    let line = format!("? ConfigMap {}/by-hand  orphaned: belongs to no application", cluster.name());
    assert!(text.contains(&line), "{text}");
    let markdown = trueup(["diff", "--orphans", "-o", "markdown"]).of(&shop).exits(0).stdout;
    assert!(markdown.contains("/by-hand` orphaned: belongs to no application"), "{markdown}");
}

/// An account that cannot list a kind gets a warning, not the answer that there are no orphans of it.
#[test]
fn a_kind_that_cannot_be_listed_is_reported() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", config_map("a")).commit("a");
    let shop = git.application("shop").deployed_to(&cluster);
    cluster.apply(config_map("a"));
    cluster.apply(config_map("by-hand"));
    let account = cluster.account("reader").may("get,list", "configmaps");

    let report = trueup(["diff", "--orphans", "-o", "json"])
        .argument(shop.manifest())
        .kubeconfig(account.kubeconfig())
        .exits(0)
        .json();

    assert_eq!(names(&report["applications"][0]), ["ConfigMap/by-hand"], "{report:#}");
    assert_eq!(code_of(&report), ["trueup::status::orphans_unseen"], "{report:#}");
    let message = report["applications"][0]["conditions"][0]["message"].as_str().expect("a message");
    assert!(message.contains("Deployment") && !message.contains("ConfigMap"), "{message}");
}

/// The project's field is enough, without a flag; it says what is no orphan, and whether that is a warning.
#[test]
fn a_project_asks_for_orphans_and_ignores_some() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", config_map("a")).commit("a");
    let shop = git.application("shop").deployed_to(&cluster).spec_field("project", json!("team"));
    trueup(["sync", "-y"]).of(&shop).exits(0);
    for name in ["by-hand", "cache-1"] {
        cluster.apply(config_map(name));
    }
    let project = |orphaned: Value| {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "team"}, "spec": {
            "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}], "orphanedResources": orphaned}})
    };
    let diff = |orphaned: Value| {
        let folder = folder_with([("team.yaml", &project(orphaned))]);
        trueup(["diff", "-o", "json"]).of(&shop).argument(folder.path()).exits(0).json()
    };

    let ignoring = diff(json!({"ignore": [{"kind": "ConfigMap", "name": "cache-*"}]}));
    assert_eq!(names(&ignoring["applications"][0]), ["ConfigMap/by-hand"], "{ignoring:#}");
    assert_eq!(code_of(&ignoring), [""; 0], "{ignoring:#}");
    let warning = diff(json!({"warn": true}));
    assert_eq!(names(&warning["applications"][0]), ["ConfigMap/by-hand", "ConfigMap/cache-1"], "{warning:#}");
    assert_eq!(code_of(&warning), ["trueup::status::orphans"], "{warning:#}");
}
