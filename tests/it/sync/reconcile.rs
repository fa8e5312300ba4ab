//! The pull loop's turn: every cell of the table in docs/design.md, "reconcile".

use serde_json::{Value, json};

use super::Shop;
use crate::harness::{Missing, config_map, or_skip, trueup};

/// What moved, in one scenario.
#[derive(Clone, Copy)]
enum Moves {
    Git,
    Cluster,
    Dropped,
}

/// A shop that was synced, and then moved.
fn moved(policy: &Value, moves: Moves) -> Result<Shop, Missing> {
    let shop = Shop::with_policy(policy.clone())?
        .changed(|git| git.file("shop/old.yaml", config_map("old")).commit("an old one"));
    trueup(["sync", "-y"]).of(&shop.application).exits(0);
    Ok(match moves {
        Moves::Git => shop.changed(|git| {
            git.file("shop/settings.yaml", config_map("settings").data("colour", "blue")).commit("blue")
        }),
        Moves::Cluster => {
            shop.cluster.kubectl(["scale", "deployment/web", "--replicas=5"]);
            shop
        }
        Moves::Dropped => shop.changed(|git| git.remove("shop/old.yaml").commit("no longer")),
    })
}

/// Whether the cluster is what git says now.
fn followed(shop: &Shop, moves: Moves) -> bool {
    match moves {
        Moves::Git => shop.live("configmap", "settings").unwrap()["data"]["colour"] == "blue",
        Moves::Cluster => shop.live("deployment", "web").unwrap()["spec"]["replicas"] == 2,
        Moves::Dropped => shop.live("configmap", "old").is_none(),
    }
}

/// The table, cell by cell: what a policy and the flags let be done, and the exit code that says whether drift is left.
#[test]
fn each_policy_does_what_the_table_says() {
    let automated = |more: Value| {
        let mut policy = json!({"automated": {}});
        policy["automated"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        policy
    };
    let manual = json!({});
    let off = automated(json!({"enabled": false, "prune": true, "selfHeal": true}));
    let cases: Vec<(&str, &Value, Moves, &[&str], bool)> = vec![];
    let plain = automated(json!({}));
    let heals = automated(json!({"selfHeal": true}));
    let prunes = automated(json!({"prune": true}));
    let cases = cases.into_iter().chain([
        ("automated, git moved", &plain, Moves::Git, &[][..], true),
        ("automated, the cluster moved", &plain, Moves::Cluster, &[], false),
        ("automated with self-heal, the cluster moved", &heals, Moves::Cluster, &[], true),
        ("automated with the flag, the cluster moved", &plain, Moves::Cluster, &["--self-heal"], true),
        ("automated, gone from git", &plain, Moves::Dropped, &[], false),
        ("automated with prune, gone from git", &prunes, Moves::Dropped, &[], true),
        ("automated with the flag, gone from git", &plain, Moves::Dropped, &["--auto-prune"], true),
        ("manual, git moved", &manual, Moves::Git, &[], false),
        ("manual with both flags, git moved", &manual, Moves::Git, &["--self-heal", "--auto-prune"], false),
        ("manual, the cluster moved", &manual, Moves::Cluster, &[], false),
        ("manual with the flag, the cluster moved", &manual, Moves::Cluster, &["--self-heal"], true),
        ("manual, gone from git", &manual, Moves::Dropped, &[], false),
        ("manual with the flag, gone from git", &manual, Moves::Dropped, &["--auto-prune"], true),
        ("not enabled, git moved", &off, Moves::Git, &[], false),
        ("not enabled, the cluster moved", &off, Moves::Cluster, &[], false),
        ("not enabled, gone from git", &off, Moves::Dropped, &[], false),
    ]);
    for (name, policy, moves, flags, expected) in cases {
        let shop = or_skip!(moved(policy, moves));
        let run = trueup(["reconcile"]).arguments(flags.iter().copied()).of(&shop.application).outcome();
        assert_eq!(followed(&shop, moves), expected, "{name}\n{}", run.transcript());
        assert_eq!(run.code, Some(i32::from(!expected)), "{name}\n{}", run.transcript());
    }
}

/// Manual sync with self-healing: the hotfix by hand goes away, and the commit that nobody released stays unreleased.
#[test]
fn healing_without_automation_goes_back_to_the_last_sync() {
    let shop = or_skip!(moved(&json!({}), Moves::Cluster));
    let shop = shop.changed(|git| {
        git.file("shop/settings.yaml", config_map("settings").data("colour", "blue")).commit("not released")
    });

    let run = trueup(["reconcile", "--self-heal"]).of(&shop.application).exits(1);

    assert_eq!(shop.live("deployment", "web").unwrap()["spec"]["replicas"], 2, "{}", run.transcript());
    assert_eq!(shop.live("configmap", "settings").unwrap()["data"]["colour"], "green", "{}", run.transcript());
}

/// What git has dropped since the last sync is not brought back by healing to it; with pruning it goes.
#[test]
fn healing_to_the_last_sync_does_not_bring_back_what_git_dropped() {
    let shop = or_skip!(moved(&json!({}), Moves::Dropped));
    shop.cluster.kubectl(["scale", "deployment/web", "--replicas=5"]);
    shop.cluster.kubectl(["delete", "configmap", "old"]);

    trueup(["reconcile", "--self-heal"]).of(&shop.application).exits(0);
    assert_eq!(shop.live("deployment", "web").unwrap()["spec"]["replicas"], 2);
    assert_eq!(shop.live("configmap", "old"), None);

    let shop = or_skip!(moved(&json!({}), Moves::Dropped));
    shop.cluster.kubectl(["scale", "deployment/web", "--replicas=5"]);
    trueup(["reconcile", "--self-heal", "--auto-prune"]).of(&shop.application).exits(0);
    assert_eq!(shop.live("deployment", "web").unwrap()["spec"]["replicas"], 2);
    assert_eq!(shop.live("configmap", "old"), None);
}

/// An automated application that was never synced is: nobody has to run `sync` first.
#[test]
fn an_automated_application_is_synced_the_first_time() {
    let shop = or_skip!(Shop::with_policy(json!({"automated": {}})));
    trueup(["reconcile"]).of(&shop.application).exits(0);
    assert!(shop.live("deployment", "web").is_some());
}

/// A pull loop that runs every two minutes costs nothing while nothing moves.
#[test]
fn a_turn_with_nothing_to_do_writes_nothing() {
    let shop = or_skip!(Shop::with_policy(json!({"automated": {"prune": true, "selfHeal": true}})));
    trueup(["reconcile"]).of(&shop.application).exits(0);
    let report = trueup(["reconcile", "-o", "json"]).of(&shop.application).exits(0).json();
    assert_eq!((&report["requests"]["write"], &report["requests"]["dryRun"]), (&json!(0), &json!(0)));
}
