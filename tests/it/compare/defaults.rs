//! What git no longer spells out and the server fills in by itself, and what it does not.

use serde_json::{Value, json};

use crate::harness::{TestCluster, TestRepo, deployment, or_skip, trueup};

/// Somebody tidies up what the server fills in anyway, in ways that no table has: nothing would change, nothing is drift.
#[test]
fn a_field_that_git_drops_and_the_server_puts_back_is_no_drift() {
    let cluster = or_skip!(TestCluster::namespace());
    let spelled_out = deployment("web").to_string().replace(
        "        image: registry.example.com/web:1.0.0\n",
        "        image: registry.example.com/web:1.0.0\n        imagePullPolicy: IfNotPresent\n        tty: true\n",
    );
    let spelled_out = spelled_out.replace("  replicas: 1\n", "  replicas: 1\n  revisionHistoryLimit: 10\n");
    let less = spelled_out.replace("        tty: true\n", "").replace("  revisionHistoryLimit: 10\n", "");
    let git = TestRepo::new()
        .file("web.yaml", less.replace("        imagePullPolicy: IfNotPresent\n", ""))
        .commit("only what is not a default");
    let shop = git.application("shop").deployed_to(&cluster);
    let ways: [&[&str]; 2] = [&[], &["--server-side", "--field-manager=argocd-controller"]];
    for way in ways {
        let apply = [&["apply", "-f", "-"], way].concat();
        let applied = cluster.try_kubectl(cluster.kubeconfig(), &apply, &spelled_out);
        assert!(applied.status.success(), "{applied:?}");

        let report = trueup(["diff", "-o", "json"]).of(&shop).exits(1).json();

        let web = &report["applications"][0]["resources"][0];
        let paths: Vec<&Value> = web["fields"].as_array().unwrap().iter().map(|field| &field["path"]).collect();
        assert_eq!(paths, ["/spec/template/spec/containers/0/tty"], "{way:?}");
        assert_eq!(report["requests"]["dryRun"], 2, "one to apply it, one without what was dropped");
        cluster.kubectl(["delete", "deployment/web"]);
    }
}

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lamps.compare.example.com}
spec:
  group: compare.example.com
  scope: Namespaced
  names: {plural: lamps, singular: lamp, kind: Lamp}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

/// `ignoreResourceStatusField`: where the server keeps no status of its own, that of git is a field as any other; where it
/// does, a sync could not write it, and it is no drift.
#[test]
fn a_status_in_git_is_compared_where_argo_cd_is_told_to() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(DEFINITION);
    cluster.kubectl(["wait", "--for=condition=Established", "crd/lamps.compare.example.com", "--timeout=60s"]);
    let lamp = |status: &str| {
        format!(
            "apiVersion: compare.example.com/v1\nkind: Lamp\nmetadata: {{name: door}}\nstatus: {{is: '{status}'}}\n"
        )
    };
    let web = format!("{}status: {{observedGeneration: 77}}\n", deployment("web"));
    let git = TestRepo::new().file("lamp.yaml", lamp("on")).file("web.yaml", &web).commit("a status");
    let shop = git.application("shop").deployed_to(&cluster);
    cluster.apply(&web);
    cluster.apply(lamp("off"));
    let diff = |option: &str, code: i32| {
        let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"},
            "data": {"resource.compareoptions": format!("ignoreResourceStatusField: {option}")}});
        let folder = crate::harness::folder_with([("argocd-cm.yaml", &settings)]);
        let file = folder.path().join("argocd-cm.yaml");
        let report = trueup(["diff", "-o", "json", "--argocd-cm"]).argument(file).of(&shop).exits(code).json();
        let resources = report["applications"][0]["resources"].as_array().unwrap().clone();
        let fields = resources.iter().flat_map(|resource| resource["fields"].as_array().cloned().unwrap_or_default());
        fields.map(|field| field["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(diff("all", 0), [""; 0]);
    assert_eq!(diff("none", 1), ["/status/is"]);
    assert_eq!(diff("crd", 1), ["/status/is"]);
}
