//! The order between applications: sync waves of children, `depends-on`, and the steps of a rolling sync.

use serde_json::{Value, json};

use super::{Fleet, application, application_set, folders, listed};
use crate::harness::{TestCluster, TestRepo, config_map, deployment, or_skip};

/// `root` with these children, each in its wave.
fn root_of(cluster: TestCluster, git: TestRepo, children: &[(&str, &str)]) -> Fleet {
    let root = application("root", &git, "root", &cluster);
    let mut git = git;
    for (name, wave) in children {
        let mut child = application(name, &git, name, &cluster);
        child["metadata"]["annotations"] = json!({"argocd.argoproj.io/sync-wave": wave});
        git = git.file(&format!("root/{name}.yaml"), child);
    }
    Fleet::new(cluster, git.commit("waves"), [("root.yaml", &root)])
}

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gadgets.fleet-order.example.com"},
        "spec": {
            "group": "fleet-order.example.com", "scope": "Namespaced",
            "names": {"kind": "Gadget", "plural": "gadgets", "singular": "gadget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        }
    })
}

/// The first wave has the CRD of the second: what waits is rendered and planned again when its turn comes.
#[test]
fn a_later_wave_uses_the_crd_of_an_earlier_one() {
    let cluster = or_skip!(TestCluster::namespace());
    let gadget = json!({"apiVersion": "fleet-order.example.com/v1", "kind": "Gadget", "metadata": {"name": "one"}});
    let git = TestRepo::new().file("crds/crd.yaml", definition()).file("gadgets/one.yaml", gadget);
    let fleet = root_of(cluster, git, &[("gadgets", "1"), ("crds", "-1")]);

    let lines = fleet.applications(["sync", "-y"], 0);

    assert_eq!(lines, ["root Synced", "crds Synced in argocd/root", "gadgets Synced in argocd/root"]);
    assert!(fleet.cluster.kubectl(["get", "gadgets.fleet-order.example.com", "-o", "name"]).contains("one"));
    fleet.run(["diff"]).exits(0);
}

/// The parent has the namespace that its child is deployed to: one run is enough.
#[test]
fn a_child_starts_after_its_parent() {
    let cluster = or_skip!(TestCluster::namespace());
    let namespace = format!("{}-child", cluster.name());
    let git = folders(&["web"]);
    let root = application("root", &git, "root", &cluster);
    let mut web = application("web", &git, "web", &cluster);
    web["spec"]["destination"]["namespace"] = json!(namespace);
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    let git = git.file("root/web.yaml", web).file("root/namespace.yaml", object).commit("a namespace and a child");
    let fleet = Fleet::new(cluster, git, [("root.yaml", &root)]);

    fleet.run(["sync", "-y"]).exits(0);

    assert!(fleet.cluster.kubectl(["get", "configmap", "web", "-n", &namespace, "-o", "name"]).contains("web"));
    fleet.cluster.kubectl(["delete", "namespace", &namespace, "--wait=false"]);
}

/// A policy that leaves the drift of an earlier wave leaves the later ones, too, and that is drift and no error.
#[test]
fn what_waits_for_an_application_that_is_synced_by_hand_is_left() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = folders(&["db", "web"]);
    let child = |name: &str, wave: &str, policy: Value| {
        let mut child = application(name, &git, name, &cluster);
        child["metadata"]["annotations"] = json!({"argocd.argoproj.io/sync-wave": wave});
        child["spec"]["syncPolicy"] = policy;
        child
    };
    let root = application("root", &git, "root", &cluster);
    let (db, web) = (child("db", "0", json!({})), child("web", "1", json!({"automated": {}})));
    let git = git.file("root/db.yaml", db).file("root/web.yaml", web).commit("two waves");
    let fleet = Fleet::new(cluster, git, [("root.yaml", &root)]);

    let left = fleet.run(["reconcile"]).exits(1);

    assert!(left.stdout.contains("it waits for `argocd/db`"), "{}", left.transcript());
    assert!(!fleet.has("web"));
    fleet.run(["sync", "-y", "--app", "db"]).exits(0);
    fleet.run(["reconcile"]).exits(0);
    assert!(fleet.has("web"));
}

/// Nothing runs Deployments here, so the first wave never becomes healthy: the second is not started, and the run says why.
#[test]
fn a_wave_that_does_not_become_healthy_leaves_the_later_ones() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = folders(&["web", "other"]).file("db/db.yaml", deployment("db").replicas(1));
    let fleet = root_of(cluster, git, &[("db", "0"), ("web", "1"), ("other", "0")]);

    let synced = fleet.run(["sync", "-y", "--timeout", "2s", "-o", "json"]).exits(3);

    assert_eq!(
        listed(&synced),
        ["root Synced", "db Synced in argocd/root", "other Synced in argocd/root", "web OutOfSync in argocd/root"]
    );
    assert!(fleet.has("other") && !fleet.has("web"));
    let text = synced.stdout;
    assert!(text.contains("not synced: it waits for `argocd/db`, which is not healthy"), "{text}");
    assert!(text.contains("synced, but not healthy"), "{text}");
}

/// With controllers it does, and all of it is synced in one run.
#[test]
fn a_wave_that_becomes_healthy_lets_the_next_one_start() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let git = folders(&["web"]).file("db/db.yaml", deployment("db").replicas(1));
    let fleet = root_of(cluster, git, &[("db", "0"), ("web", "1")]);

    fleet.run(["sync", "-y"]).exits(0);

    let created = |kind: &str, name: &str| {
        fleet.cluster.kubectl(["get", kind, name, "-o", "jsonpath={.metadata.creationTimestamp}"])
    };
    assert!(created("deployment", "db") <= created("configmap", "web"));
    fleet.run(["status"]).exits(0);
}

/// Applications that are written out wait for each other by an annotation; one that fails is named by those that wait.
#[test]
fn an_application_waits_for_those_it_depends_on() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = folders(&["web", "free"]).file("db/db.yaml", deployment("db").replicas(1)).commit("three folders");
    let after = |name: &str, others: &str| {
        let mut application = application(name, &git, name, &cluster);
        application["metadata"]["annotations"] = json!({"trueup.dev/depends-on": others});
        application
    };
    let (web, db, free) = (after("web", "argocd/db"), after("db", ""), after("free", "web2, elsewhere"));
    let fleet = Fleet::new(cluster, git, [("a.yaml", &web), ("b.yaml", &db), ("c.yaml", &free)]);

    let synced = fleet.run(["sync", "-y", "--timeout", "2s", "-o", "json"]).exits(3);

    assert!(fleet.has("free") && !fleet.has("web"));
    assert!(synced.stdout.contains("`elsewhere` of `trueup.dev/depends-on` is not in this run"), "{}", synced.stdout);
    assert!(synced.stdout.contains("web: not synced: it waits for `argocd/db`"), "{}", synced.stdout);
}

#[test]
fn applications_that_wait_for_each_other_are_named_and_the_others_synced() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = folders(&["a", "b", "c"]).commit("three folders");
    let after = |name: &str, others: &str| {
        let mut application = application(name, &git, name, &cluster);
        application["metadata"]["annotations"] = json!({"trueup.dev/depends-on": others});
        application
    };
    let (a, b, c) = (after("a", "b"), after("b", "a"), application("c", &git, "c", &cluster));
    let fleet = Fleet::new(cluster, git, [("a.yaml", &a), ("b.yaml", &b), ("c.yaml", &c)]);

    let synced = fleet.run(["sync", "-y"]).exits(2);

    let text = format!("{}{}", synced.stdout, synced.stderr);
    assert!(text.contains("argocd/a → argocd/b → argocd/a"), "{}", synced.transcript());
    assert!(fleet.has("c") && !fleet.has("a") && !fleet.has("b"));
}

/// Argo CD's documentation, "Progressive Syncs": production starts when development is healthy.
#[test]
fn a_rolling_sync_goes_step_by_step() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = folders(&["prod"])
        .file("dev/map.yaml", config_map("dev"))
        .file("dev/web.yaml", deployment("web").replicas(1))
        .commit("two stages");
    let mut template = application("shop-{{.stage}}", &git, "{{.stage}}", &cluster);
    template["metadata"]["labels"] = json!({"stage": "{{.stage}}"});
    let list = json!([{"list": {"elements": [{"stage": "prod"}, {"stage": "dev"}]}}]);
    let mut set = application_set("shops", list, template);
    let step = |stage: &str| json!({"matchExpressions": [{"key": "stage", "operator": "In", "values": [stage]}]});
    set["spec"]["strategy"] = json!({"type": "RollingSync", "rollingSync": {"steps": [step("dev"), step("prod")]}});
    let fleet = Fleet::new(cluster, git, [("set.yaml", &set)]);

    // No policy says so: a rollout syncs by itself.
    fleet.run(["reconcile", "--timeout", "2s"]).exits(3);
    assert!(fleet.has("dev") && !fleet.has("prod"));

    let git = fleet.git.remove("dev/web.yaml").commit("nothing that runs");
    let fleet = Fleet { git, ..fleet };
    fleet.run(["sync", "-y", "--prune", "--timeout", "2s"]).exits(0);
    assert!(fleet.has("prod"));
}
