//! What the server would make of an object, without writing anything.

use serde_json::{Value, json};
use trueup::cluster::{ClusterSettings, Predicted, Requests};

use super::{Asked, settings_of};
use crate::harness::{TestCluster, config_map, deployment, or_skip};

fn configuration(cluster: &TestCluster, name: &str, data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": cluster.name() }, "data": data })
}

#[track_caller]
fn refused(predicted: Predicted) -> String {
    let Predicted::Refused(words) = predicted else { panic!("{predicted:?} is no refusal") };
    words
}

/// The server fills in its defaults, for an object that exists and for one that does not; nothing is written.
#[test]
fn the_server_says_what_it_would_make_of_an_object() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(deployment("web").replicas(2));
    let asked = Asked::of(&cluster);
    for name in ["web", "new"] {
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": name, "namespace": cluster.name(), "creationTimestamp": null, "resourceVersion": "1" },
            "spec": {
                "replicas": 5, "selector": { "matchLabels": { "app": name } },
                "template": {
                    "metadata": { "labels": { "app": name } },
                    "spec": { "containers": [{ "name": name, "image": "registry.example.com/web:2.0.0" }] },
                },
            },
        });

        let Predicted::Object(predicted) = asked.predict(object).unwrap() else { panic!("{name} is not predicted") };

        let spec = &predicted.value()["spec"];
        assert_eq!((&spec["replicas"], &spec["progressDeadlineSeconds"]), (&json!(5), &json!(600)), "{name}");
    }
    assert_eq!(asked.requests(), Requests { discovery: 3, dry_run: 2, access: 1, ..Requests::default() });
    let live =
        cluster.kubectl(["get", "deployments", "-o", "jsonpath={.items[*].metadata.name} {.items[*].spec.replicas}"]);
    assert_eq!(live, "web 2");
}

/// What a sync would be refused for, the report says now, in the server's words.
#[test]
fn an_invalid_object_is_refused_in_the_servers_words() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(deployment("web"));
    cluster.apply(format!("{}immutable: true\n", config_map("frozen").data("colour", "red")));
    let asked = Asked::of(&cluster);
    let deployment = |name: &str, spec: Value| json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": cluster.name() }, "spec": spec });
    let mut elsewhere = configuration(&cluster, "settings", &json!({}));
    elsewhere["metadata"]["namespace"] = json!("nowhere");
    for (object, words) in [
        (deployment("web", json!({ "replicas": -1 })), "must be greater than or equal to 0"),
        (deployment("web", json!({ "selector": { "matchLabels": { "app": "other" } } })), "field is immutable"),
        (deployment("web", json!({ "replicaz": 3 })), "field not declared in schema"),
        (deployment("web", json!({ "replicas": "many" })), "expected numeric"),
        (configuration(&cluster, "frozen", &json!({ "colour": "blue" })), "field is immutable when `immutable` is set"),
        (configuration(&cluster, "Not_A_Name", &json!({})), "a lowercase RFC 1123 subdomain"),
        (elsewhere, "namespace `nowhere` does not exist"),
        (
            json!({ "apiVersion": "nobody.example.com/v1", "kind": "Widget", "metadata": { "name": "x" } }),
            "does not serve",
        ),
        (json!({ "apiVersion": "apps/v1beta1", "kind": "Deployment", "metadata": { "name": "x" } }), "does not serve"),
    ] {
        let said = refused(asked.predict(object.clone()).unwrap());
        assert!(said.contains(words), "{object}\n{said}");
    }
}

/// A limit of the namespace is no missing right, though the server calls both forbidden: a sync would be refused, too.
#[test]
fn what_admission_refuses_is_refused() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(json!({
        "apiVersion": "v1", "kind": "LimitRange", "metadata": { "name": "small" },
        "spec": { "limits": [{ "type": "Container", "max": { "memory": "1Mi" } }] },
    }));
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web", "namespace": cluster.name() },
        "spec": { "containers": [{
            "name": "web", "image": "registry.example.com/web:1.0.0", "resources": { "limits": { "memory": "1Gi" } },
        }] },
    });

    let said = refused(Asked::of(&cluster).predict(pod).unwrap());

    assert!(said.contains("is forbidden: maximum memory usage per Container is 1Mi"), "{said}");
}

/// A read-only account, as in CI, may not even try: that is no error, the comparison does without.
#[test]
fn an_account_that_cannot_patch_is_reported() {
    let cluster = or_skip!(TestCluster::namespace());
    let drift = cluster.account("drift").may("get,list", "configmaps");
    let asked =
        Asked::with(ClusterSettings { kubeconfig: Some(drift.kubeconfig().to_owned()), ..settings_of(&cluster) });

    let predicted = asked.predict(configuration(&cluster, "settings", &json!({}))).unwrap();

    let reason = format!("this account cannot patch `configmaps` in namespace `{}`", cluster.name());
    assert_eq!(predicted, Predicted::Unavailable(reason));
}

/// A refused Secret names its fields and never what they hold.
#[test]
fn a_refused_secret_shows_no_value() {
    let cluster = or_skip!(TestCluster::namespace());
    let asked = Asked::of(&cluster);
    let secret = |fields: Value| {
        let mut secret =
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "x", "namespace": cluster.name() } });
        secret.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        secret
    };
    for fields in [
        json!({ "type": "kubernetes.io/dockerconfigjson", "stringData": { ".dockerconfigjson": "hunter2" } }),
        json!({ "data": { "password": "hunter2 is no base64" } }),
        json!({ "data": { "password": { "hunter2": "x" } } }),
        json!({ "stringData": { "not a key hunter2": "x" }, "type": "hunter2" }),
    ] {
        let said = match asked.predict(secret(fields.clone())) {
            Ok(predicted) => refused(predicted),
            Err(error) => super::told(&error),
        };
        assert!(!said.contains("hunter2") || said.contains("`data[not a key hunter2]`"), "{fields}: {said}");
    }
}

/// What cannot be applied at all is not asked for.
#[test]
fn what_cannot_be_applied_is_not_sent() {
    let cluster = or_skip!(TestCluster::namespace());
    let asked = Asked::of(&cluster);
    let review =
        json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "metadata": { "name": "x" } });
    let unnamed = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "generateName": "job-" } });
    for object in [review, unnamed] {
        assert!(matches!(asked.predict(object), Ok(Predicted::Unavailable(_))));
    }
    assert_eq!(asked.requests().dry_run, 0);
}

/// What is taken out and has a default comes back with it; of lists, each place means the item that was seen there.
#[test]
fn the_server_says_what_comes_back_by_itself() {
    let cluster = or_skip!(TestCluster::namespace());
    let env = "env: [{name: A, value: a}, {name: B, value: b}, {name: C, value: c}]";
    let web = deployment("web").to_string();
    cluster.apply(
        web.replace("        image:", &format!("        imagePullPolicy: IfNotPresent\n        {env}\n        image:")),
    );
    let asked = Asked::of(&cluster);
    let live = asked.list("apps/v1", "Deployment", Some(cluster.name())).unwrap().remove(0);
    let container = "/spec/template/spec/containers/0";
    let places = ["imagePullPolicy", "env/0", "env/2"].map(|place| format!("{container}/{place}"));
    let places = places.each_ref().map(String::as_str);

    let Predicted::Object(without) = asked.predict_without(&live, &places).unwrap() else { panic!("no prediction") };

    let held = without.to_value().pointer(container).cloned().unwrap();
    assert_eq!(
        (&held["imagePullPolicy"], &held["env"]),
        (&json!("IfNotPresent"), &json!([{ "name": "B", "value": "b" }]))
    );
    let after = asked.list("apps/v1", "Deployment", Some(cluster.name())).unwrap().remove(0);
    assert_eq!(after, live, "nothing is written");
    let required = [format!("{container}/name")];
    refused(asked.predict_without(&live, &[&required[0]]).unwrap());
    cluster.kubectl(["scale", "deployment/web", "--replicas=3"]);
    refused(asked.predict_without(&live, &places).unwrap());
}
