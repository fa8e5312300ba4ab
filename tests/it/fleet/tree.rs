//! Applications of Applications: children belong to the run, at any depth.

use serde_json::json;

use super::{Fleet, application, application_set, folders, listed};
use crate::harness::{TestCluster, config_map, or_skip};

/// root → team → { leaf, an ApplicationSet of two }; the Application CRD is not installed.
fn two_levels(cluster: TestCluster) -> Fleet {
    let git = folders(&["leaf", "stages/dev", "stages/prod"]);
    let list = json!([{"list": {"elements": [{"stage": "dev"}, {"stage": "prod"}]}}]);
    let set = application_set("stages", list, application("shop-{{.stage}}", &git, "stages/{{.stage}}", &cluster));
    let root = application("root", &git, "root", &cluster);
    let (team, leaf) = (application("team", &git, "team", &cluster), application("leaf", &git, "leaf", &cluster));
    let git = git
        .file("root/team.yaml", &team)
        .file("root/map.yaml", config_map("root"))
        .file("team/leaf.yaml", leaf)
        .file("team/stages.yaml", set)
        .commit("apps of apps");
    Fleet::new(cluster, git, [("root.yaml", &root)])
}

const ALL: [&str; 5] = [
    "root",
    "team in argocd/root",
    "leaf in argocd/team",
    "shop-dev of argocd/stages in argocd/team",
    "shop-prod of argocd/stages in argocd/team",
];

/// The names with where they come from, all of one status.
fn all(status: &str) -> Vec<String> {
    let line = |line: &&str| {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        format!("{name} {status} {rest}").trim_end().to_owned()
    };
    ALL.iter().map(line).collect()
}

#[test]
fn children_of_children_are_synced_and_compared_without_the_application_crd() {
    let fleet = two_levels(or_skip!(TestCluster::namespace()));

    let before = fleet.applications(["diff"], 1);
    assert_eq!(before[0], "root OutOfSync");
    // `team` has nothing but Applications: nothing of it is missing.
    assert_eq!(before[1], "team Synced in argocd/root");
    assert_eq!(before.len(), ALL.len());

    assert_eq!(fleet.applications(["sync", "-y"], 0), all("Synced"));
    for name in ["root", "leaf", "dev", "prod"] {
        assert!(fleet.has(name), "{name}");
    }
    assert_eq!(fleet.applications(["status"], 0), all("Synced"));
    fleet.run(["reconcile"]).exits(0);
    fleet.run(["plan"]).exits(0);

    fleet.cluster.kubectl(["delete", "configmap", "prod"]);
    let drift = fleet.run(["diff"]).exits(1);
    assert!(drift.stdout.contains("shop-prod  OutOfSync"), "{}", drift.transcript());
    assert!(drift.stdout.contains("of ApplicationSet argocd/stages in argocd/team"), "{}", drift.transcript());
}

/// `--app root` is the root with all that it contains; `--app leaf` is the leaf alone, wherever it is.
#[test]
fn a_child_is_selected_by_its_name_and_a_parent_with_its_children() {
    let fleet = two_levels(or_skip!(TestCluster::namespace()));

    assert_eq!(fleet.applications(["diff", "--app", "root"], 1).len(), ALL.len());
    assert_eq!(fleet.applications(["diff", "--app", "leaf"], 1), ["leaf OutOfSync in argocd/team"]);
    assert_eq!(fleet.applications(["diff", "--app", "shop-*"], 1).len(), 2);
    assert_eq!(fleet.applications(["diff", "--app", "team"], 1).len(), ALL.len() - 1);
    assert_eq!(fleet.applications(["diff", "--no-children"], 1).len(), 1);
    let unknown = fleet.run(["diff", "--app", "leaff"]).exits(2);
    assert!(unknown.stderr.contains("did you mean `leaf`?"), "{}", unknown.transcript());

    fleet.run(["sync", "-y", "--app", "leaf"]).exits(0);
    assert!(fleet.has("leaf") && !fleet.has("root") && !fleet.has("dev"));
    fleet.run(["history", "leaf"]).exits(0);
    fleet.run(["delete", "leaf", "-y", "--propagation-policy", "background"]).exits(0);
    assert!(!fleet.has("leaf"));
}

/// The manifest of a child may also be in PATH: it is one application, and below its parent.
#[test]
fn a_child_that_is_written_out_too_is_taken_once() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = folders(&["leaf"]);
    let (root, leaf) = (application("root", &git, "root", &cluster), application("leaf", &git, "leaf", &cluster));
    let git = git.file("root/leaf.yaml", &leaf).file("root/root.yaml", &root).commit("both");
    let fleet = Fleet::new(cluster, git, [("leaf.yaml", &leaf), ("root.yaml", &root)]);

    let outcome = fleet.run(["sync", "-y", "-o", "json"]).exits(0);

    assert_eq!(listed(&outcome), ["root Synced", "leaf Synced in argocd/root"]);
    // The root renders itself, which is one application, too.
    let findings = outcome.json()["findings"].to_string();
    assert!(findings.contains("argocd/root → argocd/root"), "{findings}");
    assert!(!findings.contains("stands elsewhere"), "{findings}");
}

/// The AppProject comes from the same root: what it forbids of a child is not synced, and the other child is.
#[test]
fn a_project_that_the_root_contains_holds_for_its_children() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = folders(&["good", "bad"]);
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": cluster.name()}]},
    });
    let child = |name: &str, namespace: &str| {
        let mut child = application(name, &git, name, &cluster);
        child["spec"]["project"] = json!("shop");
        child["spec"]["destination"]["namespace"] = json!(namespace);
        child
    };
    let (good, bad) = (child("good", cluster.name()), child("bad", "default"));
    let root = application("root", &git, "root", &cluster);
    let git = git.file("root/good.yaml", good).file("root/bad.yaml", bad).file("root/project.yaml", project);
    let fleet = Fleet::new(cluster, git.commit("a project"), [("root.yaml", &root)]);

    let synced = fleet.run(["sync", "-y"]).exits(4);

    assert!(fleet.has("good"), "{}", synced.transcript());
    let bad = fleet.cluster.kubectl(["get", "configmap", "bad", "-n", "default", "--ignore-not-found", "-o", "name"]);
    assert_eq!(bad, "");
}

/// A child that cannot be rendered stops neither its parent nor its siblings.
#[test]
fn a_broken_child_hides_no_other() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = folders(&["leaf"]);
    let (bad, leaf) = (application("bad", &git, "nowhere", &cluster), application("leaf", &git, "leaf", &cluster));
    let git = git.file("root/bad.yaml", bad).file("root/leaf.yaml", leaf).commit("one of two");
    let root = application("root", &git, "root", &cluster);
    let fleet = Fleet::new(cluster, git, [("root.yaml", &root)]);

    let lines = fleet.applications(["sync", "-y"], 2);

    assert_eq!(lines, ["root Synced", "bad Unknown in argocd/root", "leaf Synced in argocd/root"]);
    assert!(fleet.has("leaf"));
}

/// Where the CRD is served, the child Application is an object of its parent, too.
#[test]
fn a_child_application_is_applied_where_its_crd_is_served() {
    let cluster = or_skip!(TestCluster::alone());
    cluster.apply(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "applications.argoproj.io"},
        "spec": {
            "group": "argoproj.io", "scope": "Namespaced",
            "names": {"kind": "Application", "plural": "applications", "singular": "application"},
            "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        }
    }));
    cluster.kubectl(["wait", "--for=condition=Established", "crd/applications.argoproj.io", "--timeout=30s"]);
    let git = folders(&["leaf"]);
    let mut leaf = application("leaf", &git, "leaf", &cluster);
    leaf["metadata"]["namespace"] = json!(cluster.name());
    let git = git.file("root/leaf.yaml", &leaf).commit("a child");
    let root = application("root", &git, "root", &cluster);
    let fleet = Fleet::new(cluster, git, [("root.yaml", &root)]);

    fleet.run(["diff"]).exits(1);
    fleet.run(["sync", "-y"]).exits(0);

    let live = fleet.cluster.kubectl(["get", "applications.argoproj.io", "leaf", "-o", "name"]);
    assert!(live.contains("leaf"), "{live}");
    assert!(fleet.has("leaf"));
    fleet.cluster.kubectl(["delete", "crd", "applications.argoproj.io"]);
}
