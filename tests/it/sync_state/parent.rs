//! The parent of the ApplySet: written before the first write and after the last, whatever happens in between.

use std::time::Duration;

use serde_json::{Value, json};
use trueup::object::Object;
use trueup::sync::OperationPhase;
use trueup::sync::state::{Ended, State, StateError};

use super::{Site, attempt, connection, record, succeeded};
use crate::harness::{config_map, or_skip};

const PARENT: &str = "configmap/trueup-shop";

fn data(parent: &Value, key: &str) -> Value {
    serde_json::from_str(parent["data"][key].as_str().unwrap_or("null")).unwrap()
}

fn kinds(parent: &Value) -> &str {
    parent["metadata"]["annotations"]["applyset.kubernetes.io/contains-group-kinds"].as_str().unwrap()
}

/// What a second person sees after the first one's sync, and what `kubectl get configmap` shows of it.
#[test]
fn a_sync_leaves_what_the_next_one_reads() {
    let site = or_skip!(Site::new());
    assert_eq!(site.read(), State::default());
    let member = site.member("settings");

    site.synced(std::slice::from_ref(&member));
    let second = site.synced(std::slice::from_ref(&member));

    let read = site.read();
    assert_eq!((&read.history, &read.ended), (&second.history, &second.ended));
    assert_eq!(read.history.iter().map(|entry| entry.id).collect::<Vec<_>>(), [1, 2]);
    assert!(read.baseline.as_ref().is_some_and(|baseline| baseline.of(&member.key()).is_some()));
    let parent = site.get(PARENT);
    assert_eq!(data(&parent, "history.json")[1]["sources"][0]["repoURL"], "https://git.example.com/shop");
    assert_eq!(data(&parent, "attempt.json")["ended"]["phase"], "Succeeded");
    assert_eq!(parent["data"]["application"], "shop");
    assert_eq!(kinds(&parent), "ConfigMap");
}

/// Killed in the middle of a sync: the record of the last one stands, and what may have been written is named.
#[test]
fn a_run_that_is_killed_leaves_an_attempt_without_an_end() {
    let site = or_skip!(Site::new());
    site.synced(&[site.member("settings")]);
    site.block_on(async {
        let mut state = State::read(&*site.connection, &site.place).await.unwrap();
        let killed = async {
            state.begin(&*site.connection, &site.place, attempt(&["Deployment.apps"])).await.unwrap();
            std::future::pending::<()>().await;
        };
        let _ = tokio::time::timeout(Duration::from_secs(2), killed).await;
    });

    let read = site.read();

    assert!(read.was_interrupted() && read.ended.is_none());
    assert_eq!((read.attempt.as_ref().map(|attempt| attempt.steps), read.history.len()), (Some(12), 1));
    assert!(read.baseline.is_some() && read.faults.is_empty());
    let parent = site.get(PARENT);
    assert_eq!(data(&parent, "attempt.json").get("ended"), None);
    assert_eq!(kinds(&parent), "ConfigMap,Deployment.apps");

    let failed = Ended { phase: OperationPhase::Failed, baseline: None, sources: None, ..succeeded(record(&[])) };
    let mut state = read;
    site.try_finish(&mut state, failed).unwrap();
    assert_eq!(kinds(&site.get(PARENT)), "ConfigMap,Deployment.apps", "what failed may have written some of it");
    site.synced(&[site.member("settings")]);
    assert_eq!(kinds(&site.get(PARENT)), "ConfigMap");
}

/// An application of 12,000 objects: no ConfigMap holds their record. Killed at any moment while it is written, the
/// last record is whole, or the new one is.
#[test]
fn a_record_in_parts_is_whole_whenever_the_run_is_killed() {
    let site = or_skip!(Site::new());
    let members =
        |prefix: &str| (0..12_000).map(|number| site.member(&format!("{prefix}-{number}"))).collect::<Vec<Object>>();
    let (first, second) = (members("the-first-of-the-names"), members("the-second-of-the-names"));
    site.synced(&first);
    assert!(site.get("configmap/trueup--part-a1.trueup-shop")["data"].is_object());

    for milliseconds in [0, 10, 20, 40, 60, 80, 100, 150, 200, 300, 10_000] {
        site.block_on(async {
            let mut state = State::read(&*site.connection, &site.place).await.unwrap();
            let finish = state.finish(&*site.connection, &site.place, succeeded(record(&second)));
            let _ = tokio::time::timeout(Duration::from_millis(milliseconds), finish).await;
        });
        let read = site.read();
        assert_eq!(read.faults, [], "after {milliseconds} ms");
        let baseline = read.baseline.unwrap();
        let has = |members: &[Object]| members.iter().filter(|member| baseline.of(&member.key()).is_some()).count();
        assert!([(12_000, 0), (0, 12_000)].contains(&(has(&first), has(&second))), "after {milliseconds} ms");
    }
    assert!(site.read().baseline.unwrap().of(&second[0].key()).is_some());

    site.synced(&first[..3]);
    let names = site.cluster.kubectl(["get", "configmaps", "-o", "name"]);
    assert!(names.contains(PARENT), "{names}");
    let parts = names.lines().filter(|name| name.contains("trueup--part")).count();
    assert!(parts <= 2, "no more than a killed run left behind: {names}");

    site.synced(&first);
    site.cluster.kubectl(["delete", "configmap", "trueup--part-a1.trueup-shop"]);
    let [fault] = &site.read().faults[..] else { panic!("a part that is gone is a fault") };
    assert_eq!(
        fault.to_string(),
        "the last sync's record, ConfigMap `trueup-shop`, lacks the part that ConfigMap `trueup--part-a1.trueup-shop` held"
    );
}

/// Somebody annotates the parent while a sync goes on: both are kept.
#[test]
fn a_parent_that_somebody_edits_meanwhile_keeps_what_they_wrote() {
    let site = or_skip!(Site::new());
    let mut state = site.read();
    site.try_begin(&mut state, attempt(&["ConfigMap"])).unwrap();
    site.cluster.kubectl(["annotate", PARENT, "team=shop"]);
    site.cluster.kubectl(["patch", PARENT, "--type=merge", "--patch", r#"{"data": {"notes": "call Ada first"}}"#]);

    site.try_finish(&mut state, succeeded(record(&[site.member("settings")]))).unwrap();

    let parent = site.get(PARENT);
    assert_eq!(parent["metadata"]["annotations"]["team"], "shop");
    assert_eq!(parent["data"]["notes"], "call Ada first");
    assert_eq!(data(&parent, "attempt.json")["ended"]["phase"], "Succeeded");
    assert_eq!(site.read().faults, []);
}

/// kubectl's own ApplySet of the same name, and somebody's ConfigMap: neither is read as ours, nor written to.
#[test]
fn what_is_not_ours_is_never_touched() {
    let site = or_skip!(Site::new());
    site.cluster.apply(config_map("trueup-shop"));
    let untouched = |why: &str| {
        let before = site.get(PARENT);
        let error = site.block_on(State::read(&*site.connection, &site.place)).unwrap_err();
        assert!(matches!(&error, StateError::Foreign { .. }) && error.to_string().contains(why), "{error}");
        // Nor by somebody who looked before it was there.
        let error = site.try_begin(&mut State::default(), attempt(&["ConfigMap"])).unwrap_err();
        assert!(matches!(&error, StateError::Foreign { .. }), "{error}");
        assert_eq!(site.get(PARENT), before);
    };
    untouched("has no annotation `applyset.kubernetes.io/tooling`");
    site.cluster.kubectl(["delete", PARENT]);

    let applyset = ["apply", "--prune", "--applyset=configmap/trueup-shop", "-n", site.cluster.name(), "-f", "-"];
    let manifest = config_map("member").to_string();
    let output = site.cluster.kubectl_with(("KUBECTL_APPLYSET", "true"), &applyset, &manifest);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    untouched("it is the parent of an ApplySet of `kubectl`");
    site.cluster.kubectl(["delete", PARENT]);

    site.synced(&[]);
    site.cluster.kubectl(["patch", PARENT, "--type=merge", "--patch", r#"{"data": {"application": "team_shop"}}"#]);
    untouched("it holds the state of application `team_shop`");
    let newer = json!({"data": {"application": "shop", "baseline.json": r#"{"schema": 7}"#}}).to_string();
    site.cluster.kubectl(["patch", PARENT, "--type=merge", "--patch", &newer]);
    let error = site.block_on(State::read(&*site.connection, &site.place)).unwrap_err();
    assert!(matches!(error, StateError::Newer { schema: 7, .. }), "{error}");
}

/// KEP-3659: kubectl knows what it is, whose it is, and leaves it alone; were it kubectl's own, it could prune by it.
#[test]
fn kubectl_recognises_the_parent_and_refuses_to_trample_it() {
    let site = or_skip!(Site::new());
    site.synced(&[site.member("kept"), site.member("dropped")]);
    let label = format!("applyset.kubernetes.io/part-of={}", site.place.applyset_id());
    for name in ["kept", "dropped"] {
        site.cluster.apply(config_map(name));
        site.cluster.kubectl(["label", "configmap", name, &label]);
    }
    let manifest = config_map("kept").to_string();
    let prune = || {
        let arguments = ["apply", "--prune", "--applyset=configmap/trueup-shop", "-n", site.cluster.name(), "-f", "-"];
        site.cluster.kubectl_with(("KUBECTL_APPLYSET", "true"), &arguments, &manifest)
    };

    let refused = String::from_utf8(prune().stderr).unwrap();
    assert!(
        refused.contains("already exists and is managed by tooling \"trueup\" instead of \"kubectl\""),
        "{refused}"
    );
    assert!(site.get("configmap/dropped").is_object());

    site.cluster.kubectl(["annotate", "--overwrite", PARENT, "applyset.kubernetes.io/tooling=kubectl/v1.36"]);
    let output = prune();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(site.get("configmap/dropped"), Value::Null, "every rule of the specification holds but the tool's name");
    assert!(site.get("configmap/kept").is_object());
}

/// The least role of a sync's own needs: no list, no delete, nothing in other namespaces.
#[test]
fn the_state_needs_no_more_than_get_create_and_update() {
    let site = or_skip!(Site::new());
    let account = site.cluster.account("syncer").may("get,create,update", "configmaps");
    let reader = site.cluster.account("reader").may("get", "configmaps");
    let sync = |kubeconfig: &std::path::Path| {
        let connection = connection(kubeconfig);
        site.block_on(async {
            let mut state = State::read(&*connection, &site.place).await?;
            state.begin(&*connection, &site.place, attempt(&["ConfigMap"])).await?;
            state.finish(&*connection, &site.place, succeeded(record(&[site.member("settings")]))).await
        })
    };

    let error = sync(reader.kubeconfig()).unwrap_err();
    assert_eq!(error.to_string(), "ConfigMap `trueup-shop`, which holds the state, cannot be written");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("configmaps"), "{cause}");
    sync(account.kubeconfig()).unwrap();
    sync(account.kubeconfig()).unwrap();

    assert_eq!(site.read().history.len(), 2);
}
