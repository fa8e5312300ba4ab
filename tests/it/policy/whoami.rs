//! Who a cluster takes a run for, and the rules that are missing.

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{TestCluster, TestRepo, config_map, folder_with, or_skip, trueup};

/// Before a pipeline is set up, one asks which rights its account lacks: the rules are those that a Role needs.
#[test]
fn whoami_names_the_rules_that_are_missing() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new()
        .file("a.yaml", config_map("a"))
        .file(
            "role.yaml",
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: whoami-test}\nrules: []\n",
        )
        .commit("two kinds");
    let shop = git.application("shop").deployed_to(&cluster);
    let reader = cluster.account("reader").may("get,list", "configmaps");
    let masked = |text: String| {
        let text = text.replace(cluster.server(), "https://SERVER");
        text.replace(cluster.name(), "NAMESPACE")
    };
    let run = |arguments: &[&str]| {
        let run = trueup(["whoami"]).argument(shop.manifest()).arguments(arguments).kubeconfig(reader.kubeconfig());
        masked(run.outcome().to_string())
    };

    assert_snapshot!(run(&[]), @r#"
    cluster https://127.0.0.1:[PORT]
      user    system:serviceaccount:[NAMESPACE]:reader
      groups  system:serviceaccounts, system:serviceaccounts:[NAMESPACE], system:authenticated
    shop
      diff   no, missing:
             ClusterRole: {apiGroups: ["rbac.authorization.k8s.io"], resources: [clusterroles], verbs: [get, list]}
      sync   no, missing:
             ClusterRole: {apiGroups: ["rbac.authorization.k8s.io"], resources: [clusterroles], verbs: [create, patch]}
             Role in namespace [NAMESPACE]: {apiGroups: [""], resources: [configmaps], verbs: [create, patch, update]}
             Role in namespace [NAMESPACE]: {apiGroups: ["coordination.k8s.io"], resources: [leases], verbs: [get, create, update]}
      prune  no, missing:
             ClusterRole: {apiGroups: ["rbac.authorization.k8s.io"], resources: [clusterroles], verbs: [delete]}
             Role in namespace [NAMESPACE]: {apiGroups: [""], resources: [configmaps], verbs: [delete]}
    --- stderr
    fetched 1 repository
    rendered 1 application
    [exit 0]
    "#);
    let report =
        trueup(["whoami", "-o", "json"]).argument(shop.manifest()).kubeconfig(reader.kubeconfig()).exits(0).json();
    let application = &report["applications"][0];
    assert_eq!(report["clusters"][0]["user"], json!(reader.user()));
    assert_eq!((&application["diff"]["allowed"], &application["sync"]["allowed"]), (&json!(false), &json!(false)));

    // What the report names is enough: with these rules nothing is missing.
    let all = cluster
        .account("all")
        .may("get,list,create,update,patch,delete", "configmaps,leases.coordination.k8s.io")
        .may_everywhere("get,list,create,patch,delete", "clusterroles.rbac.authorization.k8s.io");
    let report =
        trueup(["whoami", "-o", "json"]).argument(shop.manifest()).kubeconfig(all.kubeconfig()).exits(0).json();
    for what in ["diff", "sync", "prune"] {
        assert_eq!(report["applications"][0][what]["allowed"], json!(true), "{report:#}");
    }
}

/// Without manifests it is the account alone.
#[test]
fn whoami_alone_is_the_account_of_the_context() {
    let cluster = or_skip!(TestCluster::namespace());
    let reader = cluster.account("reader");
    let folder = folder_with([]);

    let outcome = trueup(["whoami"]).in_folder(folder.path()).kubeconfig(reader.kubeconfig()).exits(0);

    let text = outcome.to_string().replace(cluster.server(), "https://SERVER").replace(cluster.name(), "NAMESPACE");
    assert_snapshot!(text, @r"
    cluster https://127.0.0.1:[PORT]
      user    system:serviceaccount:[NAMESPACE]:reader
      groups  system:serviceaccounts, system:serviceaccounts:[NAMESPACE], system:authenticated
    [exit 0]
    ");
}
