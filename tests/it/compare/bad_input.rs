//! Objects and servers that are not as they should be: what is told, that the rest is compared all the same, and that nothing
//! was written.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    Front, Missing, Reply, TestApplication, TestCluster, TestRepo, config_map, deployment, first, folder_with, or_skip,
    program, trueup,
};

/// Kind, state and the paths that differ of each resource.
fn states(report: &Value) -> Vec<String> {
    let resources = report["applications"][0]["resources"].as_array().expect("resources");
    let state = |resource: &Value| {
        let fields = resource["fields"].as_array().cloned().unwrap_or_default();
        let paths: Vec<&str> = fields.iter().filter_map(|field| field["path"].as_str()).collect();
        let text = |field: &str| resource[field].as_str().unwrap_or_default();
        format!("{} {} {}", text("kind"), text("state"), paths.join(" ")).trim().to_owned()
    };
    resources.iter().map(state).collect()
}

fn messages(report: &Value) -> Vec<String> {
    let conditions = report["applications"][0]["conditions"].as_array().expect("conditions");
    conditions.iter().map(|condition| condition["message"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A Deployment as git has it, and a ConfigMap in another colour.
fn shop(cluster: &TestCluster) -> (TestRepo, TestApplication) {
    let git = TestRepo::new()
        .file("settings.yaml", config_map("settings").data("colour", "green"))
        .file("web.yaml", deployment("web"))
        .commit("the shop");
    cluster.kubectl(["apply", "--server-side", "-f", &git.path().join("web.yaml").to_string_lossy()]);
    cluster.apply(config_map("settings").data("colour", "red"));
    let application = git.application("shop").deployed_to(cluster);
    (git, application)
}

/// Somebody or something emptied the list of managers: what differs is told, who did it is not.
#[test]
fn an_object_without_managers_is_compared() {
    let cluster = or_skip!(TestCluster::namespace());
    let (_git, shop) = shop(&cluster);
    let emptied = r#"[{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]"#;
    for object in ["configmap/settings", "deployment/web"] {
        cluster.kubectl(["patch", object, "--type=json", "--patch", emptied]);
        assert_eq!(
            cluster.kubectl(["get", object, "--show-managed-fields", "-o", "jsonpath={.metadata.managedFields}"]),
            ""
        );
    }

    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(1).json();

    assert_eq!(states(&report), ["ConfigMap changed /data/colour", "Deployment inSync"]);
    let field = &report["applications"][0]["resources"][0]["fields"][0];
    assert_eq!((&field["by"], &field["git"], &field["live"]), (&Value::Null, &json!("green"), &json!("red")));
}

/// A dump that a script wrote: whatever stands in place of managers, the values are compared.
#[test]
fn malformed_managers_hide_nothing_and_break_nothing() {
    let git = TestRepo::new().file("settings.yaml", config_map("settings").data("colour", "green")).commit("green");
    let shop = git.application("shop");
    for managers in [
        json!(null),
        json!("none"),
        json!({}),
        json!([]),
        json!([1, null, "x"]),
        json!([{}]),
        json!([{"manager": 7, "operation": [], "fieldsV1": "f:data"}]),
        json!([{"manager": "kubectl-edit", "operation": "Update", "apiVersion": "v1", "time": "yesterday",
                "fieldsV1": {"f:data": {"f:colour": 3, "k:{": {}, "v:": null, "i:x": {}}}}]),
        json!([{"manager": "trueup", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:data": null}}]),
    ] {
        let live = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"colour": "red"},
                          "metadata": {"name": "settings", "managedFields": managers}});
        let folder = folder_with([("settings.yaml", &live)]);
        let report = trueup(["diff", "-o", "json"]).of(&shop).live(folder.path()).exits(1).json();
        assert_eq!(states(&report), ["ConfigMap changed /data/colour"], "{managers}");
        let _ = trueup(["diff"]).of(&shop).live(folder.path()).exits(1);
    }
}

/// As large as an object can be: it is compared, and a person can still read the report.
#[test]
fn an_object_of_a_megabyte_is_compared_and_its_report_is_folded() {
    let cluster = or_skip!(TestCluster::namespace());
    let (line, lines) = ("x".repeat(500_000), "a line\n".repeat(65_000));
    let large = |name: &str, line: &str, lines: &str| {
        let data = json!({"line": line, "lines": lines});
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}).to_string()
    };
    let git = TestRepo::new()
        .file("same.yaml", large("same", &line, &lines))
        .file("shorter.yaml", large("shorter", "x", "a line\n"))
        .commit("large");
    let shop = git.application("shop").deployed_to(&cluster);
    for name in ["same", "shorter"] {
        let created = cluster.try_kubectl(cluster.kubeconfig(), &["create", "-f", "-"], &large(name, &line, &lines));
        assert!(created.status.success(), "{created:?}");
    }

    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(1).json();

    assert_eq!(states(&report), ["ConfigMap inSync", "ConfigMap changed /data/line /data/lines"]);
    let text = trueup(["diff"]).of(&shop).exits(1).stdout;
    let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    assert!(text.lines().count() < 100 && longest < 1_000, "{} lines, the longest of {longest}", text.lines().count());
}

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: kites.compare.example.com}
spec:
  group: compare.example.com
  scope: Namespaced
  names: {plural: kites, singular: kite, kind: Kite}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

/// Somebody deletes a definition while we look: nobody knows what became of its objects, and the rest is compared.
#[test]
fn a_definition_that_is_deleted_meanwhile_makes_its_objects_unknown() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(DEFINITION);
    cluster.kubectl(["wait", "--for=condition=Established", "crd/kites.compare.example.com", "--timeout=60s"]);
    let git = TestRepo::new()
        .file("kite.yaml", "apiVersion: compare.example.com/v1\nkind: Kite\nmetadata: {name: red}\n")
        .file("settings.yaml", config_map("settings").data("colour", "green"))
        .commit("a kite");
    cluster.apply(config_map("settings").data("colour", "red"));
    let front = or_skip!(deleting_the_definition_at_the_first_list(&cluster));
    let shop = git.application("shop").destination(json!({"name": "in-cluster", "namespace": cluster.name()}));

    let report = trueup(["diff", "-o", "json"]).of(&shop).kubeconfig(&front.kubeconfig()).exits(2).json();

    assert_eq!(states(&report), ["ConfigMap changed /data/colour", "Kite unknown"]);
    let expected = ["shop: cluster front: `kites.compare.example.com` was served when the run began, and no longer is"];
    assert_eq!(messages(&report), expected);
}

fn deleting_the_definition_at_the_first_list(cluster: &TestCluster) -> Result<Front, Missing> {
    let (kubectl, kubeconfig) = (program("kubectl")?, cluster.kubeconfig().to_owned());
    let is_deleted = AtomicBool::new(false);
    Front::before(cluster, move |line| {
        if line.contains("/kites?") && !is_deleted.swap(true, Ordering::Relaxed) {
            let mut delete = Command::new(&kubectl);
            delete.args(["delete", "--wait", "crd/kites.compare.example.com"]).stdout(Stdio::null());
            let deleted = delete.env("KUBECONFIG", &kubeconfig).status().unwrap();
            assert!(deleted.success());
        }
        None
    })
}

/// A LIST that breaks in the middle, each time it is tried, is no shorter list: what it hides is unknown, not missing.
#[test]
fn a_list_that_breaks_makes_its_kind_unknown() {
    let cluster = or_skip!(TestCluster::namespace());
    let (_git, shop) = shop(&cluster);
    let shop = shop.destination(json!({"name": "in-cluster", "namespace": cluster.name()}));
    let before = cluster.kubectl(["get", "all,configmaps", "-o", "yaml", "--show-managed-fields"]);
    let diff = |times: usize, code: i32| {
        let front = Front::before(&cluster, first(times, "/deployments?", || Reply::CutOff(300))).unwrap();
        let report = trueup(["diff", "-o", "json"]).of(&shop).kubeconfig(&front.kubeconfig()).exits(code).json();
        (states(&report), messages(&report))
    };

    let (told, why) = diff(usize::MAX, 2);
    assert_eq!(told, ["ConfigMap changed /data/colour", "Deployment unknown"]);
    let answer =
        format!("shop: cluster front: the answer to `GET /apis/apps/v1/namespaces/{}/deployments`", cluster.name());
    assert!(why[0].starts_with(&answer) && why[0].contains("it is cut off: "), "{why:?}");
    let (told, why) = diff(1, 1);
    assert_eq!(told, ["ConfigMap changed /data/colour", "Deployment inSync"], "it is tried again");
    assert_eq!(why, [""; 0]);

    assert_eq!(cluster.kubectl(["get", "all,configmaps", "-o", "yaml", "--show-managed-fields"]), before);
}

/// A server that is slow for one kind only: that kind is unknown, and whoever is patient gets an answer.
#[test]
fn a_list_that_takes_too_long_makes_its_kind_unknown() {
    let cluster = or_skip!(TestCluster::namespace());
    let (_git, shop) = shop(&cluster);
    let shop = shop.destination(json!({"name": "in-cluster", "namespace": cluster.name()}));
    let diff = |limit: &str, code: i32| {
        let late = || Reply::Late(Duration::from_secs(2));
        let front = Front::before(&cluster, first(usize::MAX, "/deployments?", late)).unwrap();
        let run = trueup(["diff", "-o", "json", "--request-timeout", limit]).of(&shop);
        let report = run.kubeconfig(&front.kubeconfig()).exits(code).json();
        (states(&report), messages(&report))
    };

    let (told, why) = diff("1s", 2);
    assert_eq!(told, ["ConfigMap changed /data/colour", "Deployment unknown"]);
    assert!(why[0].contains("no answer to `GET /apis/apps/v1/namespaces/"), "{why:?}");
    assert_eq!(diff("30s", 1).0, ["ConfigMap changed /data/colour", "Deployment inSync"]);
}
