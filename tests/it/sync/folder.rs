//! Syncing to a folder: the rendered-manifests pattern, with the same rules as on an API server.

use std::fs;

use serde_json::json;

use crate::harness::{TestRepo, config_map, deployment, trueup};

/// Everything that a sync does to a cluster, it does to files: makes, changes, prunes; a second one has nothing to do.
#[test]
fn a_folder_is_made_what_git_says() {
    let folder = tempfile::tempdir().unwrap();
    let git = TestRepo::new()
        .file("shop/web.yaml", deployment("web").replicas(2))
        .file("shop/old.yaml", config_map("old").data("a", "1"))
        .commit("the shop");
    let shop = git.application("shop").path("shop").destination(json!({"server": "https://prod", "namespace": "shop"}));

    trueup(["sync", "-y"]).of(&shop).live(&folder).exits(0);
    let web = folder.path().join("shop/deployment.apps-web.yaml");
    let text = fs::read_to_string(&web).unwrap();
    assert!(text.starts_with("# Written by trueup: Deployment.apps shop/web\n") && text.contains("\n  replicas: 2\n"));
    trueup(["diff"]).of(&shop).live(&folder).exits(0);
    assert!(folder.path().join(".trueup/shop/configmap-trueup-shop.yaml").exists());

    fs::write(&web, text.replace("replicas: 2", "replicas: 7")).unwrap();
    let report = trueup(["diff"]).of(&shop).live(&folder).exits(1);
    assert!(report.transcript().contains("/spec/replicas") || report.transcript().contains("spec.replicas"));
    let _git = git.remove("shop/old.yaml").commit("no longer");
    trueup(["sync", "-y", "--prune"]).of(&shop).live(&folder).exits(0);

    assert_eq!(fs::read_to_string(&web).unwrap(), text);
    assert!(!folder.path().join("shop/configmap-old.yaml").exists());
    trueup(["diff"]).of(&shop).live(&folder).exits(0);
}
