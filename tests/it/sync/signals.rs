//! Signals: a sync that is asked to end finishes its step, cleans up, says so, and lets the next one in.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{attempt, hook, in_wave, live, lock_holder, plain, steps};
use crate::harness::{
    Front, Missing, Reply, TestApplication, TestCluster, TestRepo, config_map, deployment, first, or_skip, trueup,
    until,
};

/// A sync that hangs in its first wave, for nobody makes pods here; with hooks before it and for the case that it fails.
struct Hanging {
    cluster: TestCluster,
    shop: TestApplication,
    _git: TestRepo,
}

impl Hanging {
    fn new() -> Result<Self, Missing> {
        let cluster = TestCluster::namespace()?;
        let git = TestRepo::new()
            .file("before.yaml", hook("PreSync", "", plain("before")))
            .file("mend.yaml", hook("SyncFail", "", plain("mend")))
            .file("web.yaml", deployment("web"))
            .file("later.yaml", in_wave(1, config_map("later")))
            .commit("hangs");
        let shop = git.application("shop").deployed_to(&cluster);
        Ok(Self { cluster, shop, _git: git })
    }
}

/// A node is drained, a pipeline is cancelled: what was begun is ended, and the next run goes on from there.
#[test]
fn a_signal_ends_a_sync_after_the_steps_in_flight() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let site = or_skip!(Hanging::new());
        let run = trueup(["sync", "-y", "-o", "json", "--wave-delay", "0s"]).of(&site.shop).start();
        until("the wave is waited for", || live(&site.cluster, "deployment", "web").is_some());

        run.signal(signal);

        let ended = run.exits(code);
        let expected = [
            "PreSync ConfigMap/before done",
            "Sync Deployment/web done",
            "Sync ConfigMap/later notBegun",
            "SyncFail ConfigMap/mend done",
        ];
        assert_eq!(steps(&ended.json()), expected, "{signal}");
        assert!(ended.stderr.contains("stopped by a signal"), "{}", ended.transcript());
        assert!(
            live(&site.cluster, "configmap", "mend").is_some() && live(&site.cluster, "configmap", "later").is_none()
        );
        assert_eq!(attempt(&site.cluster, "shop")["ended"]["phase"], "Terminated");
        assert_eq!(lock_holder(&site.cluster, "shop"), "", "the next run need not wait");
    }
}

/// Who presses Ctrl-C twice means it: nothing is waited for. The record has no end, and the lock outlives the run.
#[test]
fn a_second_signal_stops_at_once() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", plain("a")).commit("one");
    let shop = git.application("shop").destination(json!({"name": "in-cluster", "namespace": cluster.name()}));
    let slow = first(1, "/configmaps/a?force=true&fieldManager=trueup&fieldValidation=Strict HTTP", || {
        Reply::Late(Duration::from_secs(20))
    });
    let front = or_skip!(Front::before(&cluster, slow));
    let run = trueup(["sync", "-y"]).of(&shop).kubeconfig(&front.kubeconfig()).start();
    until("it writes", || front.seen().iter().any(|line| super::is_write(line) && line.contains("/a?")));

    run.signal("TERM");
    std::thread::sleep(Duration::from_millis(500));
    let second = Instant::now();
    run.signal("TERM");
    let ended = run.exits(143);

    assert!(second.elapsed() < Duration::from_secs(10), "it took {:?}", second.elapsed());
    assert!(ended.stderr.contains("stopping after the current step"), "{}", ended.transcript());
    assert!(attempt(&cluster, "shop").get("ended").is_none());
    assert_ne!(lock_holder(&cluster, "shop"), "");
}

/// Waiting for a lock is nothing that has to be ended first.
#[test]
fn a_signal_ends_the_wait_for_a_lock() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", plain("a")).commit("one");
    let shop = git.application("shop").deployed_to(&cluster);
    let now = jiff::Timestamp::now();
    cluster.apply(json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "trueup-shop"},
        "spec": {"holderIdentity": "somebody", "leaseDurationSeconds": 3600,
                 "acquireTime": format!("{now:.6}"), "renewTime": format!("{now:.6}")},
    }));
    let run = trueup(["sync", "-y", "--lock-timeout", "50m"]).of(&shop).start();
    std::thread::sleep(Duration::from_secs(3));

    run.signal("TERM");
    let begun = Instant::now();
    let ended = run.exits(143);

    assert!(begun.elapsed() < Duration::from_secs(10), "{}", ended.transcript());
    assert!(live(&cluster, "configmap", "a").is_none());
    assert_eq!(lock_holder(&cluster, "shop"), "somebody");
}

/// Somebody else took the lock, a node that was frozen wakes up: it writes nothing more, and leaves the record alone.
#[test]
fn a_run_that_loses_its_lock_stops_writing() {
    let site = or_skip!(Hanging::new());
    let run =
        trueup(["sync", "-y", "-o", "json", "--wave-delay", "0s", "--lock-duration", "3s"]).of(&site.shop).start();
    until("the wave is waited for", || live(&site.cluster, "deployment", "web").is_some());

    let now = jiff::Timestamp::now();
    let taken = json!({"spec": {"holderIdentity": "somebody", "renewTime": format!("{now:.6}")}});
    site.cluster.kubectl(["patch", "lease", "trueup-shop", "--type=merge", "-p", &taken.to_string()]);

    let ended = run.exits(5);
    assert!(ended.stderr.contains("the lock was lost to somebody"), "{}", ended.transcript());
    assert!(live(&site.cluster, "configmap", "mend").is_none(), "hooks are the other run's affair");
    assert!(attempt(&site.cluster, "shop").get("ended").is_none(), "the record is the other run's");
    assert_eq!(lock_holder(&site.cluster, "shop"), "somebody");
}

/// A laptop that slept, a process that was stopped: meanwhile the lock expired, and another run took it over and brought a newer
/// commit. Whoever wakes up writes nothing of what it was about to write: neither objects, nor hooks, nor the record.
#[test]
fn a_run_that_was_paused_writes_nothing_when_it_goes_on() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new()
        .file("a.yaml", plain("a"))
        .file("b.yaml", in_wave(1, config_map("b").data("a", "older")))
        .file("after.yaml", hook("PostSync", "", plain("after")))
        .commit("older");
    let shop = git.application("shop").destination(json!({"name": "in-cluster", "namespace": cluster.name()}));
    let front = or_skip!(Front::before(&cluster, |_| None));
    let paused = trueup(["sync", "-y", "--wave-delay", "1s", "--lock-duration", "3s"]).of(&shop);
    let paused = paused.kubeconfig(&front.kubeconfig()).start();
    until("the first wave is there", || live(&cluster, "configmap", "a").is_some());
    paused.signal("STOP");
    let _git = git.file("b.yaml", in_wave(1, config_map("b").data("a", "newer"))).commit("newer");
    let other = trueup(["sync", "-y", "--wave-delay", "0s", "--lock-timeout", "60s"]).of(&shop);
    other.kubeconfig(cluster.kubeconfig()).exits(0);
    let record = live(&cluster, "configmap", "trueup-shop").unwrap();
    let writes = || front.seen().iter().filter(|line| super::is_write(line)).count();
    let before = writes();

    paused.signal("CONT");
    let ended = paused.exits(5);

    assert!(ended.stderr.contains("the lock was lost"), "{}", ended.transcript());
    assert_eq!(writes(), before, "{}", ended.transcript());
    assert_eq!(live(&cluster, "configmap", "b").unwrap()["data"]["a"], "newer");
    assert_eq!(live(&cluster, "configmap", "trueup-shop").unwrap(), record);
}
