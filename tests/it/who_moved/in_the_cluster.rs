//! What people and controllers do to a cluster behind git's back.

use super::{Shop, field, told, values};
use crate::harness::{TestCluster, or_skip, trueup};
use serde_json::json;

const CONTAINER: &str = "/spec/template/spec/containers/0";

/// Nothing happened: the record of the last sync is proof enough, and no object is asked about.
#[test]
fn what_nobody_touched_since_the_last_sync_is_proven_by_ownership() {
    let shop = or_skip!(Shop::synced());

    let report = shop.diff(0);

    let resources = report["applications"][0]["resources"].as_array().unwrap();
    let proofs: Vec<_> = resources.iter().map(|resource| &resource["proof"]).collect();
    assert_eq!(proofs, ["ownership", "ownership"]);
    assert_eq!(report["applications"][0]["lastSyncedRevision"], shop.git.head());
    // Two kinds in one namespace; the record was among the ConfigMaps.
    let requests = &report["requests"];
    assert_eq!(requests["list"], 2, "{requests}");
    for purpose in ["get", "dryRun", "openapi", "access"] {
        assert_eq!(requests[purpose], 0, "{requests}");
    }
}

#[test]
fn scaling_by_hand_is_told() {
    let shop = or_skip!(Shop::synced());
    shop.cluster.kubectl(["scale", "deployment/web", "--replicas=5"]);
    assert_eq!(shop.moved(), ["Deployment /spec/replicas: cluster by kubectl scale"]);
}

#[test]
fn setting_the_environment_by_hand_is_told() {
    let shop = or_skip!(Shop::synced());
    shop.cluster.kubectl(["set", "env", "deployment/web", "LOG_LEVEL=debug"]);
    assert_eq!(shop.moved(), [format!("Deployment {CONTAINER}/env/1/value: cluster by kubectl-set")]);
}

#[test]
fn editing_by_hand_is_told() {
    let shop = or_skip!(Shop::synced());
    let editor = "--field-manager=kubectl-edit";
    let image = r#"{"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "other:2"}]}}}}"#;
    shop.cluster.kubectl(["patch", "deployment/web", editor, "--patch", image]);
    assert_eq!(shop.moved(), [format!("Deployment {CONTAINER}/image: cluster by kubectl-edit")]);
}

#[test]
fn relabelling_by_hand_is_told() {
    let shop = or_skip!(Shop::synced());
    shop.cluster.kubectl(["label", "deployment/web", "app=other", "--overwrite"]);
    assert_eq!(shop.moved(), ["Deployment /metadata/labels/app: cluster by kubectl-label"]);
}

/// Whoever takes something away holds nothing afterwards: only the record knows that it was there.
#[test]
fn an_item_removed_by_hand_is_told() {
    let shop = or_skip!(Shop::synced());
    let patch = format!(r#"[{{"op": "remove", "path": "{CONTAINER}/env/1"}}]"#);
    shop.cluster.kubectl(["patch", "deployment/web", "--type=json", "--patch", &patch]);

    let report = shop.diff(1);

    assert_eq!(told(&report), [format!("Deployment {CONTAINER}/env/1: cluster")]);
    let item = json!({"name": "LOG_LEVEL", "value": "info"});
    assert_eq!(values(field(&report, &format!("{CONTAINER}/env/1"))), [&item, &item, &serde_json::Value::Null]);
}

/// Variables build on those before them: in another order they are others. Whoever moves an item changes no field of anybody: trueup
/// holds them still.
#[test]
fn items_that_somebody_moved_are_told() {
    let shop = or_skip!(Shop::synced());
    let patch = format!(r#"[{{"op": "move", "from": "{CONTAINER}/env/1", "path": "{CONTAINER}/env/0"}}]"#);
    shop.cluster.kubectl(["patch", "deployment/web", "--type=json", "--patch", &patch]);

    assert_eq!(told(&shop.diff(1)), [format!("Deployment {CONTAINER}/env: cluster by trueup")]);
    shop.sync();
    shop.diff(0);
}

/// A restart and an annotation add what git is silent about: neither undoes anything that git says.
#[test]
fn a_restart_and_an_annotation_leave_what_git_says() {
    let shop = or_skip!(Shop::synced());
    shop.cluster.kubectl(["rollout", "restart", "deployment/web"]);
    shop.cluster.kubectl(["annotate", "deployment/web", "note=seen"]);
    assert_eq!(told(&shop.diff(0)), [""; 0]);
}

#[test]
fn an_autoscaler_is_told() {
    let shop = Shop::new(or_skip!(TestCluster::with_controllers()));
    shop.sync();
    shop.cluster.kubectl(["autoscale", "deployment/web", "--min=4", "--max=6"]);
    shop.cluster.kubectl(["wait", "deployment/web", "--for=jsonpath={.spec.replicas}=4", "--timeout=60s"]);
    assert_eq!(shop.moved(), ["Deployment /spec/replicas: cluster by kube-controller-manager scale"]);
}

#[test]
fn another_applier_that_takes_a_field_is_told() {
    let shop = or_skip!(Shop::synced());
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
                       "data": {"colour": "red"}});
    let arguments = ["apply", "--server-side", "--force-conflicts", "--field-manager=painter", "-f", "-"];
    shop.kubectl(&arguments, &other.to_string());
    assert_eq!(shop.moved(), ["ConfigMap /data/colour: cluster by painter"]);
}

#[test]
fn a_deleted_object_is_told() {
    let shop = or_skip!(Shop::synced());
    shop.cluster.kubectl(["delete", "configmap/settings"]);
    assert_eq!(shop.moved(), ["ConfigMap missing: cluster"]);
    let text = trueup(["diff"]).of(&shop.application).exits(1).stdout;
    assert!(text.contains("missing in the cluster, deleted since the last sync"), "{text}");
}
