//! What real syncs leave behind: a history of bounded length, and a parent that kubectl understands.

use serde_json::json;

use super::Shop;
use crate::harness::{config_map, or_skip, trueup};

/// A team that deploys all day keeps as many entries as it asked for, and their numbers go on counting.
#[test]
fn the_history_keeps_as_many_syncs_as_the_application_says() {
    let mut shop = or_skip!(Shop::new());
    let application = shop.git.application("shop").path("shop").deployed_to(&shop.cluster);
    shop.application = application.spec_field("revisionHistoryLimit", json!(2));
    for colour in ["red", "blue", "black"] {
        let settings = config_map("settings").data("colour", colour);
        shop = shop.changed(|git| git.file("shop/settings.yaml", settings).commit(colour));
        trueup(["sync", "-y"]).of(&shop.application).exits(0);
    }

    let history = trueup(["history", "-o", "json"]).of(&shop.application).exits(0).json();
    let entries = history["applications"][0]["history"].as_array().unwrap();
    assert_eq!(entries.iter().map(|entry| entry["id"].clone()).collect::<Vec<_>>(), [json!(2), json!(3)]);
    assert_eq!(entries[1]["sources"][0]["revision"], json!(shop.git.head()));
}

/// KEP-3659, by the program that wrote it: kubectl leaves our ApplySet alone; told that it is its own, it finds every member
/// by what the parent says, and prunes what its manifests no longer have.
#[test]
fn kubectl_finds_the_members_of_a_real_sync() {
    let shop = or_skip!(Shop::new());
    trueup(["sync", "-y"]).of(&shop.application).exits(0);
    let manifest = config_map("settings").data("colour", "green").to_string();
    let apply = || {
        let namespace = shop.cluster.name();
        let arguments = ["apply", "--prune", "--applyset=configmap/trueup-shop", "-n", namespace, "-f", "-"];
        shop.cluster.kubectl_with(("KUBECTL_APPLYSET", "true"), &arguments, &manifest)
    };

    let refused = String::from_utf8(apply().stderr).unwrap();
    assert!(refused.contains("managed by tooling \"trueup\""), "{refused}");
    assert!(shop.live("deployment", "web").is_some());

    let tooling = "applyset.kubernetes.io/tooling=kubectl/v1.36";
    shop.cluster.kubectl(["annotate", "--overwrite", "configmap", "trueup-shop", tooling]);
    let output = apply();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(shop.live("deployment", "web"), None);
    assert!(shop.live("configmap", "settings").is_some());
}
