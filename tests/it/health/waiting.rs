//! Waiting: for what comes, for what does not, and for what goes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Front, Reply, TestCluster, TestRepo, config_map, deployment, folder_with, or_skip, trueup};

/// Nothing makes pods of this Deployment: the wait ends, says what it was for, and has an exit code of its own.
#[test]
fn a_wait_in_vain_says_what_it_waited_for() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("web.yaml", deployment("web")).file("a.yaml", config_map("a")).commit("web");
    let shop = git.application("shop").deployed_to(&cluster);
    cluster.apply(config_map("a"));

    let run = trueup(["wait", "--timeout", "1s", "--interval", "200ms", "-q"]).of(&shop).exits(3);
    insta::assert_snapshot!(run, @r"
    shop  Healthy  1 missing, 1 without health
      Missing      apps/Deployment [NAMESPACE]/web
    --- stderr
      × timed out waiting after [DURATION]
      ╰─▶ still waiting for apps/Deployment [NAMESPACE]/web (Missing)
      help: raise `--timeout` to wait longer
    [exit 3]
    ");

    let run = trueup(["wait", "--for", "synced", "--timeout", "1s", "-q"]).of(&shop).exits(3);
    assert!(run.stderr.contains("still waiting for Deployment/web"), "{}", run.stderr);
}

/// What is degraded will not mend itself: a CI job learns it at once, and why, down to the pod.
#[test]
fn a_wait_gives_up_on_what_is_degraded() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let web = deployment("web").to_string().replace("  replicas: 1", "  progressDeadlineSeconds: 1\n  replicas: 1");
    let nowhere = web.replace("    spec:\n", "    spec:\n      nodeSelector: {disk: none-has-it}\n");
    let git = TestRepo::new().file("web.yaml", &nowhere).commit("a Deployment that fits nowhere");
    let shop = git.application("shop").deployed_to(&cluster);
    cluster.apply(&nowhere);

    let run = trueup(["wait", "--timeout", "100s", "-q"]).of(&shop).exits(3);
    assert!(run.stderr.contains("1 resource is degraded"), "{}", run.stderr);
    assert!(run.stderr.contains("Deployment \"web\" exceeded its progress deadline"), "{}", run.stderr);
    assert!(run.stdout.contains("not scheduled: 0/"), "{}", run.stdout);
    let run = trueup(["wait", "--timeout", "1s", "--ignore-degraded", "-q"]).of(&shop).exits(3);
    assert!(run.stderr.contains("still waiting for"), "{}", run.stderr);
}

/// A roll-out that comes while somebody waits, drift that is mended, and objects that go.
#[test]
fn a_wait_ends_when_what_was_waited_for_comes() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", config_map("a").data("colour", "green")).commit("a");
    let shop = git.application("shop").deployed_to(&cluster);
    cluster.apply(config_map("a").data("colour", "red"));

    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            trueup(["wait", "--for", "synced", "--timeout", "60s", "--interval", "200ms"]).of(&shop).exits(0)
        });
        cluster.apply(config_map("a").data("colour", "green"));
        let _ = waiting.join().expect("the wait ended well");
        let waiting = scope.spawn(|| {
            trueup(["wait", "--for", "deleted", "--timeout", "60s", "--interval", "200ms"]).of(&shop).exits(0)
        });
        cluster.kubectl(["delete", "configmap/a"]);
        let _ = waiting.join().expect("the wait ended well");
    });
}

/// An operator is taken down with its kinds: what there is no kind of is gone, too.
#[test]
fn objects_whose_kind_is_deleted_are_gone() {
    let cluster = or_skip!(TestCluster::namespace());
    let definition = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tills.wait.example.com}
spec:
  group: wait.example.com
  scope: Namespaced
  names: {kind: Till, plural: tills}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
";
    let till = "apiVersion: wait.example.com/v1\nkind: Till\nmetadata: {name: left}\n";
    let git = TestRepo::new().file("kind.yaml", definition).file("till.yaml", till).commit("a till and its kind");
    let shop = git.application("shop").deployed_to(&cluster);
    cluster.apply(definition);
    cluster.kubectl(["wait", "crd/tills.wait.example.com", "--for=condition=Established", "--timeout=30s"]);
    cluster.apply(till);

    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| trueup(["wait", "--for", "deleted", "--timeout", "60s"]).of(&shop).exits(0));
        std::thread::sleep(Duration::from_secs(1));
        cluster.kubectl(["delete", "crd/tills.wait.example.com"]);
        let _ = waiting.join().expect("the wait ended well");
    });
}

/// Nobody can say whether it is healthy: that is an error at once, not after five minutes.
#[test]
fn a_cluster_that_cannot_be_asked_is_an_error_at_once() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("web.yaml", deployment("web")).commit("web");
    let shop = git.application("shop").deployed_to(&cluster);
    let _ = trueup(["wait", "--timeout", "100s"]).of(&shop).kubeconfig(&cluster.stranger()).exits(2);
}

/// The requests for the kind in the application's namespace that a server saw, in order. Extras are looked for in the whole cluster,
/// once, at the end.
fn requests(front: &Front, plural: &str) -> Vec<&'static str> {
    let seen = front.seen();
    let of_kind = seen.iter().filter(|line| line.contains("/namespaces/") && line.contains(&format!("/{plural}?")));
    of_kind.map(|line| if line.contains("watch=true") { "watch" } else { "list" }).collect()
}

/// Returns when the server has seen so many watches of the kind.
#[track_caller]
fn wait_for_watches(front: &Front, plural: &str, count: usize) {
    let started = Instant::now();
    while requests(front, plural).iter().filter(|verb| **verb == "watch").count() < count {
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", front.seen());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A fleet of CI jobs that wait must not be a fleet that lists: the cluster is asked once, and tells the rest.
#[test]
fn a_wait_lists_once_and_is_told_the_rest() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", config_map("a")).commit("a");
    let shop = git.application("shop").destination(json!({"name": "in-cluster", "namespace": cluster.name()}));
    let front = or_skip!(Front::before(&cluster, |_| None));

    std::thread::scope(|scope| {
        let wait = trueup(["wait", "--for", "synced", "--timeout", "60s", "--interval", "10ms"]);
        let waiting = scope.spawn(|| wait.of(&shop).kubeconfig(&front.kubeconfig()).exits(0));
        wait_for_watches(&front, "configmaps", 1);
        // Others' objects come and go, and concern nobody.
        cluster.apply(config_map("b"));
        cluster.apply(config_map("a"));
        let _ = waiting.join().expect("the wait ended well");
    });

    assert_eq!(requests(&front, "configmaps"), ["list", "watch"]);
}

/// A load balancer cuts the connection, the server forgets the version, then something comes: the wait is told.
#[test]
fn a_wait_survives_what_networks_and_servers_do() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", config_map("a")).commit("a");
    let shop = git.application("shop").destination(json!({"name": "in-cluster", "namespace": cluster.name()}));
    let watches = AtomicUsize::new(0);
    let front = or_skip!(Front::before(&cluster, move |line| {
        if !line.contains("watch=true") {
            return None;
        }
        let gone = json!({"type": "ERROR", "object": {"kind": "Status", "reason": "Expired", "code": 410}});
        match watches.fetch_add(1, Ordering::SeqCst) {
            0 => Some(Reply::Broken("{\"type\":\"ADDED\",\"obj".to_owned())),
            1 => Some(Reply::Now(200, "", format!("{gone}\n"))),
            2 => Some(Reply::Hangup),
            _ => None,
        }
    }));

    std::thread::scope(|scope| {
        let wait = trueup(["wait", "--for", "synced", "--timeout", "60s"]);
        let waiting = scope.spawn(|| wait.of(&shop).kubeconfig(&front.kubeconfig()).exits(0));
        wait_for_watches(&front, "configmaps", 4);
        cluster.apply(config_map("a"));
        let _ = waiting.join().expect("the wait ended well");
    });

    assert_eq!(requests(&front, "configmaps"), ["list", "watch", "watch", "list", "watch", "watch"]);
}

/// The roll-out that a pipeline waits for: nothing is there yet, then pods come up one by one.
#[test]
fn a_deployment_becomes_ready_while_somebody_waits() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let git = TestRepo::new().file("web.yaml", deployment("web").replicas(3)).commit("web");
    let shop = git.application("shop").deployed_to(&cluster);

    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| trueup(["wait", "--timeout", "100s", "-q"]).of(&shop).exits(0));
        cluster.apply(deployment("web").replicas(3));
        let run = waiting.join().expect("the wait ended well");
        assert!(run.stdout.contains("shop  Healthy"), "{}", run.stdout);
    });
}

/// A dump that somebody else writes is a cluster, too.
#[test]
fn a_wait_for_a_folder_sees_what_is_written() {
    let live = folder_with([]);
    let git = TestRepo::new().file("a.yaml", config_map("a")).commit("a");
    let shop = git.application("shop");

    std::thread::scope(|scope| {
        let waiting = scope
            .spawn(|| trueup(["wait", "--for", "synced", "--timeout", "60s"]).of(&shop).live(live.path()).exits(0));
        std::thread::sleep(Duration::from_millis(300));
        std::fs::write(live.path().join("a.yaml"), config_map("a").to_string()).expect("the folder is ours");
        let _ = waiting.join().expect("the wait ended well");
    });
}
