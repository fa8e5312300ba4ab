//! A cluster that is a folder: the same sync, prune, record and lock, as files.

use std::path::Path;

use serde_json::json;

use super::{hook, job, plain, steps, wave};
use crate::harness::{TestApplication, TestRepo, config_map, deployment, folder_with, trueup};
use tempfile::TempDir;

fn shop() -> (TestRepo, TestApplication, TempDir) {
    let git = TestRepo::new()
        .file("settings.yaml", plain("settings"))
        .file("later.yaml", wave(1, plain("later")))
        .file("before.yaml", hook("PreSync", "HookSucceeded", plain("before")))
        .commit("two and a hook");
    let shop = git.application("shop");
    (git, shop, folder_with([]))
}

/// The rendered-manifests pattern: the files are what git says, a second sync writes nothing, what git drops goes.
#[test]
fn a_folder_is_synced_and_pruned() {
    let (git, shop, live) = shop();

    let first = trueup(["sync", "-y", "-o", "json", "--wave-delay", "0s"]).of(&shop).live(live.path()).exits(0).json();

    let expected = ["PreSync ConfigMap/before done", "Sync ConfigMap/settings done", "Sync ConfigMap/later done"];
    assert_eq!(steps(&first), expected);
    let written = all(live.path());
    assert!(written.contains("name: settings") && written.contains("name: later"), "{written}");
    assert!(!written.contains("name: before"), "the hook is gone again\n{written}");
    trueup(["diff"]).of(&shop).live(live.path()).exits(0);

    let git = git.remove("later.yaml").commit("no later");
    trueup(["sync", "-y"]).of(&shop).live(live.path()).exits(1);
    assert!(all(live.path()).contains("name: later"));
    trueup(["sync", "-y", "--prune"]).of(&shop).live(live.path()).exits(0);
    let written = all(live.path());
    assert!(written.contains("name: settings") && !written.contains("name: later"), "{written}");

    // What nobody synced is never pruned.
    std::fs::write(live.path().join("other.yaml"), plain("other").to_string()).unwrap();
    let git = git.file("more.yaml", plain("more")).commit("more");
    trueup(["sync", "-y", "--prune"]).of(&shop).live(live.path()).exits(0);
    assert!(live.path().join("other.yaml").exists());
    let history = trueup(["history", "-o", "json"]).of(&shop).live(live.path()).exits(0);
    assert!(history.stdout.contains(&git.head()), "{}", history.transcript());
}

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
    let text = std::fs::read_to_string(&web).unwrap();
    assert!(text.starts_with("# Written by trueup: Deployment.apps shop/web\n") && text.contains("\n  replicas: 2\n"));
    trueup(["diff"]).of(&shop).live(&folder).exits(0);
    assert!(folder.path().join(".trueup/shop/configmap-trueup-shop.yaml").exists());

    std::fs::write(&web, text.replace("replicas: 2", "replicas: 7")).unwrap();
    let report = trueup(["diff"]).of(&shop).live(&folder).exits(1);
    assert!(report.transcript().contains("/spec/replicas") || report.transcript().contains("spec.replicas"));
    let _git = git.remove("shop/old.yaml").commit("no longer");
    trueup(["sync", "-y", "--prune"]).of(&shop).live(&folder).exits(0);

    assert_eq!(std::fs::read_to_string(&web).unwrap(), text);
    assert!(!folder.path().join("shop/configmap-old.yaml").exists());
    trueup(["diff"]).of(&shop).live(&folder).exits(0);
}

/// Nobody makes pods in a folder: waves and hooks come in their order, and nothing is waited for.
#[test]
fn in_a_folder_nothing_is_waited_for() {
    let live = folder_with([]);
    let git = TestRepo::new()
        .file("migrate.yaml", hook("PreSync", "", job("migrate", "Succeeded")))
        .file("web.yaml", deployment("web"))
        .file("later.yaml", wave(1, plain("later")))
        .commit("waves");
    let shop = git.application("shop");

    let run = trueup(["sync", "-y", "-o", "json", "--wave-delay", "0s", "--timeout", "20s"]);
    let report = run.of(&shop).live(live.path()).exits(0).json();

    let expected = ["PreSync Job/migrate done", "Sync Deployment/web done", "Sync ConfigMap/later done"];
    assert_eq!(steps(&report), expected);
}

/// A render that gives nothing, a field that cannot be changed, an object of two applications: as on a server.
#[test]
fn a_folder_is_as_safe_as_a_server() {
    let (git, shop, live) = shop();
    trueup(["sync", "-y", "--wave-delay", "0s"]).of(&shop).live(live.path()).exits(0);
    let before = all(live.path());
    let other = git.application("other");

    trueup(["sync", "-y"]).of(&other).live(live.path()).exits(2);
    assert_eq!(all(live.path()), before);

    let _git =
        git.remove("settings.yaml").remove("later.yaml").remove("before.yaml").file("README.md", "").commit("gone");
    let refused = trueup(["sync", "-y", "--prune"]).of(&shop).live(live.path()).exits(2);
    assert!(refused.stderr.contains("git renders nothing"), "{}", refused.transcript());
    assert_eq!(all(live.path()), before);
}

/// Two jobs that render into one folder.
#[test]
fn a_folder_has_a_lock_of_its_own() {
    let (git, shop, live) = shop();
    trueup(["sync", "-y"]).of(&shop).live(live.path()).exits(0);
    let _git = git.file("more.yaml", plain("more")).commit("more");
    let lease = lease(live.path());
    let text = std::fs::read_to_string(&lease).unwrap();
    let now = jiff::Timestamp::now();
    let held = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "trueup-shop", "namespace": "default"},
        "spec": {"holderIdentity": "somebody", "leaseDurationSeconds": 3600,
                 "acquireTime": format!("{now:.6}"), "renewTime": format!("{now:.6}")},
    });
    assert!(text.contains("holderIdentity: ''") || text.contains("holderIdentity: \"\""), "{text}");
    std::fs::write(&lease, held.to_string()).unwrap();

    let refused = trueup(["sync", "-y"]).of(&shop).live(live.path()).exits(5);

    assert!(refused.stderr.contains("somebody"), "{}", refused.transcript());
    assert!(!all(live.path()).contains("name: more"));
}

/// Every file of a folder, hidden ones aside.
fn all(folder: &Path) -> String {
    files(folder).iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            if !entry.file_name().to_string_lossy().starts_with('.') {
                found.extend(files(&path));
            }
        } else {
            found.push(path);
        }
    }
    found
}

fn lease(folder: &Path) -> std::path::PathBuf {
    let mut folders = vec![folder.join(".trueup")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path).unwrap().contains("kind: Lease") {
                return path;
            }
        }
    }
    panic!("no lease below {}", folder.display());
}
