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
    cluster.kubectl(["scale", "deployment/web", "--replicas=3"]);

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
