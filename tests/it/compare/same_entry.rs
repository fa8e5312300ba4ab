//! Changes that leave our entry of `managedFields` as it was, or look like our own: each is drift all the same.

use serde_json::{Value, json};

use crate::harness::{TestApplication, TestCluster, TestRepo, config_map, or_skip, trueup};

/// One object of a kind that only the cluster knows: ports have a key of two parts, one of them with a default.
const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: GROUPS.example.com}
spec:
  group: GROUPS.example.com
  scope: Namespaced
  names: {plural: gates, singular: gate, kind: Gate}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer}
              color: {type: string}
              steps:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  required: [name]
                  properties: {name: {type: string}, run: {type: string}}
";

/// A definition in a group of its own, so that tests do not change each other's.
fn definition(cluster: &TestCluster) -> String {
    DEFINITION.replace("name: GROUPS.example.com", "name: gates.GROUPS.example.com").replace("GROUPS", cluster.name())
}

/// The kind's full name: others have gates, too.
fn gates(cluster: &TestCluster) -> String {
    format!("gates.{}.example.com", cluster.name())
}

fn define(cluster: &TestCluster, definition: &str) {
    cluster.apply(definition);
    let name = format!("crd/{}", gates(cluster));
    cluster.kubectl(["wait", "--for=condition=Established", &name, "--timeout=60s"]);
}

fn gate(cluster: &TestCluster) -> Value {
    json!({
        "apiVersion": format!("{}.example.com/v1", cluster.name()), "kind": "Gate", "metadata": {"name": "north"},
        "spec": {"size": 3, "color": "red", "steps": [{"name": "open", "run": "a"}, {"name": "close", "run": "b"}]},
    })
}

fn live(cluster: &TestCluster, kind: &str, name: &str) -> Value {
    let text = cluster.kubectl(["get", kind, name, "-o", "json", "--show-managed-fields"]);
    serde_json::from_str(&text).expect("kubectl writes JSON")
}

/// As `kubectl get -o yaml --show-managed-fields`, an editor, and `kubectl replace`, twice: the second time the entries that
/// are sent are those that stay.
fn replace_twice(cluster: &TestCluster, mut dump: Value, change: impl Fn(&mut Value)) {
    change(&mut dump);
    dump["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    for _ in 0..2 {
        let output = cluster.try_kubectl(cluster.kubeconfig(), &["replace", "-f", "-"], &dump.to_string());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The paths of the one object that a diff reports as changed.
#[track_caller]
fn changed(shop: &TestApplication) -> Vec<String> {
    let report = trueup(["diff", "-o", "json"]).of(shop).exits(1).json();
    let fields = report["applications"][0]["resources"][0]["fields"].as_array().cloned().unwrap_or_default();
    fields.iter().map(|field| field["path"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn is_proven(shop: &TestApplication, proof: &str) {
    let report = trueup(["diff", "-o", "json"]).of(shop).exits(0).json();
    assert_eq!(report["applications"][0]["resources"][0]["proof"], proof);
}

/// The entry says that trueup applied the image, and the image is another one.
#[test]
fn a_replaced_dump_that_keeps_our_entry_is_drift() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("web.yaml", config_map("web").data("image", "web:1")).commit("one");
    let shop = git.application("shop").deployed_to(&cluster);
    trueup(["sync", "-y"]).of(&shop).exits(0);
    is_proven(&shop, "ownership");
    let before = live(&cluster, "configmap", "web");

    replace_twice(&cluster, before.clone(), |web| web["data"]["image"] = json!("evil:1"));

    let ours = |object: &Value| {
        let entries = object["metadata"]["managedFields"].as_array().unwrap();
        entries.iter().find(|entry| entry["manager"] == "trueup").cloned()
    };
    assert_eq!(ours(&live(&cluster, "configmap", "web")), ours(&before), "only the value is another one");
    assert_eq!(changed(&shop), ["/data/image"]);
    trueup(["sync", "-y"]).of(&shop).exits(0);
    assert_eq!(live(&cluster, "configmap", "web")["data"]["image"], "web:1");
}

/// The server drops what its schema no longer has; our entry still names it.
#[test]
fn a_field_that_the_definition_lost_is_drift() {
    let cluster = or_skip!(TestCluster::namespace());
    let whole = definition(&cluster);
    define(&cluster, &whole);
    let git = TestRepo::new().file("gate.yaml", gate(&cluster)).commit("one");
    let shop = git.application("shop").deployed_to(&cluster);
    trueup(["sync", "-y"]).of(&shop).exits(0);
    is_proven(&shop, "ownership");

    define(&cluster, &whole.replace("              color: {type: string}\n", ""));
    let is_gone = || live(&cluster, &gates(&cluster), "north")["spec"].get("color").is_none();
    for _ in 0..50 {
        if is_gone() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    assert!(is_gone(), "the server serves the new schema");

    let report = trueup(["diff", "-o", "json"]).of(&shop).outcome();
    let resource = &report.json()["applications"][0]["resources"][0];
    assert_ne!(resource["state"], "inSync", "{}", report.transcript());
    assert_eq!(resource["fields"][0]["path"], "/spec/color");
}

/// Moving an item changes nobody's fields, and the server's schema alone says that the list has keys.
#[test]
fn a_reordered_list_of_a_custom_resource_is_drift() {
    let cluster = or_skip!(TestCluster::namespace());
    define(&cluster, &definition(&cluster));
    let git = TestRepo::new().file("gate.yaml", gate(&cluster)).commit("one");
    let shop = git.application("shop").deployed_to(&cluster);
    trueup(["sync", "-y"]).of(&shop).exits(0);
    is_proven(&shop, "ownership");

    replace_twice(&cluster, live(&cluster, &gates(&cluster), "north"), |gate| {
        gate["spec"]["steps"].as_array_mut().unwrap().reverse();
    });

    assert!(!changed(&shop).is_empty());
}

/// Applied, then replaced because git changed: what the replace wrote is in another entry than what the apply wrote.
#[test]
fn an_edit_after_a_replace_is_drift() {
    let cluster = or_skip!(TestCluster::namespace());
    let settings = |b: &str| config_map("settings").data("a", "1").data("b", b);
    let git = TestRepo::new().file("settings.yaml", settings("2")).commit("one");
    let applied = git.application("shop").deployed_to(&cluster);
    let options = json!({"syncOptions": ["Replace=true"]});
    let replaced = git.application("shop").deployed_to(&cluster).spec_field("syncPolicy", options);
    trueup(["sync", "-y"]).of(&applied).exits(0);
    let _git = git.file("settings.yaml", settings("3")).commit("two");
    trueup(["sync", "-y"]).of(&replaced).exits(0);

    cluster.kubectl(["patch", "configmap", "settings", "--type=merge", "-p", r#"{"data": {"b": "by hand"}}"#]);

    assert_eq!(changed(&replaced), ["/data/b"]);
    assert_eq!(changed(&applied), ["/data/b"]);
    trueup(["sync", "-y"]).of(&replaced).exits(0);
    trueup(["diff"]).of(&replaced).exits(0);
}

/// What a rule protects is applied with its live value; once the rule is gone, git's own value counts.
#[test]
fn what_a_rule_protected_is_drift_when_the_rule_is_gone() {
    let cluster = or_skip!(TestCluster::namespace());
    let settings = |b: &str| config_map("settings").data("a", "1").data("b", b);
    let git = TestRepo::new().file("settings.yaml", settings("2")).commit("one");
    let rules = json!([{"group": "", "kind": "ConfigMap", "jsonPointers": ["/data/a"]}]);
    let plain = git.application("shop").deployed_to(&cluster);
    let respectful = git
        .application("shop")
        .deployed_to(&cluster)
        .spec_field("ignoreDifferences", rules)
        .spec_field("syncPolicy", json!({"syncOptions": ["RespectIgnoreDifferences=true"]}));
    trueup(["sync", "-y"]).of(&respectful).exits(0);
    cluster.kubectl(["patch", "configmap", "settings", "--type=merge", "-p", r#"{"data": {"a": "by hand"}}"#]);
    let _git = git.file("settings.yaml", settings("3")).commit("two");
    trueup(["sync", "-y"]).of(&respectful).exits(0);
    assert_eq!(live(&cluster, "configmap", "settings")["data"], json!({"a": "by hand", "b": "3"}));
    trueup(["diff"]).of(&respectful).exits(0);

    assert_eq!(changed(&plain), ["/data/a"]);
    trueup(["sync", "-y", "--apply-all"]).of(&respectful).exits(0);
    assert_eq!(live(&cluster, "configmap", "settings")["data"]["a"], "by hand");
}
