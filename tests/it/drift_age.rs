//! Since when a difference stands, and reports of what lasts.

use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{TestCluster, TestRepo, config_map, deployment, or_skip, trueup};

fn names(resources: &Value) -> Vec<&str> {
    resources.as_array().into_iter().flatten().filter_map(|resource| resource["name"].as_str()).collect()
}

/// argo-cd #9344: drift that heals itself within minutes pages nobody, drift that stays does. What has no known age counts.
#[test]
fn only_drift_that_has_lasted_counts_where_that_is_asked_for() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new()
        .file("web.yaml", deployment("web").replicas(2))
        .file("settings.yaml", config_map("settings"))
        .commit("an application");
    let shop = git.application("shop").deployed_to(&cluster);
    trueup(["sync", "-y"]).of(&shop).exits(0);
    // The server notes no time for `kubectl scale`, which is a write of a subresource.
    cluster.kubectl(["patch", "deployment/web", "--patch", r#"{"spec": {"replicas": 3}}"#]);

    let report = trueup(["diff", "--older-than", "1h", "-o", "json"]).of(&shop).exits(0).json();
    let application = &report["applications"][0];
    assert_eq!(application["sync"], "OutOfSync", "it differs, though not for long: {report:#}");
    assert_eq!((names(&application["recent"]), names(&application["resources"])), (vec!["web"], vec!["settings"]));
    let text = trueup(["diff", "--older-than", "1h", "-q"]).of(&shop).exits(0).stdout;
    assert!(text.contains("recent   1 resource, younger than `--older-than`, not listed"), "{text}");
    assert!(text.contains("exit code 0    no drift that is as old as `--older-than` says"), "{text}");

    sleep(Duration::from_secs(2));
    let report = trueup(["diff", "--older-than", "1s", "-o", "json"]).of(&shop).exits(1).json();
    let web = &report["applications"][0]["resources"][1];
    let field = &web["fields"][0];
    assert_eq!((&web["since"], &field["since"]), (&field["by"]["time"], &field["by"]["time"]), "{report:#}");
    let text = trueup(["diff", "-v"]).of(&shop).exits(1).stdout;
    assert!(text.contains("  differs since 20"), "{text}");

    // A deleted object leaves no time behind.
    cluster.kubectl(["delete", "configmap/settings"]);
    let report = trueup(["diff", "--older-than", "1h", "-o", "json"]).of(&shop).exits(1).json();
    let application = &report["applications"][0];
    assert_eq!((names(&application["recent"]), names(&application["resources"])), (vec!["web"], vec!["settings"]));
    assert_eq!(application["resources"][0]["since"], Value::Null);
}

/// A deleted object leaves no time behind: a reconciliation that leaves it remembers when it saw that. A diff remembers nothing.
#[test]
fn a_reconciliation_remembers_when_it_first_saw_what_it_leaves() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("settings.yaml", config_map("settings")).commit("an application");
    let policy = serde_json::json!({"automated": {}});
    let shop = git.application("shop").spec_field("syncPolicy", policy).deployed_to(&cluster);
    trueup(["sync", "-y"]).of(&shop).exits(0);
    let record = || cluster.kubectl(["get", "configmap", "trueup-shop", "-o", "jsonpath={.data.differs\\.json}"]);
    cluster.kubectl(["delete", "configmap/settings"]);

    trueup(["diff", "--older-than", "1h"]).of(&shop).exits(1);
    assert_eq!(record(), "", "a diff writes nothing");
    trueup(["reconcile"]).of(&shop).exits(1);
    let first = record();
    assert!(first.starts_with(r#"[["ConfigMap","#), "{first}");
    let report = trueup(["diff", "--older-than", "1h", "-o", "json"]).of(&shop).exits(0).json();
    let since = report["applications"][0]["recent"][0]["since"].as_str().expect("an age");
    assert!(first.contains(since), "{first}: {since}");
    sleep(Duration::from_secs(2));
    trueup(["reconcile"]).of(&shop).exits(1);
    assert_eq!(record(), first, "it is the first time that counts");
    trueup(["diff", "--older-than", "1s"]).of(&shop).exits(1);

    trueup(["sync", "-y"]).of(&shop).exits(0);
    assert_eq!(record(), "", "what was applied differs no more");
}
