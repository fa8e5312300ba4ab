//! The first sync, and the second one that has nothing to do.

use insta::assert_snapshot;
use serde_json::json;

use super::{Shop, live};
use crate::harness::{TestCluster, config_map, or_skip, trueup};

/// Everybody's first day: what git has is made, marked as the application's own, recorded; and then nothing is to do.
#[test]
fn a_first_sync_makes_what_git_has_and_a_second_one_writes_nothing() {
    let shop = or_skip!(Shop::new());

    let first = trueup(["sync", "-y"]).of(&shop.application).exits(0);

    assert_snapshot!(first, @r"
    shop  Synced  2 in sync
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  shop  HEAD  86ac789  local repository
      sync     Succeeded  2 steps: 2 done
      + ConfigMap [NAMESPACE]/settings  created
      + Deployment [NAMESPACE]/web  created

    1 application  1 in sync
    2 resources    2 in sync
    exit code 0    everything is in sync, or done
    --- stderr
    fetched 1 repository
    rendered 1 application
    listed 2 kinds
    compared 1 application
    [TIME] ConfigMap [NAMESPACE]/settings: created
    [TIME] Deployment [NAMESPACE]/web: created
    ran 2 steps
    [exit 0]
    ");
    let web = shop.live("deployment", "web").expect("it was made");
    let parent = shop.live("configmap", "trueup-shop").expect("the record was written");
    let id = &parent["metadata"]["labels"]["applyset.kubernetes.io/id"];
    assert_eq!(web["metadata"]["labels"]["applyset.kubernetes.io/part-of"], *id);

    let second = trueup(["sync", "-y", "-o", "json"]).of(&shop.application).exits(0).json();
    let requests = &second["requests"];
    assert_eq!((&requests["write"], &requests["dryRun"]), (&json!(0), &json!(0)), "{second:#}");

    let compared = trueup(["diff", "-o", "json"]).of(&shop.application).exits(0).json();
    let resources = compared["applications"][0]["resources"].as_array().unwrap().clone();
    assert!(resources.iter().all(|resource| resource["proof"] == "ownership"), "{resources:#?}");
    assert_eq!(compared["applications"][0]["lastSyncedRevision"], json!(shop.git.head()));
}

/// What somebody changed by hand goes back to what git says, and the report says whose it was.
#[test]
fn what_was_changed_by_hand_is_set_back() {
    let shop = or_skip!(Shop::new());
    trueup(["sync", "-y"]).of(&shop.application).exits(0);

    shop.cluster.kubectl(["scale", "deployment/web", "--replicas=5"]);
    shop.cluster.kubectl(["delete", "configmap", "settings"]);
    let synced = trueup(["sync", "-y"]).of(&shop.application).exits(0);

    assert_eq!(shop.live("deployment", "web").unwrap()["spec"]["replicas"], 2);
    assert!(shop.live("configmap", "settings").is_some());
    assert_snapshot!(synced, @r"
    shop  Synced  2 in sync
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  shop  HEAD  86ac789  local repository
      sync     Succeeded  2 steps: 2 done
      + ConfigMap [NAMESPACE]/settings  created
      ~ Deployment [NAMESPACE]/web  applied

    1 application  1 in sync
    2 resources    2 in sync
    exit code 0    everything is in sync, or done
    --- stderr
    fetched 1 repository
    rendered 1 application
    listed 2 kinds
    compared 1 application
    [TIME] ConfigMap [NAMESPACE]/settings: created
    [TIME] Deployment [NAMESPACE]/web: applied
    ran 2 steps
    [exit 0]
    ");
}

/// A field that git drops goes away, as it does for everyone who applies server-side.
#[test]
fn a_field_that_git_drops_goes_away() {
    let shop = or_skip!(Shop::new());
    trueup(["sync", "-y"]).of(&shop.application).exits(0);

    let shop = shop.changed(|git| {
        git.file("shop/settings.yaml", config_map("settings").data("size", "large")).commit("another key")
    });
    trueup(["sync", "-y"]).of(&shop.application).exits(0);

    assert_eq!(shop.live("configmap", "settings").unwrap()["data"], json!({"size": "large"}));
}

/// Without a terminal there is nobody to ask: a job that forgot `-y` must not hang, and must not write.
#[test]
fn without_a_terminal_nothing_is_written_unless_it_is_confirmed() {
    let shop = or_skip!(Shop::new());

    let refused = trueup(["sync"]).of(&shop.application).exits(2);

    assert_snapshot!(refused, @r"
    --- stderr
      × not confirmed: standard input is not a terminal; nothing was written
      help: `-y` syncs without asking, `--dry-run` shows the plan, `trueup reconcile` follows each
            sync policy
    [exit 2]
    ");
    assert_eq!(shop.live("deployment", "web"), None);
}

/// A reviewer's dry run: the plan, the server's word on it, and not a single write.
#[test]
fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let shop = or_skip!(Shop::new());

    let planned = trueup(["sync", "--dry-run"]).of(&shop.application).exits(1);

    assert_snapshot!(planned, @r"
    shop  OutOfSync  2 missing
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  shop  HEAD  86ac789  local repository
      plan     2 to create
      Sync, wave 0
        + ConfigMap [NAMESPACE]/settings  missing
        + apps/Deployment [NAMESPACE]/web  missing

      + ConfigMap [NAMESPACE]/settings  missing in the cluster  shop/settings.yaml:1

      + apps/Deployment [NAMESPACE]/web  missing in the cluster  shop/web.yaml:1

    1 application  1 out of sync
    2 resources    2 missing
    exit code 1    drift: something is changed, missing or extra
    --- stderr
    fetched 1 repository
    rendered 1 application
    listed 2 kinds
    compared 1 application
    [exit 1]
    ");
    assert_eq!(shop.live("deployment", "web"), None);
    assert_eq!(shop.live("configmap", "trueup-shop"), None);
    assert_eq!(shop.cluster.kubectl(["get", "leases", "-o", "name"]), "");
}

/// A large first sync does not cost twice: of each kind one object is asked about; all of them where somebody looks first.
#[test]
fn a_large_first_sync_asks_about_one_object_of_each_kind() {
    let cluster = or_skip!(TestCluster::namespace());
    let objects: Vec<String> = (0..201).map(|number| config_map(&format!("c{number:03}")).to_string()).collect();
    let git = crate::harness::TestRepo::new().file("all.yaml", objects.join("---\n")).commit("many");
    let shop = git.application("shop").deployed_to(&cluster);

    let shown = trueup(["sync", "--dry-run", "-o", "json"]).of(&shop).exits(1).json();
    assert_eq!((&shown["requests"]["dryRun"], &shown["requests"]["write"]), (&json!(201), &json!(0)));

    let done = trueup(["sync", "-y", "-o", "json"]).of(&shop).exits(0).json();
    assert_eq!(done["requests"]["dryRun"], 1);
    assert_eq!(done["summary"]["synced"], 1);
}

/// A plan that somebody approved is done as it was approved, or not at all.
#[test]
fn a_saved_plan_is_done_exactly_or_refused() {
    let shop = or_skip!(Shop::new());
    let folder = crate::harness::folder_with([]);
    let plan = folder.path().join("plan.json");
    let save = || trueup(["sync", "--plan"]).argument(&plan).of(&shop.application);
    let from = || trueup(["sync", "--from"]).argument(&plan).of(&shop.application);

    save().exits(1);
    assert_eq!(shop.live("deployment", "web"), None, "saving a plan writes nothing else");
    from().exits(0);
    assert!(shop.live("deployment", "web").is_some());

    // Somebody touches what the plan would change.
    shop.cluster.kubectl(["scale", "deployment/web", "--replicas=5"]);
    save().exits(1);
    shop.cluster.kubectl(["scale", "deployment/web", "--replicas=6"]);
    let refused = from().exits(2);
    assert!(refused.stderr.contains("the saved plan is out of date"), "{}", refused.transcript());
    assert_eq!(shop.live("deployment", "web").unwrap()["spec"]["replicas"], 6);

    save().exits(1);
    let late = from().arguments(["--plan-lifetime", "0s"]).outcome();
    assert_eq!(late.code, Some(2), "{}", late.transcript());
    from().exits(0);
    assert_eq!(shop.live("deployment", "web").unwrap()["spec"]["replicas"], 2);
}

/// Between approval and execution git moves, an object of the application comes and goes, or the plan is done: each time nothing
/// is written.
#[test]
fn a_saved_plan_that_went_stale_writes_nothing() {
    let shop = or_skip!(Shop::new());
    let folder = crate::harness::folder_with([]);
    let plan = folder.path().join("plan.json");
    trueup(["sync", "-y"]).of(&shop.application).exits(0);
    let save = |shop: &Shop| {
        trueup(["sync", "--prune", "--plan"]).argument(&plan).of(&shop.application).exits(1);
    };
    let from = |shop: &Shop, code| {
        trueup(["sync", "-o", "json", "--from"]).argument(&plan).of(&shop.application).exits(code);
    };
    let shop = shop.changed(|git| {
        git.remove("shop/settings.yaml")
            .file("shop/web.yaml", crate::harness::deployment("web").replicas(3))
            .commit("plan this")
    });
    save(&shop);
    shop.cluster.kubectl(["label", "configmap", "settings", "touched=yes"]);
    from(&shop, 2);
    assert!(shop.live("configmap", "settings").is_some());

    save(&shop);
    let shop = shop.changed(|git| git.file("shop/new.yaml", config_map("new")).commit("git moves"));
    from(&shop, 2);
    assert!(shop.live("configmap", "settings").is_some() && shop.live("configmap", "new").is_none());

    save(&shop);
    from(&shop, 0);
    assert!(shop.live("configmap", "settings").is_none() && shop.live("configmap", "new").is_some());
    from(&shop, 2);
}

/// It is no stranger's when its step comes, although the server does not record who applied what has only a name.
#[test]
fn a_namespace_that_was_created_for_the_lock_is_not_held() {
    let cluster = or_skip!(TestCluster::namespace());
    let namespace = format!("{}-new", cluster.name());
    let git = crate::harness::TestRepo::new().file("settings.yaml", config_map("settings")).commit("settings");
    let shop = git
        .application("shop")
        .deployed_to(&cluster)
        .destination(json!({"server": cluster.server(), "namespace": namespace}))
        .spec_field("syncPolicy", json!({"syncOptions": ["CreateNamespace=true"]}));

    let run = trueup(["sync", "-y"]).of(&shop).exits(0);

    assert!(!run.stdout.contains("held") && run.stdout.contains("2 steps: 2 done"), "{}", run.transcript());
    cluster.kubectl(["delete", "namespace", &namespace, "--wait=false"]);
}

/// `CreateNamespace=true`: the namespace comes first, even before the lock and the record that live in it.
#[test]
fn a_namespace_that_is_not_there_is_made_first() {
    let cluster = or_skip!(TestCluster::namespace());
    let namespace = format!("{}-new", cluster.name());
    let git = crate::harness::TestRepo::new().file("settings.yaml", config_map("settings")).commit("settings");
    let shop = git
        .application("shop")
        .deployed_to(&cluster)
        .destination(json!({"server": cluster.server(), "namespace": namespace}))
        .spec_field(
            "syncPolicy",
            json!({
                "syncOptions": ["CreateNamespace=true"],
                "managedNamespaceMetadata": {"labels": {"team": "shop"}},
            }),
        );

    trueup(["sync", "-y"]).of(&shop).exits(0);

    let made = live(&cluster, "namespace", &namespace).expect("it was made");
    assert_eq!(made["metadata"]["labels"]["team"], "shop");
    assert_eq!(made["metadata"]["labels"].get("applyset.kubernetes.io/part-of"), None, "it is no member");
    cluster.kubectl(["get", "configmap", "settings", "--namespace", &namespace]);
    cluster.kubectl(["delete", "namespace", &namespace, "--wait=false"]);
}
