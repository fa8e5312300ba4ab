//! What server-side apply cannot express and `kubectl apply` can: the sync does it all the same, and owns the result.

use serde_json::{Value, json};

use super::{live, service};
use crate::harness::{TestApplication, TestCluster, TestRepo, or_skip, trueup};

fn deployment(spec: &Value, pod: &Value) -> Value {
    let mut deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
        },
    });
    deployment["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    deployment
}

fn pod(container: &Value) -> Value {
    let mut whole = json!({"name": "web", "image": "registry.example.com/web:1"});
    whole.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    json!({"containers": [whole]})
}

/// Syncs, and says what the one step did; afterwards nothing differs, and all of it is ours alone.
#[track_caller]
fn synced(application: &TestApplication, cluster: &TestCluster, object: &Value) -> String {
    let report = trueup(["sync", "-y", "-o", "json"]).of(application).exits(0).json();
    trueup(["diff"]).of(application).exits(0);
    let (kind, name) = (object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
    let live = live(cluster, kind, name).unwrap();
    let managers = live["metadata"]["managedFields"].as_array().unwrap();
    let ours = managers.iter().filter(|entry| entry["manager"] == "trueup");
    let operations: Vec<&str> = ours.map(|entry| entry["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["Apply"], "{managers:#?}");
    report["applications"][0]["operation"]["steps"][0]["message"].as_str().unwrap_or_default().to_owned()
}

/// Fields that git had left to their defaults, which contradict what git names now.
#[test]
fn a_default_gives_way_to_what_git_says_now() {
    let cluster = or_skip!(TestCluster::namespace());
    let stateful = |spec: Value| {
        let mut set = deployment(&spec, &pod(&json!({})));
        set["kind"] = json!("StatefulSet");
        set["spec"]["serviceName"] = json!("web");
        set
    };
    for (case, before, after, place, expected) in [
        (
            "Recreate",
            deployment(&json!({}), &pod(&json!({}))),
            deployment(&json!({"strategy": {"type": "Recreate"}}), &pod(&json!({}))),
            "/spec/strategy",
            json!({"type": "Recreate"}),
        ),
        (
            "OnDelete",
            stateful(json!({})),
            stateful(json!({"updateStrategy": {"type": "OnDelete"}})),
            "/spec/updateStrategy/type",
            json!("OnDelete"),
        ),
    ] {
        let git = TestRepo::new().file("web.json", &before).commit(case);
        let application = git.application(&case.to_lowercase()).deployed_to(&cluster);
        trueup(["sync", "-y"]).of(&application).exits(0);
        let _git = git.file("web.json", &after).commit("another strategy");

        let told = synced(&application, &cluster, &after);

        let found = live(&cluster, after["kind"].as_str().unwrap(), "web").unwrap();
        assert_eq!(found.pointer(place), Some(&expected), "{case}");
        if case == "Recreate" {
            assert!(told.contains("by merge") && told.contains("`spec.strategy.rollingUpdate`"), "{told}");
        }
    }
}

/// Changes by hand that a server-side apply would leave beside what git says.
#[test]
fn what_was_changed_by_hand_gives_way() {
    let cluster = or_skip!(TestCluster::namespace());
    let container = "/spec/template/spec/containers/0";
    let patch = |path: &str, value: Value| json!([{"op": "replace", "path": path, "value": value}]);
    let of_pod = |volumes: Value| {
        let mut pod = pod(&json!({}));
        pod["volumes"] = volumes;
        deployment(&json!({}), &pod)
    };
    for (case, object, change, place) in [
        ("the number of a named port", service("web"), patch("/spec/ports/0/port", json!(83)), "/spec/ports"),
        (
            "a container's port",
            deployment(&json!({}), &pod(&json!({"ports": [{"name": "http", "containerPort": 8080}]}))),
            patch(&format!("{container}/ports/0/containerPort"), json!(8083)),
            "/spec/template/spec/containers/0/ports",
        ),
        (
            "its protocol",
            deployment(
                &json!({}),
                &pod(&json!({"ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]})),
            ),
            patch(&format!("{container}/ports/0/protocol"), json!("UDP")),
            "/spec/template/spec/containers/0/ports",
        ),
        (
            "a value in place of its source",
            deployment(
                &json!({}),
                &pod(&json!({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]})),
            ),
            patch(&format!("{container}/env/0"), json!({"name": "A", "value": "1"})),
            "/spec/template/spec/containers/0/env",
        ),
        (
            "a volume of another type",
            of_pod(json!([{"name": "v", "configMap": {"name": "c"}}])),
            patch("/spec/template/spec/volumes/0", json!({"name": "v", "emptyDir": {}})),
            "/spec/template/spec/volumes",
        ),
    ] {
        let mut object = object;
        if object["kind"] == "Service" {
            object["spec"]["ports"][0]["name"] = json!("http");
        }
        let name = case.replace([' ', '\''], "-");
        let git = TestRepo::new().file("web.json", &object).commit(case);
        let application = git.application(&name).deployed_to(&cluster);
        trueup(["sync", "-y"]).of(&application).exits(0);
        let kind = object["kind"].as_str().unwrap();
        let before = live(&cluster, kind, "web").unwrap().pointer(place).unwrap().clone();
        let subject = format!("{kind}/web");
        cluster.kubectl(["patch", &subject, "--type=json", "-p", &change.to_string()]);
        trueup(["diff"]).of(&application).exits(1);

        synced(&application, &cluster, &object);

        assert_eq!(live(&cluster, kind, "web").unwrap().pointer(place), Some(&before), "{case}");
        cluster.kubectl(["delete", &subject]);
    }
}

/// What git itself says wrong is refused as before: nothing of others gives way for it.
#[test]
fn what_git_says_wrong_is_refused() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("web.json", deployment(&json!({}), &pod(&json!({})))).commit("one");
    let application = git.application("shop").deployed_to(&cluster);
    trueup(["sync", "-y"]).of(&application).exits(0);
    cluster.kubectl(["set", "env", "deployment/web", "MORE=1"]);
    let wrong = pod(&json!({"livenessProbe": {"httpGet": {"path": "/", "port": 80}, "tcpSocket": {"port": 80}}}));
    let _git = git.file("web.json", deployment(&json!({}), &wrong)).commit("two probes");

    let refused = trueup(["sync", "-y"]).of(&application).exits(2);

    assert!(refused.stderr.contains("the server refuses"), "{}", refused.transcript());
    let container = live(&cluster, "deployment", "web").unwrap()["spec"]["template"]["spec"]["containers"][0].clone();
    assert_eq!(container["env"], json!([{"name": "MORE", "value": "1"}]));
}

/// A custom resource whose definition wants exactly one of two fields.
#[test]
fn a_custom_resource_is_merged_too() {
    let cluster = or_skip!(TestCluster::namespace());
    let group = format!("{}.example.com", cluster.name());
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("gates.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced", "names": {"plural": "gates", "kind": "Gate"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {"spec": {"type": "object", "properties": {"way": {
                    "type": "object",
                    "properties": {"http": {"type": "string"}, "tcp": {"type": "string"}},
                    "x-kubernetes-validations": [{"rule": "!(has(self.http) && has(self.tcp))", "message": "only one"}],
                }}}},
            }}}],
        },
    });
    cluster.apply(&definition);
    cluster.kubectl(["wait", "--for=condition=Established", &format!("crd/gates.{group}"), "--timeout=60s"]);
    let gate = |way: Value| json!({"apiVersion": format!("{group}/v1"), "kind": "Gate", "metadata": {"name": "gate"}, "spec": {"way": way}});
    let git = TestRepo::new().file("gate.json", gate(json!({}))).commit("none");
    let application = git.application("shop").deployed_to(&cluster);
    trueup(["sync", "-y"]).of(&application).exits(0);
    cluster.kubectl([
        "patch",
        &format!("gates.{group}/gate"),
        "--type=merge",
        "-p",
        r#"{"spec": {"way": {"tcp": "80"}}}"#,
    ]);
    let _git = git.file("gate.json", gate(json!({"http": "80"}))).commit("http");

    trueup(["sync", "-y"]).of(&application).exits(0);

    assert_eq!(live(&cluster, &format!("gates.{group}"), "gate").unwrap()["spec"]["way"], json!({"http": "80"}));
    cluster.kubectl(["delete", &format!("crd/gates.{group}")]);
}

/// A Service is renamed and keeps its node port, which only one of the two can have: the old one is pruned first.
#[test]
fn a_dry_run_knows_what_the_plan_deletes_before() {
    let cluster = or_skip!(TestCluster::namespace());
    let node_port = |name: &str, port: u16| {
        let mut service = service(name);
        service["spec"]["type"] = json!("NodePort");
        service["spec"]["ports"][0]["nodePort"] = json!(port);
        service
    };
    let git = TestRepo::new().file("web.json", node_port("before", 31_817)).commit("before");
    let policy = json!({"syncOptions": ["PrunePropagationPolicy=background"]});
    let application = git.application("shop").deployed_to(&cluster).spec_field("syncPolicy", policy);
    trueup(["sync", "-y"]).of(&application).exits(0);
    let _git = git.file("web.json", node_port("after", 31_817)).commit("renamed");

    // Without the prune the port stays taken.
    trueup(["sync", "-y"]).of(&application).exits(2);
    trueup(["sync", "-y", "--prune", "--max-prune", "100%"]).of(&application).exits(0);

    assert!(live(&cluster, "service", "before").is_none());
    assert_eq!(live(&cluster, "service", "after").unwrap()["spec"]["ports"][0]["nodePort"], 31_817);
}
