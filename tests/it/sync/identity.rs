//! Whose record it is: two applications of one name never prune each other's objects.

use serde_json::json;

use super::live;
use crate::harness::{TestApplication, TestCluster, TestRepo, config_map, or_skip, trueup};

fn shop_of(name: &str) -> TestRepo {
    TestRepo::new().file("one.yaml", config_map(name)).commit("one")
}

fn application(git: &TestRepo, cluster: &TestCluster) -> TestApplication {
    let policy = json!({"syncOptions": ["PrunePropagationPolicy=background"]});
    git.application("shop").deployed_to(cluster).spec_field("syncPolicy", policy)
}

/// Two teams call their application `shop`, from two repositories.
#[test]
fn the_same_name_from_two_repositories_deletes_nothing() {
    let cluster = or_skip!(TestCluster::namespace());
    let (ours, theirs) = (shop_of("ours"), shop_of("theirs"));
    trueup(["sync", "-y"]).of(&application(&ours, &cluster)).exits(0);

    let other = application(&theirs, &cluster);
    for arguments in [
        vec!["sync", "-y", "--prune", "--max-prune", "100%"],
        vec!["reconcile", "--auto-prune", "--self-heal"],
        vec!["delete", "shop", "-y"],
        vec!["delete", "shop", "-y", "--orphan"],
    ] {
        let refused = trueup([]).arguments(&arguments).of(&other).exits(2);
        assert!(refused.stderr.contains("--accept-move"), "{arguments:?}: {}", refused.transcript());
        assert!(live(&cluster, "configmap", "ours").is_some(), "{arguments:?}");
        assert!(live(&cluster, "configmap", "theirs").is_none(), "{arguments:?}");
    }
    let compared = trueup(["diff"]).of(&other).exits(1);
    assert!(compared.stderr.contains("is the record of a different application"), "{}", compared.transcript());
    // The first one goes on as before.
    trueup(["diff"]).of(&application(&ours, &cluster)).exits(0);
}

/// The repository was renamed: that it is the same application is said once.
#[test]
fn an_application_that_moved_takes_its_record_over() {
    let cluster = or_skip!(TestCluster::namespace());
    let (before, after) = (shop_of("one"), shop_of("two"));
    trueup(["sync", "-y"]).of(&application(&before, &cluster)).exits(0);
    let moved = application(&after, &cluster);
    trueup(["sync", "-y"]).of(&moved).exits(2);

    trueup(["sync", "-y", "--accept-move", "--prune", "--max-prune", "100%"]).of(&moved).exits(0);

    assert!(live(&cluster, "configmap", "one").is_none() && live(&cluster, "configmap", "two").is_some());
    trueup(["sync", "-y"]).of(&moved).exits(0);
    trueup(["sync", "-y"]).of(&application(&before, &cluster)).exits(2);
}

/// One `--state-namespace` for all, and one name in two namespaces.
#[test]
fn the_same_name_in_two_namespaces_with_one_state_namespace_deletes_nothing() {
    let (one, two) = (or_skip!(TestCluster::namespace()), or_skip!(TestCluster::namespace()));
    let state = or_skip!(TestCluster::namespace());
    let git = shop_of("settings");
    let sync = |cluster: &TestCluster, code: i32| {
        let arguments = ["--state-namespace", state.name(), "--prune", "--max-prune", "100%"];
        trueup(["sync", "-y"]).arguments(arguments).of(&application(&git, cluster)).exits(code)
    };
    sync(&one, 0);

    let refused = sync(&two, 2);

    assert!(refused.stdout.contains(&format!("of namespace `{}`", one.name())), "{}", refused.transcript());
    assert!(live(&one, "configmap", "settings").is_some() && live(&two, "configmap", "settings").is_none());
    sync(&one, 0);
}

/// What an older version wrote has no identity: it is taken as before, and the next sync writes one.
#[test]
fn a_record_of_an_older_version_is_taken_and_gets_an_identity() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = shop_of("one");
    trueup(["sync", "-y"]).of(&application(&git, &cluster)).exits(0);
    let old = json!({"data": {"identity.json": null, "sources.json": null}}).to_string();
    cluster.kubectl(["patch", "configmap/trueup-shop", "--type=merge", "-p", &old]);

    trueup(["diff"]).of(&application(&git, &cluster)).exits(0);
    trueup(["sync", "-y"]).of(&application(&git, &cluster)).exits(0);

    let parent = live(&cluster, "configmap", "trueup-shop").unwrap();
    let identity: serde_json::Value = serde_json::from_str(parent["data"]["identity.json"].as_str().unwrap()).unwrap();
    assert_eq!(identity["namespace"], cluster.name());
}
