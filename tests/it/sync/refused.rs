//! What the server, a policy or another application does not let be: told before anything is written, wherever it can be
//! known before.

use serde_json::{Value, json};

use super::{annotated, live, plain, service, steps};
use crate::harness::{Outcome, TestApplication, TestCluster, TestRepo, config_map, deployment, or_skip, trueup, until};

const OPTIONS: &str = "argocd.argoproj.io/sync-options";

/// An application with what is refused, and a `ConfigMap` that would be taken.
fn shop(cluster: &TestCluster, refused: impl std::fmt::Display) -> (TestRepo, TestApplication) {
    let git = TestRepo::new().file("a.yaml", plain("taken")).file("b.yaml", refused).commit("refused");
    let shop = git.application("shop").deployed_to(cluster);
    (git, shop)
}

/// Nothing at all is there: no object, no record, no lock.
#[track_caller]
fn nothing_was_written(cluster: &TestCluster, run: &Outcome) {
    for (kind, name) in [("configmap", "taken"), ("configmap", "trueup-shop"), ("lease", "trueup-shop")] {
        assert!(live(cluster, kind, name).is_none(), "{kind} {name}\n{}", run.transcript());
    }
    assert!(run.stderr.contains("nothing was written"), "{}", run.transcript());
}

fn selecting(app: &str) -> String {
    deployment("web").to_string().replace("app: web", &format!("app: {app}"))
}

/// A selector that changed: nothing is written, until somebody says that it may be deleted first.
#[test]
fn what_cannot_be_changed_is_made_anew_only_when_that_is_asked_for() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let (git, shop) = shop(&cluster, selecting("web"));
    trueup(["sync", "-y"]).of(&shop).exits(0);
    let uid = || live(&cluster, "deployment", "web").unwrap()["metadata"]["uid"].clone();
    let first = uid();
    let mut changed = plain("taken");
    changed["data"]["a"] = json!("2");
    let git = git.file("a.yaml", changed).file("b.yaml", selecting("other")).commit("another selector");

    let refused = trueup(["sync", "-y"]).of(&shop).exits(2);

    assert!(refused.stderr.contains("must be recreated; nothing was written"), "{}", refused.transcript());
    assert_eq!(live(&cluster, "configmap", "taken").unwrap()["data"]["a"], "1");
    assert_eq!(uid(), first);

    trueup(["sync", "-y", "--force"]).of(&shop).exits(0);
    let second = uid();
    assert_ne!(second, first);
    assert_eq!(live(&cluster, "deployment", "web").unwrap()["spec"]["selector"]["matchLabels"]["app"], "other");
    trueup(["diff"]).of(&shop).exits(0);

    let _git = git.file("b.yaml", annotated(OPTIONS, "Force=true", selecting("third"))).commit("may be forced");
    trueup(["sync", "-y"]).of(&shop).exits(0);
    assert_ne!(uid(), second);
}

/// A policy in the namespace of a test, and its binding.
fn policy(cluster: &TestCluster, operations: &[&str], resource: &str, validation: &Value) -> String {
    let name = format!("{}-denies-{resource}", cluster.name());
    let resources =
        json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": operations, "resources": [resource]}]);
    cluster.apply(json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {"matchConstraints": {"resourceRules": resources}, "validations": [validation]},
    }));
    cluster.apply(json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"], "matchResources": {"namespaceSelector":
            {"matchLabels": {"kubernetes.io/metadata.name": cluster.name()}}}},
    }));
    name
}

/// A policy of the cluster says no: its words are told, and nothing is written.
#[test]
fn what_an_admission_policy_denies_is_told_before_anything_is_written() {
    let cluster = or_skip!(TestCluster::namespace());
    let validation =
        json!({"expression": "object.metadata.name != 'denied'", "message": "no service is called denied"});
    let name = policy(&cluster, &["CREATE", "UPDATE"], "services", &validation);
    let is_denied = || {
        let arguments = ["apply", "--dry-run=server", "-f", "-"];
        !cluster.try_kubectl(cluster.kubeconfig(), &arguments, &service("denied").to_string()).status.success()
    };
    until("the policy is in force", is_denied);
    let (_git, shop) = shop(&cluster, service("denied"));

    let refused = trueup(["sync", "-y"]).of(&shop).exits(2);

    assert!(refused.stderr.contains("no service is called denied"), "{}", refused.transcript());
    nothing_was_written(&cluster, &refused);
    cluster.kubectl(["delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", &name]);
}

/// What may not be deleted is known before anything is: neither a sync that prunes nor a deletion stops half-way.
#[test]
fn what_may_not_be_deleted_is_told_before_anything_is_written() {
    let cluster = or_skip!(TestCluster::namespace());
    let (git, shop) = shop(&cluster, service("guarded"));
    trueup(["sync", "-y"]).of(&shop).exits(0);
    let validation = json!({"expression": "oldObject.metadata.name != 'guarded'", "message": "it is guarded"});
    let name = policy(&cluster, &["DELETE"], "services", &validation);
    let delete = ["delete", "service", "guarded", "--dry-run=server"];
    until("the policy is in force", || !cluster.try_kubectl(cluster.kubeconfig(), &delete, "").status.success());
    let is_whole = |run: &Outcome| {
        assert!(run.stderr.contains("nothing was written"), "{}", run.transcript());
        assert_eq!(live(&cluster, "configmap", "taken").unwrap()["data"]["a"], "1", "{}", run.transcript());
    };

    let denied = trueup(["delete", "shop", "-y"]).of(&shop).exits(2);
    assert!(denied.stderr.contains("it is guarded"), "{}", denied.transcript());
    is_whole(&denied);
    cluster.kubectl(["delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", &name]);
    until("the policy is gone", || cluster.try_kubectl(cluster.kubeconfig(), &delete, "").status.success());

    let account = cluster
        .account("deployer")
        .may("*", "configmaps,leases.coordination.k8s.io")
        .may("get,list,create,update,patch", "services");
    is_whole(&trueup(["delete", "shop", "-y"]).of(&shop).kubeconfig(account.kubeconfig()).exits(4));
    let mut changed = plain("taken");
    changed["data"]["a"] = json!("2");
    let _git = git.remove("b.yaml").file("a.yaml", changed).commit("one goes, one changes");
    is_whole(&trueup(["sync", "-y", "--prune"]).of(&shop).kubeconfig(account.kubeconfig()).exits(4));
}

/// A quota that is enough for each and not for all: no dry run can tell. What fits is there, the report says what was not
/// begun, and with a larger quota the next sync goes on.
#[test]
fn a_quota_that_is_used_up_ends_the_sync_and_a_larger_one_lets_it_go_on() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let quota = |hard: u32| {
        json!({
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"},
            "spec": {"hard": {"count/services": hard.to_string()}},
        })
    };
    cluster.apply(quota(2));
    let hard = || cluster.kubectl(["get", "resourcequota", "few", "-o", "jsonpath={.status.hard.count/services}"]);
    until("the quota is counted", || hard() == "2");
    let git = (0..4).fold(TestRepo::new(), |git, number| {
        git.file(&format!("{number}.yaml"), super::wave(number, service(&format!("s{number}"))))
    });
    let git = git.commit("four services");
    let shop = git.application("shop").deployed_to(&cluster);
    let sync = |code: i32| trueup(["sync", "-y", "-o", "json", "--wave-delay", "0s"]).of(&shop).exits(code);

    let failed = sync(2);

    let expected =
        ["Sync Service/s0 done", "Sync Service/s1 done", "Sync Service/s2 failed", "Sync Service/s3 notBegun"];
    assert_eq!(steps(&failed.json()), expected);
    assert!(failed.stderr.contains("exceeded quota"), "{}", failed.transcript());

    cluster.apply(quota(4));
    until("the quota is counted", || hard() == "4");
    sync(0);
    trueup(["diff"]).of(&shop).exits(0);
}

/// An account that may write half of the kinds: exit code 4, and not a half of the application.
#[test]
fn an_account_that_may_not_write_a_kind_writes_nothing() {
    let cluster = or_skip!(TestCluster::namespace());
    let (_git, shop) = shop(&cluster, deployment("web"));
    let account = cluster
        .account("deployer")
        .may("get,list,create,update,patch,delete", "configmaps,leases.coordination.k8s.io")
        .may("get,list", "deployments.apps");

    let refused = trueup(["sync", "-y"]).of(&shop).kubeconfig(account.kubeconfig()).exits(4);

    nothing_was_written(&cluster, &refused);
    assert!(refused.stderr.contains("deployments.apps"), "{}", refused.transcript());

    let account = account.may("create,patch", "deployments.apps");
    trueup(["sync", "-y"]).of(&shop).kubeconfig(account.kubeconfig()).exits(0);
}

/// A typing error in a field: refused, not dropped silently; who wants it dropped says so.
#[test]
fn a_field_that_no_schema_has_is_refused() {
    let cluster = or_skip!(TestCluster::namespace());
    let mistyped = deployment("web").to_string().replace("replicas:", "replicaz:");
    let (git, shop) = shop(&cluster, &mistyped);

    let refused = trueup(["sync", "-y"]).of(&shop).exits(2);

    nothing_was_written(&cluster, &refused);
    assert!(refused.stderr.contains("replicaz"), "{}", refused.transcript());

    let _git = git.file("b.yaml", annotated(OPTIONS, "Validate=false", &mistyped)).commit("not validated");
    trueup(["sync", "-y"]).of(&shop).exits(0);
    assert!(live(&cluster, "deployment", "web").is_some());
    // What the server does not know is no drift for ever, either.
    trueup(["diff"]).of(&shop).exits(0);
}

/// An object that no server would take.
#[test]
fn an_invalid_object_is_refused_before_anything_is_written() {
    let cluster = or_skip!(TestCluster::namespace());
    let mut invalid = service("web");
    invalid["spec"]["ports"][0]["port"] = json!(123_456);
    let (_git, shop) = shop(&cluster, invalid);

    let refused = trueup(["sync", "-y"]).of(&shop).exits(2);

    nothing_was_written(&cluster, &refused);
    assert!(refused.stderr.contains("123456"), "{}", refused.transcript());
}

/// The namespace is not there, and nobody said that it may be made.
#[test]
fn a_namespace_that_is_missing_is_told() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", plain("a")).commit("one");
    let nowhere = format!("{}-nowhere", cluster.name());
    let destination = json!({"server": cluster.server(), "namespace": nowhere});
    let shop = git.application("shop").deployed_to(&cluster).destination(destination);

    let refused = trueup(["sync", "-y"]).of(&shop).exits(2);

    let words = format!("namespace `{nowhere}` does not exist");
    assert!(refused.stderr.contains(&words), "{}", refused.transcript());
}

/// Two applications of one run name one object: neither is synced, unless somebody says that it is meant.
#[test]
fn an_object_of_two_applications_is_written_by_neither() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new()
        .file("one/shared.yaml", plain("shared"))
        .file("two/shared.yaml", plain("shared"))
        .file("two/own.yaml", plain("own"))
        .commit("shared");
    let one = git.application("one").path("one").deployed_to(&cluster);
    let two = git.application("two").path("two").deployed_to(&cluster);

    let refused = trueup(["sync", "-y"]).of(&one).argument(two.manifest()).exits(2);

    assert!(refused.stderr.contains("another application owns some of its objects"), "{}", refused.transcript());
    assert!(live(&cluster, "configmap", "shared").is_none() && live(&cluster, "configmap", "own").is_none());
}

/// An object that another application of trueup's has synced: a run of one application alone finds that, too.
#[test]
fn an_object_that_another_application_synced_is_not_taken_from_it() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new()
        .file("one/shared.yaml", plain("shared"))
        .file("two/shared.yaml", config_map("shared").data("a", "2"))
        .commit("shared");
    let one = git.application("one").path("one").deployed_to(&cluster);
    let two = git.application("two").path("two").deployed_to(&cluster);
    trueup(["sync", "-y"]).of(&one).exits(0);

    trueup(["sync", "-y"]).of(&two).exits(2);

    assert_eq!(live(&cluster, "configmap", "shared").unwrap()["data"]["a"], "1");
    assert!(live(&cluster, "configmap", "trueup-two").is_none());
}

/// Argo CD still tracks it: left alone, until it is taken over; then a field that git drops goes away, whoever applied it.
#[test]
fn what_argo_cd_tracks_is_taken_over_only_with_adopt() {
    let cluster = or_skip!(TestCluster::namespace());
    let mut argo = config_map("settings").data("a", "1").data("b", "2").to_string();
    argo = annotated("argocd.argoproj.io/tracking-id", &format!("{0}:/ConfigMap:{0}/settings", cluster.name()), argo);
    let apply = ["apply", "--server-side", "--field-manager=argocd-controller", "-f", "-"];
    assert!(cluster.try_kubectl(cluster.kubeconfig(), &apply, &argo).status.success());
    let git =
        TestRepo::new().file("settings.yaml", config_map("settings").data("a", "9").data("b", "2")).commit("nine");
    let shop = git.application(cluster.name()).deployed_to(&cluster);
    let data = || live(&cluster, "configmap", "settings").unwrap()["data"].clone();

    let held = trueup(["sync", "-y"]).of(&shop).exits(1);
    assert!(held.stdout.contains("--adopt"), "{}", held.transcript());
    assert_eq!(data(), json!({"a": "1", "b": "2"}));

    trueup(["sync", "-y", "--adopt"]).of(&shop).exits(0);
    assert_eq!(data(), json!({"a": "9", "b": "2"}));
    let _git = git.file("settings.yaml", config_map("settings").data("a", "9")).commit("b is gone");
    trueup(["sync", "-y", "--adopt"]).of(&shop).exits(0);
    assert_eq!(data(), json!({"a": "9"}));
    let managers = managers(&live(&cluster, "configmap", "settings").unwrap());
    assert!(!managers.contains(&"argocd-controller".to_owned()), "{managers:?}");
}

fn managers(live: &Value) -> Vec<String> {
    let entries = live["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["manager"].as_str().unwrap_or_default().to_owned()).collect()
}
