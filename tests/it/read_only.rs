//! An account that only reads, as in CI: nothing it sends is refused, and the server's schema stands in for dry runs.

use std::path::Path;

use serde_json::Value;

use crate::harness::{TestCluster, TestRepo, or_skip, trueup};

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tills.readonly.example.com}
spec:
  group: readonly.example.com
  scope: Namespaced
  names: {plural: tills, singular: till, kind: Till, listKind: TillList}
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
              lanes:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  required: [name]
                  properties:
                    name: {type: string}
                    speed: {type: integer, default: 1}
              colours: {type: array, items: {type: string}}
";
const TILL: &str = "
apiVersion: readonly.example.com/v1
kind: Till
metadata: {name: main}
spec:
  lanes: [{name: left}, {name: right, speed: 2}]
  colours: [red, green]
";

fn diff(application: &crate::harness::TestApplication, account: &Path, home: &Path, code: i32) -> Value {
    let run = trueup(["diff", "-o", "json"]).argument(application.manifest()).kubeconfig(account).home(home);
    run.exits(code).json()
}

/// The lists have keys, the items defaults: without the schema, every one of them would be a doubt.
#[test]
fn custom_resources_are_compared_by_the_servers_schema() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(DEFINITION);
    cluster.kubectl(["wait", "--for=condition=Established", "crd/tills.readonly.example.com", "--timeout=60s"]);
    cluster.apply(TILL);
    // What somebody else keeps in the same list is nobody's drift.
    let lane = r#"[{"op": "add", "path": "/spec/lanes/-", "value": {"name": "express"}}]"#;
    cluster.kubectl(["patch", "till/main", "--type=json", "--patch", lane]);
    let git = TestRepo::new().file("till.yaml", TILL).commit("a till");
    let application = git.application("tills").deployed_to(&cluster);
    let account = cluster.account("reader").may("get,list", "tills.readonly.example.com,configmaps");
    let home = tempfile::tempdir().unwrap();

    let report = diff(&application, account.kubeconfig(), home.path(), 0);

    let resource = &report["applications"][0]["resources"][0];
    assert_eq!((&resource["state"], &resource["proof"]), (&"inSync".into(), &"schema".into()), "{report:#}");
    assert_eq!(report["requests"]["dryRun"], 0);
    assert_eq!(report["requests"]["access"], 1);
    assert_eq!(report["requests"]["openapi"], 2, "the index, and the document of one group and version");

    let git = git.file("till.yaml", TILL.replace("speed: 2", "speed: 3").replace("red, green", "red")).commit("faster");
    let report = diff(&application, account.kubeconfig(), home.path(), 1);

    let fields = report["applications"][0]["resources"][0]["fields"].as_array().unwrap();
    let paths: Vec<_> = fields.iter().map(|field| field["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/spec/colours", "/spec/lanes/1/speed"]);
    assert_eq!(fields[1]["item"]["name"], "right");
    assert_eq!(report["requests"]["openapi"], 1, "the document is kept under its hash");
    drop(git);
}
