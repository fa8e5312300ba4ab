//! Taking over from other appliers: after that, what git drops goes away.

use serde_json::{Value, json};
use trueup::cluster::Reason;
use trueup::object::Object;
use trueup::sync::adopt;

use super::write::{Writer, done, managers, refused};
use crate::harness::{TestCluster, or_skip};

fn names(managers: &[&str]) -> Vec<String> {
    managers.iter().map(|&name| name.to_owned()).collect()
}

/// `managedFields` without times.
fn timeless(object: &Object) -> Value {
    let mut entries = object.metadata().unwrap()["managedFields"].clone();
    for entry in entries.as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().remove("time");
    }
    entries
}

/// People come from `kubectl apply`, from Helm, and from Argo CD: what they applied and git drops now must not stay for ever.
#[test]
fn what_others_applied_and_git_drops_goes_away() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    for (manager, arguments) in [
        ("kubectl-client-side-apply", vec!["apply", "-f", "-"]),
        ("helm", vec!["create", "--field-manager=helm", "-f", "-"]),
        ("argocd-controller", vec!["apply", "--server-side", "--field-manager=argocd-controller", "-f", "-"]),
    ] {
        let name = format!("of-{manager}");
        let applied = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "labels": { "old": "label" } },
            "data": { "kept": "1", "dropped": "1" },
        });
        let output = cluster.try_kubectl(cluster.kubeconfig(), &arguments, &applied.to_string());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let object = writer.name("ConfigMap", &name);
        let target = writer.config_map(&name, json!({ "kept": "2" }));

        // Without adopting, both hold what is in git, and nobody takes the rest away.
        let both = done(writer.apply(&target));
        assert_eq!(both.value()["data"], json!({ "kept": "2", "dropped": "1" }), "{manager}");
        let live = writer.get(&object).unwrap();
        let patch = adopt::patch(&live, &names(&[manager])).unwrap();
        let adopted = done(writer.patch(&object, &patch));
        let synced = done(writer.apply(&target));

        assert_eq!(managers(&adopted), ["trueup Apply"], "{manager}");
        assert_eq!(synced.value()["data"], json!({ "kept": "2" }), "{manager}");
        assert_eq!(synced.label("old"), None, "{manager}");
        assert_eq!(synced.metadata().unwrap().get("annotations"), None, "{manager}");
        assert_eq!(adopt::patch(&synced, &names(&[manager])), None, "{manager}");
        assert_eq!(refused(writer.patch(&object, &patch)).reason, Reason::Conflict, "it changed meanwhile");
    }
}

/// kubectl itself does the same when it goes from client-side to server-side apply.
#[test]
fn adopting_ends_as_kubectls_own_migration_does() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    let web = |name: &str, fields: Value| {
        let mut spec = json!({
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "web", "image": "registry.example.com/web:1", "env": [
                    { "name": "A", "value": "1" },
                ] }] },
            },
        });
        spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        writer.object("apps/v1", "Deployment", name, json!({ "spec": spec }))
    };
    for name in ["theirs", "ours"] {
        cluster.apply(web(name, json!({ "minReadySeconds": 5, "revisionHistoryLimit": 3 })).into_value());
    }
    let small = |name: &str| web(name, json!({ "revisionHistoryLimit": 3 }));

    let arguments = ["apply", "--server-side", "--force-conflicts", "--field-manager=trueup", "-f", "-"];
    let output = cluster.try_kubectl(cluster.kubeconfig(), &arguments, &small("theirs").into_value().to_string());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let name = writer.name("apps/v1/Deployment", "ours");
    let patch = adopt::patch(&writer.get(&name).unwrap(), &names(&["kubectl-client-side-apply"])).unwrap();
    done(writer.patch(&name, &patch));
    let ours = done(writer.apply(&small("ours")));

    let theirs = writer.get(&writer.name("apps/v1/Deployment", "theirs")).unwrap();
    assert_eq!(timeless(&ours), timeless(&theirs));
    assert_eq!(ours.value()["spec"], theirs.value()["spec"]);
    assert_eq!(ours.value()["spec"].get("minReadySeconds"), None);
}
