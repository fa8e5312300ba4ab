//! `trueup history`: what was synced, by whom, and how the last attempt ended.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::json;
use trueup::sync::OperationPhase;
use trueup::sync::lock::Lock;
use trueup::sync::state::Ended;

use super::{Site, attempt, record, succeeded};
use crate::harness::{Run, TestApplication, TestRepo, config_map, or_skip, trueup};

fn application(site: &Site) -> TestApplication {
    TestRepo::new().file("a.yaml", config_map("settings")).commit("one").application("shop").deployed_to(&site.cluster)
}

fn by_name(site: &Site, arguments: &[&str]) -> Run {
    let state = ["--state-namespace", site.cluster.name()];
    trueup(["history", "shop"]).arguments(state).arguments(arguments).kubeconfig(site.cluster.kubeconfig())
}

/// Somebody asks on Monday what happened over the weekend; git is not needed for it.
#[test]
fn the_history_tells_each_sync_and_how_the_last_attempt_ended() {
    let site = or_skip!(Site::new());
    let application = application(&site);
    assert_snapshot!(trueup(["history"]).of(&application).exits(0), @r"
    shop  never synced
    [exit 0]
    ");

    site.synced(&[site.member("settings")]);
    let mut state = site.synced(&[site.member("settings")]);
    assert_snapshot!(trueup(["history"]).of(&application).exits(0), @r"
    shop  2 syncs
         2  [AGO]  3f2a9c1  https://git.example.com/shop overlays/prod (main)  by ci@runner
         1  [AGO]  3f2a9c1  https://git.example.com/shop overlays/prod (main)  by ci@runner
      last  Succeeded  [AGO]  3f2a9c1  by ci@runner  12 steps
    [exit 0]
    ");

    site.try_begin(&mut state, attempt(&["ConfigMap"])).unwrap();
    let failed = Ended {
        phase: OperationPhase::Failed,
        message: "1 of 12 steps failed: Deployment web: exceeded quota\u{1b}[2J".to_owned(),
        baseline: None,
        sources: None,
        ..succeeded(record(&[]))
    };
    site.try_finish(&mut state, failed).unwrap();
    site.block_on(state.set_rolled_back_to(&*site.connection, &site.place, Some(1))).unwrap();
    assert_snapshot!(by_name(&site, &[]).exits(0), @r"
    shop  2 syncs, rolled back to 1
         2  [AGO]  3f2a9c1  https://git.example.com/shop overlays/prod (main)  by ci@runner
         1  [AGO]  3f2a9c1  https://git.example.com/shop overlays/prod (main)  by ci@runner
      last  Failed  [AGO]  3f2a9c1  by ci@runner  1 of 12 steps failed: Deployment web: exceeded quota\x1b[2J
    [exit 0]
    ");
}

/// An attempt without an end goes on while somebody has the lock, and was killed when nobody has.
#[test]
fn a_killed_run_is_told_from_one_that_goes_on() {
    let site = or_skip!(Site::new());
    let mut state = site.read();
    site.try_begin(&mut state, attempt(&["ConfigMap"])).unwrap();
    let result = || by_name(&site, &["-o", "json"]).exits(0).json()["applications"][0]["lastAttempt"]["result"].clone();
    let lock = site.block_on(Lock::take(site.connection.clone(), site.place.clone(), "ci", Duration::ZERO)).unwrap();
    assert_eq!(result(), "Running");
    site.block_on(lock.release()).unwrap();
    assert_eq!(result(), "Killed");
}

/// Scripts read the same as people do, in both formats.
#[test]
fn the_history_is_data_for_scripts() {
    let site = or_skip!(Site::new());
    site.synced(&[site.member("settings")]);
    let json = by_name(&site, &["-o", "json"]).exits(0).json();
    assert_eq!(
        json,
        json!({
            "apiVersion": "trueup/v1", "kind": "SyncHistory", "version": env!("CARGO_PKG_VERSION"),
            "applications": [{
                "name": "shop", "state": {"namespace": site.cluster.name(), "name": "trueup-shop"},
                "lastAttempt": {
                    "result": "Succeeded", "started": "2026-03-10T12:00:00Z", "ended": "2026-03-10T12:00:30Z",
                    "by": "ci@runner", "revisions": ["3f2a9c1d".repeat(5)], "steps": 12, "message": "12 steps",
                },
                "history": [{
                    "id": 1, "started": "2026-03-10T12:00:00Z", "deployed": "2026-03-10T12:00:30Z", "by": "ci@runner",
                    "sources": [{"repoURL": "https://git.example.com/shop", "path": "overlays/prod",
                                 "targetRevision": "main", "revision": "3f2a9c1d".repeat(5)}],
                }],
            }],
        })
    );
    let yaml = by_name(&site, &["-o", "yaml"]).exits(0).stdout;
    assert!(yaml.contains("kind: SyncHistory") && yaml.contains("result: Succeeded"), "{yaml}");
}

/// What is wrong is said, and the exit code says that the answer is not whole.
#[test]
fn a_state_that_cannot_be_read_is_an_error() {
    let site = or_skip!(Site::new());
    assert_snapshot!(trueup(["history", "shop"]).kubeconfig(site.cluster.kubeconfig()).exits(2), @r"
    --- stderr
      × `shop` is neither an Application nor a file or folder
      help: as an Application: the current folder holds no manifest of an Application; as a path:
            check its spelling and the working directory
      × nothing says where the record of `shop` is
      help: give its manifest, or the namespace of its record with `--state-namespace`
    [exit 2]
    ");
    site.cluster.apply(config_map("trueup-shop"));
    let outcome = by_name(&site, &[]).exits(2);
    assert!(outcome.stderr.contains("does not belong to this application"), "{}", outcome.stderr);
    assert_eq!(outcome.stdout, "shop  Unknown\n");

    let elsewhere = Site::new().unwrap();
    let application = application(&elsewhere);
    let told = trueup(["history", "--state-namespace", site.cluster.name()]).of(&application).exits(2);
    assert!(told.stderr.contains(site.cluster.name()), "{}", told.stderr);
}
