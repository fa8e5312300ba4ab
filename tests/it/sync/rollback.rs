//! Going back to an earlier sync: what is brought, who leaves it alone then, and what ends it.

use insta::assert_snapshot;
use serde_json::json;

use super::{Shop, steps};
use crate::harness::{Missing, config_map, or_skip, trueup};

/// A hook that needs nobody to run it, and is gone after each sync.
const MIGRATION: &str = "
apiVersion: v1
kind: ConfigMap
metadata:
  name: migration
  annotations: {argocd.argoproj.io/hook: PreSync, argocd.argoproj.io/hook-delete-policy: HookSucceeded}
";

/// A shop that was synced green, then blue.
fn released_twice() -> Result<Shop, Missing> {
    let shop = Shop::new()?.changed(|git| git.file("shop/migration.yaml", MIGRATION).commit("a hook"));
    trueup(["sync", "-y"]).of(&shop.application).exits(0);
    let shop = shop
        .changed(|git| git.file("shop/settings.yaml", config_map("settings").data("colour", "blue")).commit("blue"));
    trueup(["sync", "-y"]).of(&shop.application).exits(0);
    Ok(shop)
}

impl Shop {
    fn colour(&self) -> String {
        self.live("configmap", "settings").unwrap()["data"]["colour"].as_str().unwrap().to_owned()
    }

    fn history(&self) -> serde_json::Value {
        trueup(["history", "-o", "json"]).of(&self.application).exits(0).json()["applications"][0].clone()
    }
}

/// The release is bad: back to the one before, hooks and all; the pull loop does not bring the bad one again, and the
/// next release ends it.
#[test]
fn a_bad_release_is_taken_back_and_stays_back_until_the_next_sync() {
    let shop = or_skip!(released_twice());

    let report = trueup(["rollback", "shop", "-y", "-o", "json"]).of(&shop.application).exits(0).json();

    assert_eq!(shop.colour(), "green");
    assert_eq!(steps(&report), ["PreSync ConfigMap/migration done", "Sync ConfigMap/settings done"]);
    let history = shop.history();
    assert_eq!((&history["rolledBackTo"], history["history"].as_array().unwrap().len()), (&json!(1), 3));
    assert_eq!(history["history"][2]["sources"], history["history"][0]["sources"], "it is a sync of its own");
    trueup(["diff"]).of(&shop.application).exits(1);

    shop.cluster.kubectl(["scale", "deployment/web", "--replicas=5"]);
    let left = trueup(["reconcile", "--self-heal", "--auto-prune"]).of(&shop.application).exits(1);
    assert_eq!(shop.colour(), "green", "{}", left.transcript());
    assert!(left.stdout.contains("it was rolled back to 1"), "{}", left.transcript());

    trueup(["sync", "-y"]).of(&shop.application).exits(0);
    assert_eq!(shop.colour(), "blue");
    assert_eq!(shop.history()["rolledBackTo"], json!(null));
}

/// Back, and back again: an entry is named by its ID, and each rollback is an entry, too.
#[test]
fn any_entry_of_the_history_can_be_gone_back_to() {
    let shop = or_skip!(released_twice());
    let shop =
        shop.changed(|git| git.file("shop/settings.yaml", config_map("settings").data("colour", "red")).commit("red"));
    trueup(["sync", "-y"]).of(&shop.application).exits(0);

    trueup(["rollback", "shop", "1", "-y"]).of(&shop.application).exits(0);
    assert_eq!(shop.colour(), "green");
    trueup(["rollback", "shop", "2", "-y"]).of(&shop.application).exits(0);
    assert_eq!(shop.colour(), "blue");
    assert_eq!(shop.history()["rolledBackTo"], json!(2));

    assert_snapshot!(trueup(["rollback", "shop", "9", "-y"]).of(&shop.application).exits(2).stderr, @r"
    × shop: not rolled back: its history has no sync 9; nothing was written
    help: it has 1, 2, 3, 4, 5; see `trueup history`
    ");
}

/// What git did not have then stays, as with every sync, unless somebody prunes.
#[test]
fn what_is_newer_than_the_rollback_goes_only_when_it_is_pruned() {
    let shop = or_skip!(released_twice());
    let shop = shop.changed(|git| git.file("shop/new.yaml", config_map("new")).commit("one more"));
    trueup(["sync", "-y"]).of(&shop.application).exits(0);

    trueup(["rollback", "shop", "2", "-y"]).of(&shop.application).exits(1);
    assert!(shop.live("configmap", "new").is_some());
    trueup(["rollback", "shop", "2", "-y", "--prune"]).of(&shop.application).exits(0);
    assert_eq!(shop.live("configmap", "new"), None);
}

/// The loop would bring the bad release again within minutes: that is said before, not found out afterwards.
#[test]
fn an_automated_application_is_not_rolled_back() {
    let shop = or_skip!(released_twice());
    let shop = shop.with_sync_policy(json!({"automated": {}}));

    let refused = trueup(["rollback", "shop", "-y"]).of(&shop.application).exits(4);

    assert_snapshot!(refused, @r"
    shop  Unknown
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  shop  HEAD  not fetched

      × shop: not rolled back: automated sync would undo it; nothing was written

    1 application  1 unknown
    0 resources
    1 error
    exit code 4    not permitted: missing RBAC permission, or forbidden by the Application's policy
    --- stderr
      × shop: not rolled back: automated sync would undo it; nothing was written
      help: remove `spec.syncPolicy.automated` or set its `enabled: false`, or revert the commit in
            git
    [exit 4]
    ");
    assert_eq!(shop.colour(), "blue");
}

/// Automated again after the incident: `--clear` lets the loop go on, without a sync by hand.
#[test]
fn a_rollback_ends_when_it_is_cleared() {
    let shop = or_skip!(released_twice());
    trueup(["rollback", "shop", "-y"]).of(&shop.application).exits(0);
    let shop = shop.with_sync_policy(json!({"automated": {}}));
    trueup(["reconcile"]).of(&shop.application).exits(1);
    assert_eq!(shop.colour(), "green");

    let cleared = trueup(["rollback", "shop", "--clear"]).of(&shop.application).exits(0);

    assert!(cleared.stdout.starts_with("shop  3 syncs\n"), "{}", cleared.transcript());
    assert_eq!(shop.colour(), "green", "nothing is synced");
    trueup(["reconcile"]).of(&shop.application).exits(0);
    assert_eq!(shop.colour(), "blue");
}

/// The folder was renamed since: what was synced then is what is brought, and the report says what is another today.
#[test]
fn a_source_that_has_moved_since_is_the_one_of_then() {
    let shop = or_skip!(released_twice());
    let shop = shop.changed(|git| {
        let git = git.file("store/settings.yaml", config_map("settings").data("colour", "black"));
        git.remove("shop/web.yaml").remove("shop/settings.yaml").remove("shop/migration.yaml").commit("renamed")
    });
    let application = shop.git.application("shop").path("store").deployed_to(&shop.cluster);

    let back = trueup(["rollback", "shop", "1", "-y"]).of(&application).exits(0);

    assert_eq!(shop.colour(), "green");
    let expected = "the manifest's source differs from that of sync 1: `path` was `shop` and is now `store`";
    assert!(back.stderr.contains(expected), "{}", back.transcript());
}

/// A reviewer's dry run, and a job that forgot `-y`: neither writes.
#[test]
fn nothing_is_rolled_back_that_nobody_confirmed() {
    let shop = or_skip!(released_twice());
    let planned = trueup(["rollback", "shop", "--dry-run"]).of(&shop.application).exits(1);
    assert!(planned.stdout.contains("settings"), "{}", planned.transcript());
    trueup(["rollback", "shop"]).of(&shop.application).exits(2);
    assert_eq!(shop.colour(), "blue");
    assert_eq!(shop.history()["rolledBackTo"], json!(null));
}
