//! The removal guard: what is no longer generated is listed, and goes only with `--allow-removals`.

use serde_json::{Value, json};

use super::{Fleet, application, application_set, folders, listed};
use crate::harness::{Outcome, TestCluster, TestRepo, or_skip};

/// An ApplicationSet of these stages, whose Applications have a finalizer that needs no garbage collector.
fn stages(git: &TestRepo, cluster: &TestCluster, names: &[&str]) -> Value {
    let elements: Vec<Value> = names.iter().map(|name| json!({"stage": name})).collect();
    let mut template = application("shop-{{.stage}}", git, "{{.stage}}", cluster);
    template["metadata"]["finalizers"] = json!(["resources-finalizer.argocd.argoproj.io/background"]);
    application_set("shops", json!([{"list": {"elements": elements}}]), template)
}

/// An ApplicationSet of two stages, both synced.
fn two_stages(cluster: TestCluster) -> Fleet {
    let git = folders(&["dev", "prod"]).commit("two stages");
    let set = stages(&git, &cluster, &["dev", "prod"]);
    let fleet = Fleet::new(cluster, git, [("set.yaml", &set)]);
    fleet.run(["sync", "-y"]).exits(0);
    fleet
}

fn write(fleet: &Fleet, name: &str, manifest: &Value) {
    std::fs::write(fleet.top.path().join(name), manifest.to_string()).expect("the folder is ours");
}

/// `argocd/shop-prod 1 kept=false removed=false`, for each removal of a report.
fn removals(outcome: &Outcome) -> Vec<String> {
    let report = outcome.json();
    let line = |removal: &Value| {
        let text = |field: &str| removal[field].as_str().unwrap_or_default().to_owned();
        format!(
            "{}/{} {} kept={} removed={}",
            text("namespace"),
            text("name"),
            removal["objects"],
            removal["keepsObjects"],
            removal["removed"]
        )
    };
    report["removals"].as_array().into_iter().flatten().map(line).collect()
}

#[test]
fn an_application_that_is_no_longer_generated_goes_only_when_that_is_allowed() {
    let fleet = two_stages(or_skip!(TestCluster::namespace()));

    write(&fleet, "set.yaml", &stages(&fleet.git, &fleet.cluster, &["dev"]));

    let text = fleet.run(["diff"]).exits(1);
    assert!(
        text.stdout.contains(
            "argocd/shop-prod is to be removed: ApplicationSet argocd/shops no longer generates it; 1 object"
        ),
        "{}",
        text.transcript()
    );
    let listed_only = ["argocd/shop-prod 1 kept=false removed=false"];
    for (command, flags) in [("sync", &["-y"][..]), ("reconcile", &[]), ("plan", &[])] {
        let run = fleet.run([command]).arguments(flags).arguments(["-o", "json"]);
        assert_eq!(removals(&run.exits(1)), listed_only, "{command:?}");
    }
    assert!(fleet.has("prod"), "nothing was removed");
    // What a selection leaves out is not gone.
    assert_eq!(removals(&fleet.run(["diff", "--app", "shop-dev", "-o", "json"]).exits(0)), [""; 0]);

    let removed = fleet.run(["sync", "-y", "--allow-removals", "-o", "json"]).exits(0);
    assert_eq!(removals(&removed), ["argocd/shop-prod 1 kept=false removed=true"]);
    assert!(fleet.has("dev") && !fleet.has("prod"));
    let records = fleet.cluster.kubectl(["get", "configmaps", "-l", "trueup.dev/generated", "-o", "name"]);
    assert_eq!(records.trim(), "configmap/trueup-shop-dev");
    fleet.run(["diff"]).exits(0);
}

/// Argo CD #9227 and #18780: a generator that fails has deleted production applications.
#[test]
fn a_generator_that_fails_removes_nothing() {
    let fleet = two_stages(or_skip!(TestCluster::namespace()));

    let mut failing = stages(&fleet.git, &fleet.cluster, &["dev"]);
    failing["spec"]["template"]["metadata"]["name"] = json!("shop-{{.missing}}");
    write(&fleet, "set.yaml", &failing);

    let run = fleet.run(["sync", "-y", "--allow-removals", "-o", "json"]).exits(2);
    assert_eq!(removals(&run), [""; 0]);
    assert!(fleet.has("dev") && fleet.has("prod"));

    // Another set that shrank has to wait: what it lost may have moved to the one that failed.
    let other = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "other", "namespace": "argocd"},
        "spec": failing["spec"].clone()});
    write(&fleet, "other.yaml", &other);
    write(&fleet, "set.yaml", &stages(&fleet.git, &fleet.cluster, &["dev"]));
    let run = fleet.run(["sync", "-y", "--allow-removals", "-o", "json"]).exits(2);
    assert_eq!(removals(&run), ["argocd/shop-prod 1 kept=false removed=false"]);
    assert!(run.stdout.contains("no application was removed"), "{}", run.transcript());
    assert!(fleet.has("prod"));
}

/// `applicationsSync: create-update`: the ApplicationSet deletes nothing, in Argo CD and here.
#[test]
fn a_set_that_may_not_delete_removes_nothing() {
    let fleet = two_stages(or_skip!(TestCluster::namespace()));

    let mut smaller = stages(&fleet.git, &fleet.cluster, &["dev"]);
    smaller["spec"]["syncPolicy"] = json!({"applicationsSync": "create-update"});
    write(&fleet, "set.yaml", &smaller);

    assert_eq!(removals(&fleet.run(["sync", "-y", "--allow-removals", "-o", "json"]).exits(0)), [""; 0]);
    assert!(fleet.has("prod"));
}

/// Without a finalizer, Argo CD deletes the child Application and leaves what it deployed: its record is released.
#[test]
fn a_child_that_left_its_parent_keeps_its_objects_without_a_finalizer() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = folders(&["leaf", "other"]);
    let root = application("root", &git, "root", &cluster);
    let (leaf, other) = (application("leaf", &git, "leaf", &cluster), application("other", &git, "other", &cluster));
    let git = git.file("root/leaf.yaml", leaf).file("root/other.yaml", other).commit("two children");
    let fleet = Fleet::new(cluster, git, [("root.yaml", &root)]);
    fleet.run(["sync", "-y"]).exits(0);

    let git = fleet.git.remove("root/leaf.yaml").commit("one child");
    let fleet = Fleet { git, ..fleet };

    let listed_only = fleet.run(["reconcile", "-o", "json"]).exits(1);
    assert_eq!(removals(&listed_only), ["argocd/leaf 1 kept=true removed=false"]);
    assert_eq!(listed(&listed_only), ["root Synced", "other Synced in argocd/root"]);
    fleet.run(["reconcile", "--allow-removals"]).exits(0);
    assert!(fleet.has("leaf") && fleet.has("other"));
    fleet.run(["diff"]).exits(0);

    // The last child: the record of its parent says that there was one.
    let git = fleet.git.remove("root/other.yaml").file("root/.keep", "").commit("no child");
    let fleet = Fleet { git, ..fleet };
    assert_eq!(removals(&fleet.run(["diff", "-o", "json"]).exits(1)), ["argocd/other 1 kept=true removed=false"]);
    assert_eq!(removals(&fleet.run(["reconcile", "-o", "json"]).exits(1)).len(), 1, "it is listed until it is removed");
}

/// A child that is written out instead is no removal, and its record follows.
#[test]
fn an_application_that_moved_is_no_removal() {
    let fleet = two_stages(or_skip!(TestCluster::namespace()));

    write(&fleet, "set.yaml", &stages(&fleet.git, &fleet.cluster, &["dev"]));
    write(&fleet, "prod.yaml", &application("shop-prod", &fleet.git, "prod", &fleet.cluster));

    assert_eq!(removals(&fleet.run(["sync", "-y", "-o", "json"]).exits(0)), [""; 0]);
    let records = fleet.cluster.kubectl(["get", "configmaps", "-l", "trueup.dev/generated", "-o", "name"]);
    assert_eq!(records.trim(), "configmap/trueup-shop-dev");
}
