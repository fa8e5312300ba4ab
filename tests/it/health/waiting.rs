//! Waiting: for what comes, for what does not, and for what goes.

use crate::harness::{TestCluster, TestRepo, config_map, deployment, or_skip, trueup};

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
      × the wait was over after [DURATION]
      ╰─▶ still waiting for apps/Deployment [NAMESPACE]/web (Missing)
      help: `--timeout` gives it longer
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

/// Nobody can say whether it is healthy: that is an error at once, not after five minutes.
#[test]
fn a_cluster_that_cannot_be_asked_is_an_error_at_once() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("web.yaml", deployment("web")).commit("web");
    let shop = git.application("shop").deployed_to(&cluster);
    let _ = trueup(["wait", "--timeout", "100s"]).of(&shop).kubeconfig(&cluster.stranger()).exits(2);
}
