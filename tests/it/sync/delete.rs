//! Deleting an application: what goes, in which order, what stays, and that nothing of it is left behind.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{Shop, annotated, hook, job, plain, steps};
use crate::harness::{Missing, TestCluster, config_map, or_skip, trueup};

/// A shop with something that stays, and what others put beside it.
fn synced(more: impl FnOnce(crate::harness::TestRepo) -> crate::harness::TestRepo) -> Result<Shop, Missing> {
    let shop = Shop::new()?.changed(|git| more(git).commit("more"));
    trueup(["sync", "-y"]).of(&shop.application).exits(0);
    Ok(shop)
}

fn option(text: &str, name: &str) -> String {
    annotated("argocd.argoproj.io/sync-options", text, config_map(name))
}

fn label(object: &Value) -> &Value {
    &object["metadata"]["labels"]["applyset.kubernetes.io/part-of"]
}

impl Shop {
    /// What trueup keeps about the application: its parent, and the lock.
    fn has_state(&self) -> bool {
        self.live("configmap", "trueup-shop").is_some() || self.live("lease", "trueup-shop").is_some()
    }
}

/// Everything goes that is the application's own, and so does all that was kept about it; nothing else does.
#[test]
fn an_application_is_deleted_with_all_that_is_its_own_and_nothing_else() {
    let shop = or_skip!(synced(|git| git.file("shop/kept.yaml", option("Delete=false", "kept"))));
    let id = label(&shop.live("configmap", "kept").unwrap()).clone();
    shop.cluster.apply(config_map("elses"));
    shop.cluster.apply(config_map("copied"));
    let copied = format!("applyset.kubernetes.io/part-of={}", id.as_str().unwrap());
    shop.cluster.kubectl(["label", "configmap", "copied", &copied]);

    let deleted = trueup(["delete", "shop", "-y", "--concurrency", "1"]).of(&shop.application).exits(0);

    assert_snapshot!(deleted, @r"
    shop  deleted
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  shop  HEAD  62a4d1b  local repository
      sync     Succeeded  3 steps: 3 done
      - Deployment [NAMESPACE]/web  pruned
      - ConfigMap [NAMESPACE]/settings  pruned
      = ConfigMap [NAMESPACE]/kept  released

    1 application  1 deleted
    0 resources
    exit code 0    everything is in sync, or done
    --- stderr
    fetched 1 repository
    rendered 1 application
    listed 2 kinds
    compared 1 application
    [TIME] Deployment [NAMESPACE]/web: pruned
    [TIME] ConfigMap [NAMESPACE]/settings: pruned
    [TIME] ConfigMap [NAMESPACE]/kept: released
    ran 3 steps
    [exit 0]
    ");
    assert_eq!((shop.live("deployment", "web"), shop.live("configmap", "settings")), (None, None));
    assert_eq!(label(&shop.live("configmap", "kept").unwrap()), &Value::Null, "it is nobody's");
    assert!(shop.live("configmap", "elses").is_some() && shop.live("configmap", "copied").is_some());
    assert!(!shop.has_state());

    let again = trueup(["delete", "shop", "-y"]).of(&shop.application).exits(0);
    assert!(again.stdout.contains("nothing of it is in the cluster"), "{}", again.transcript());
    assert!(!shop.has_state());
}

/// Anybody can edit what the parent says of its members, and another tool may: the record knows what was applied, and where
/// that is not to be believed either, everything is looked at. Nothing stays behind that no record names any more.
#[test]
fn a_parent_that_somebody_edited_hides_nothing() {
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot}\n";
    let kinds = "applyset.kubernetes.io/contains-group-kinds=";
    let edits: [&[&str]; 3] = [
        &["annotate", "--overwrite", "configmap", "trueup-shop", kinds],
        &["annotate", "configmap", "trueup-shop", "applyset.kubernetes.io/contains-group-kinds-"],
        &[
            "patch",
            "configmap",
            "trueup-shop",
            "-p",
            r#"{"data": {"baseline.json": "{}"},
            "metadata": {"annotations": {"applyset.kubernetes.io/contains-group-kinds": "Service"}}}"#,
        ],
    ];
    for edit in edits {
        let shop = or_skip!(synced(|git| git.file("shop/robot.yaml", account)));
        let shop = shop.changed(|git| git.remove("shop/robot.yaml").commit("no robot"));
        assert!(shop.cluster.try_kubectl(shop.cluster.kubeconfig(), edit, "").status.success());

        let left = trueup(["diff"]).of(&shop.application).exits(1);
        assert!(left.stdout.contains("ServiceAccount"), "{edit:?}\n{}", left.transcript());
        trueup(["delete", "shop", "-y"]).of(&shop.application).exits(0);

        assert_eq!(
            (shop.live("serviceaccount", "robot"), shop.live("configmap", "settings")),
            (None, None),
            "{edit:?}"
        );
        assert!(!shop.has_state());
    }
}

/// The same for what a sync left in the cluster after git had dropped it: then only the parent names its kind.
#[test]
fn a_parent_that_somebody_edited_hides_nothing_that_was_left() {
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot}\n";
    let shop = or_skip!(synced(|git| git.file("shop/robot.yaml", account)));
    let shop = shop.changed(|git| git.remove("shop/robot.yaml").commit("no robot"));
    trueup(["sync", "-y"]).of(&shop.application).exits(1);
    let kinds = "applyset.kubernetes.io/contains-group-kinds=";
    shop.cluster.kubectl(["annotate", "--overwrite", "configmap", "trueup-shop", kinds]);

    trueup(["diff"]).of(&shop.application).exits(1);
    trueup(["delete", "shop", "-y"]).of(&shop.application).exits(0);

    assert_eq!(shop.live("serviceaccount", "robot"), None);
}

/// Objects move to another owner: they stay as they are, without our mark, and without a hook being run.
#[test]
fn orphans_stay_and_are_free_for_the_next_owner() {
    let shop = or_skip!(synced(|git| git.file("shop/hook.yaml", hook("PreDelete", "", plain("hook")))));

    trueup(["delete", "shop", "-y", "--orphan"]).of(&shop.application).exits(0);

    let web = shop.live("deployment", "web").unwrap();
    assert_eq!((label(&web), &web["spec"]["replicas"]), (&Value::Null, &json!(2)));
    assert_eq!(shop.live("configmap", "hook"), None);
    assert!(!shop.has_state());
    let application = shop.git.application("store").path("shop").deployed_to(&shop.cluster);
    trueup(["sync", "-y"]).of(&application).exits(0);
}

/// A claim's data is not lost by the way: it stays the application's until somebody says so.
#[test]
fn a_volume_claim_goes_only_when_that_is_said() {
    let claim = "
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
";
    let shop = or_skip!(synced(|git| git.file("shop/data.yaml", claim)));

    let left = trueup(["delete", "shop", "-y"]).of(&shop.application).exits(1);
    assert!(left.stdout.contains("its data would be lost with it; needs `--prune-protected`"), "{}", left.transcript());
    assert_eq!(shop.live("deployment", "web"), None);
    assert!(shop.has_state() && shop.live("pvc", "data").is_some());

    // Nothing here takes the finalizer of a claim off that no pod uses.
    shop.cluster.kubectl(["patch", "pvc", "data", "--type=merge", "-p", r#"{"metadata": {"finalizers": null}}"#]);
    trueup(["delete", "shop", "-y", "--prune-protected"]).of(&shop.application).exits(0);
    assert!(!shop.has_state() && shop.live("pvc", "data").is_none());
}

/// Somebody wrote that it asks first: nothing at all goes before it was answered.
#[test]
fn what_asks_first_keeps_everything_until_it_is_approved() {
    let shop = or_skip!(synced(|git| git.file("shop/asks.yaml", option("Delete=confirm", "asks"))));

    let refused = trueup(["delete", "shop", "-y"]).of(&shop.application).exits(2);

    assert!(refused.stderr.contains("`Delete=confirm` of `ConfigMap"), "{}", refused.transcript());
    assert!(shop.live("deployment", "web").is_some() && shop.live("configmap", "asks").is_some());
    trueup(["delete", "shop", "-y", "--approve"]).of(&shop.application).exits(0);
    assert_eq!(shop.live("configmap", "asks"), None);
}

/// A reviewer's dry run, and a job that forgot `-y`: neither writes.
#[test]
fn nothing_is_deleted_that_nobody_confirmed() {
    let shop = or_skip!(synced(|git| git));
    let planned = trueup(["delete", "shop", "--dry-run"]).of(&shop.application).exits(1);
    assert!(planned.stdout.contains("web"), "{}", planned.transcript());
    trueup(["delete", "shop"]).of(&shop.application).exits(2);
    assert!(shop.has_state() && shop.live("deployment", "web").is_some());
}

/// The repository is gone with the team: what is in the cluster can be deleted without it.
#[test]
fn an_application_whose_repository_is_gone_is_deleted_without_its_hooks() {
    let shop = or_skip!(synced(|git| git));
    std::fs::remove_dir_all(shop.git.path()).unwrap();

    let refused = trueup(["delete", "shop", "-y"]).of(&shop.application).exits(2);
    assert!(refused.stderr.contains("`--no-hooks` deletes it without hooks"), "{}", refused.transcript());
    assert!(shop.live("deployment", "web").is_some());

    trueup(["delete", "shop", "-y", "--no-hooks"]).of(&shop.application).exits(0);
    assert!(shop.live("deployment", "web").is_none() && !shop.has_state());
}

/// A finalizer that nobody takes off: its wave is waited for, what was to go afterwards stays, and so does the record; when
/// the finalizer is gone, the next deletion ends it.
#[test]
fn what_does_not_go_stops_the_deletion_and_the_next_one_goes_on() {
    let stuck = "
apiVersion: v1
kind: ConfigMap
metadata:
  name: stuck
  finalizers: [example.com/wait]
  annotations: {argocd.argoproj.io/sync-wave: '1'}
";
    let shop = or_skip!(synced(|git| git.remove("shop/web.yaml").file("shop/stuck.yaml", stuck)));

    let stopped = trueup(["delete", "shop", "-y", "--timeout=2s"]).of(&shop.application).exits(3);

    assert!(stopped.stderr.contains("its finalizers: example.com/wait"), "{}", stopped.transcript());
    assert!(shop.live("configmap", "settings").is_some() && shop.has_state());
    shop.cluster.kubectl([
        "patch",
        "configmap",
        "stuck",
        "--type=merge",
        "-p",
        r#"{"metadata": {"finalizers": null}}"#,
    ]);
    trueup(["delete", "shop", "-y"]).of(&shop.application).exits(0);
    assert!(shop.live("configmap", "settings").is_none() && !shop.has_state());
}

/// Backups before, cleaning up after; a backup that fails keeps everything.
#[test]
fn hooks_run_around_a_deletion_and_a_failing_one_blocks_it() {
    let backup = |outcome: &str| hook("PreDelete", "", job("backup", outcome));
    let shop = Shop::with(or_skip!(TestCluster::with_controllers()), json!({})).changed(|git| {
        let git = git.file("shop/backup.yaml", backup("Failed"));
        git.file("shop/goodbye.yaml", hook("PostDelete", "", plain("goodbye"))).commit("hooks")
    });
    trueup(["sync", "-y"]).of(&shop.application).exits(0);
    assert_eq!((shop.live("job", "backup"), shop.live("configmap", "goodbye")), (None, None));

    let failed = trueup(["delete", "shop", "-y", "-o", "json"]).of(&shop.application).exits(3).json();
    assert_eq!(steps(&failed)[0], "PreDelete Job/backup failed");
    assert!(shop.live("deployment", "web").is_some() && shop.has_state());

    let shop = shop.changed(|git| git.file("shop/backup.yaml", backup("Succeeded")).commit("mended"));
    let deleted = trueup(["delete", "shop", "-y", "-o", "json"]).of(&shop.application).exits(0).json();
    let expected = [
        "PreDelete Job/backup done",
        "Sync Deployment/web done",
        "Sync ConfigMap/settings done",
        "PostDelete ConfigMap/goodbye done",
    ];
    assert_eq!(steps(&deleted), expected);
    assert!(shop.live("deployment", "web").is_none() && shop.live("configmap", "goodbye").is_some());
    assert_eq!(
        shop.cluster.kubectl(["get", "replicasets", "-o", "name"]),
        "",
        "in the foreground: what it owned first"
    );
    assert!(!shop.has_state());
}

/// A hook without a name is a new object each time. Those that syncs on record made go with the application; one that merely is
/// called alike, of another application's sync perhaps, does not.
#[test]
fn hooks_with_generated_names_of_earlier_syncs_go_too() {
    let mut nameless = hook("PreSync", "HookFailed", plain(""));
    nameless["metadata"].as_object_mut().unwrap().remove("name");
    nameless["metadata"]["generateName"] = json!("migrate-");
    let shop = or_skip!(synced(|git| git.file("shop/migrate.yaml", nameless)));
    let shop =
        shop.changed(|git| git.file("shop/settings.yaml", config_map("settings").data("colour", "red")).commit("red"));
    trueup(["sync", "-y"]).of(&shop.application).exits(0);
    let made = || shop.cluster.kubectl(["get", "configmaps", "-o", "name"]).matches("/migrate-").count();
    assert_eq!(made(), 2);
    let alike = plain("migrate-0123456-presync-1700000000");
    let apply = ["apply", "--server-side", "--field-manager=trueup", "-f", "-"];
    assert!(shop.cluster.try_kubectl(shop.cluster.kubeconfig(), &apply, &alike.to_string()).status.success());

    trueup(["delete", "shop", "-y"]).of(&shop.application).exits(0);

    assert_eq!(made(), 1);
    assert!(shop.live("configmap", "migrate-0123456-presync-1700000000").is_some());
}
