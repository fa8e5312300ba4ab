//! The record of the last sync, in whatever state it is found.

use serde_json::json;

use super::{SHOP, Shop, told};
use crate::harness::{or_skip, trueup};

/// Edited by hand, from a newer version, gone, somebody else's: told, and everything compared without it.
#[test]
fn a_record_that_cannot_be_used_is_told_and_nothing_depends_on_it() {
    let shop = or_skip!(Shop::synced());
    let patched = |data: serde_json::Value| {
        let patch = json!({"data": data}).to_string();
        shop.cluster.kubectl(["patch", "configmap/trueup-shop", "--type=merge", "--patch", &patch]);
        let report = shop.diff(0);
        assert!(told(&report).is_empty());
        let resources = report["applications"][0]["resources"].as_array().unwrap();
        assert!(resources.iter().all(|resource| resource["proof"] == "structural"), "{report:#}");
        let conditions = report["applications"][0]["conditions"].as_array().unwrap();
        conditions.iter().map(|condition| condition["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        patched(json!({"baseline.json": r#"{"schema":7}"#})),
        ["shop: the last sync's record, ConfigMap `trueup-shop`, was written by a newer version, in format 7"]
    );
    assert_eq!(
        patched(json!({"baseline.json": r#"{"schema":1,"revisions":[],"objects":{}}"#})),
        ["shop: the last sync's record, ConfigMap `trueup-shop`, was edited by hand"]
    );
    assert_eq!(patched(json!({"baseline.json": null})), [""; 0]);
    shop.cluster.kubectl(["delete", "configmap/trueup-shop"]);
    assert_eq!(told(&shop.diff(0)), [""; 0]);
}

/// The revision of the last sync is gone from git, by a force push: who holds a field is all that is left.
#[test]
fn a_revision_that_is_gone_leaves_the_managers() {
    let mut shop = or_skip!(Shop::synced());
    shop.git = shop.git.file("shop/web.yaml", SHOP.replace("replicas: 2", "replicas: 3"));
    shop.git.git(["commit", "--quiet", "--all", "--amend", "--message", "rewritten"]);
    shop.git.git(["reflog", "expire", "--expire=now", "--all"]);
    shop.git.git(["gc", "--quiet", "--prune=now"]);

    assert_eq!(shop.moved(), ["Deployment /spec/replicas: git by trueup"]);
}

/// In a namespace of which git has no ConfigMap, the record costs one request, and no more.
#[test]
fn a_record_beside_other_kinds_costs_one_request() {
    let mut shop = or_skip!(Shop::synced());
    shop.git = shop.git.remove("shop/settings.yaml").commit("no settings");
    shop.sync();

    let report = trueup(["diff", "-o", "json"]).of(&shop.application).exits(0).json();

    assert_eq!(report["requests"]["get"], 1);
    assert_eq!(report["requests"]["dryRun"], 0);
}
