//! Two runs at once: one of them syncs, and what is in the cluster at the end is what git says.

use std::time::Duration;

use serde_json::{Value, json};

use super::{attempt, live, lock_holder, plain, service, steps};
use crate::harness::{
    Front, Missing, Reply, Run, Started, TestApplication, TestCluster, TestRepo, first, or_skip, trueup, until,
};

/// An application of two objects, and a way to its cluster that is slow for the first write of one of them.
struct Race {
    cluster: TestCluster,
    git: TestRepo,
    shop: TestApplication,
    slow: Front,
}

impl Race {
    fn new() -> Result<Self, Missing> {
        let cluster = TestCluster::namespace()?;
        let git = TestRepo::new().file("a.yaml", plain("a")).file("b.yaml", plain("b")).commit("two");
        let shop = git
            .application("shop")
            .destination(json!({"name": "in-cluster", "namespace": cluster.name()}))
            .spec_field("syncPolicy", json!({"syncOptions": ["PrunePropagationPolicy=background"]}));
        let late = first(1, "/configmaps/a?force=true&fieldManager=trueup&fieldValidation=Strict HTTP", || {
            Reply::Late(Duration::from_secs(4))
        });
        let slow = Front::before(&cluster, late)?;
        Ok(Self { cluster, git, shop, slow })
    }

    /// A run that has the lock by now, and is in the middle of a step.
    fn slow_run(&self) -> Started {
        let run = trueup(["sync", "-y"]).of(&self.shop).kubeconfig(&self.slow.kubeconfig()).start();
        until("the slow run writes", || {
            self.slow.seen().iter().any(|line| super::is_write(line) && line.contains("/a?"))
        });
        run
    }

    fn run<const N: usize>(&self, arguments: [&str; N]) -> Run {
        trueup(arguments).of(&self.shop).kubeconfig(self.cluster.kubeconfig())
    }
}

/// Two CI jobs of one commit: the second says who is at it, writes nothing, and has an exit code of its own.
#[test]
fn of_two_runs_one_syncs_and_the_other_says_so() {
    let race = or_skip!(Race::new());
    let slow = race.slow_run();

    let other = race.run(["sync", "-y", "-o", "json"]).exits(5);

    assert!(other.stderr.contains("another run has the lock"), "{}", other.transcript());
    assert_eq!(other.json()["requests"]["write"], 0);
    slow.exits(0);
    race.run(["diff"]).exits(0);
    assert_eq!(lock_holder(&race.cluster, "shop"), "");
    assert_eq!(attempt(&race.cluster, "shop")["ended"]["phase"], "Succeeded");
}

/// A fleet with one broken application: the others are synced all the same, and the exit code is the broken one's.
#[test]
fn one_application_that_fails_does_not_stop_another() {
    let cluster = or_skip!(TestCluster::namespace());
    let mut invalid = super::service("web");
    invalid["spec"]["ports"][0]["port"] = json!(123_456);
    let git = TestRepo::new().file("bad/web.yaml", invalid).file("good/a.yaml", plain("a")).commit("two applications");
    let bad = git.application("bad").path("bad").deployed_to(&cluster);
    let good = git.application("good").path("good").deployed_to(&cluster);

    trueup(["sync", "-y"]).of(&bad).argument(good.manifest()).exits(2);

    assert!(live(&cluster, "configmap", "a").is_some());
    assert_eq!(attempt(&cluster, "good")["ended"]["phase"], "Succeeded");
}

/// Whoever waits for the lock finds what the other one did, and has nothing left to do.
#[test]
fn who_waited_for_the_lock_plans_anew() {
    let race = or_skip!(Race::new());
    let slow = race.slow_run();

    let patient = race.run(["sync", "-y", "-o", "json", "--lock-timeout", "60s"]).exits(0).json();

    assert_eq!(steps(&patient), [""; 0], "the other run has done it all");
    slow.exits(0);
    race.run(["diff"]).exits(0);
}

/// The second job is of a newer commit: it waits its turn, and the newer commit is what stays.
#[test]
fn the_newer_commit_is_what_stays() {
    let mut race = or_skip!(Race::new());
    let slow = race.slow_run();
    let mut newer = plain("b");
    newer["data"]["a"] = json!("2");
    race.git = race.git.file("b.yaml", newer).remove("a.yaml").commit("newer");

    let patient = race.run(["sync", "-y", "-o", "json", "--prune", "--lock-timeout", "60s"]).exits(0).json();

    slow.exits(0);
    let b: Value = live(&race.cluster, "configmap", "b").unwrap();
    assert_eq!(b["data"]["a"], "2", "{patient:#}");
    assert!(live(&race.cluster, "configmap", "a").is_none(), "what git dropped meanwhile is found, too");
    race.run(["diff"]).exits(0);
}

/// A job that has fetched, and is slow to take the lock; meanwhile a newer commit is synced. What the old commit says is not put
/// over it, and what the new one brought is not pruned.
#[test]
fn an_older_run_does_not_undo_a_newer_one() {
    let race = or_skip!(Race::new());
    race.run(["sync", "-y"]).exits(0);
    let mut second = plain("b");
    second["data"]["a"] = json!("2");
    let Race { cluster, git, shop, slow: _ } = race;
    let git = git.file("b.yaml", &second).commit("the older run has this");
    second["data"]["a"] = json!("3");
    let (newer, other) =
        (std::sync::Mutex::new(Some(git)), (shop.manifest().to_owned(), cluster.kubeconfig().to_owned()));
    let front = Front::before(&cluster, move |line| {
        let git =
            (line.starts_with("GET ") && line.contains("/leases/")).then(|| newer.lock().unwrap().take()).flatten()?;
        let git = git.file("b.yaml", &second).file("c.yaml", plain("c")).commit("the newer run has this");
        trueup(["sync", "-y"]).argument(&other.0).kubeconfig(&other.1).exits(0);
        // The repository stays as long as somebody may read it.
        std::mem::forget(git);
        None
    });
    let front = or_skip!(front);

    let late = trueup(["sync", "-y", "--prune"]).of(&shop).kubeconfig(&front.kubeconfig()).exits(5);

    assert!(late.stderr.contains("started after this run and applied revision"), "{}", late.transcript());
    assert_eq!(live(&cluster, "configmap", "b").unwrap()["data"]["a"], "3");
    assert!(live(&cluster, "configmap", "c").is_some());
}

/// A CI runner whose clock is an hour ahead synced last: the pull loop goes on with what git says now, today and not in an hour.
#[test]
fn a_record_of_a_clock_that_is_ahead_stops_no_later_run() {
    let race = or_skip!(Race::new());
    race.run(["sync", "-y"]).exits(0);
    let mut written = attempt(&race.cluster, "shop");
    let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    written["started"] = json!(ahead.to_string());
    written["ended"]["at"] = written["started"].clone();
    written["revisions"] = json!(["0123456789abcdef0123456789abcdef01234567"]);
    let patch = json!({"data": {"attempt.json": written.to_string()}}).to_string();
    race.cluster.kubectl(["patch", "configmap", "trueup-shop", "--type=merge", "-p", &patch]);
    let mut newer = plain("b");
    newer["data"]["a"] = json!("2");
    let race = Race { git: race.git.file("b.yaml", newer).commit("newer"), ..race };

    race.run(["sync", "-y"]).exits(0);

    assert_eq!(live(&race.cluster, "configmap", "b").unwrap()["data"]["a"], "2");
}

/// A fleet in which each application has its own trouble: the exit code is that of the gravest one, and the others are done.
#[test]
fn of_several_troubles_the_gravest_is_the_exit_code() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new()
        .file("drifted/a.yaml", plain("drifted"))
        .file("drifted/old.yaml", plain("old"))
        .file("locked/a.yaml", plain("locked"))
        .file("refused/a.yaml", service("refused"))
        .file("broken/a.yaml", "apiVersion: v1\nkind: [\nmetadata: {name: broken}\n")
        .commit("four");
    let of = |name: &str| git.application(name).path(name).deployed_to(&cluster);
    let (drifted, locked, refused, broken) = (of("drifted"), of("locked"), of("refused"), of("broken"));
    trueup(["sync", "-y"]).of(&drifted).argument(locked.manifest()).exits(0);
    let git = git.remove("drifted/old.yaml").file("locked/b.yaml", plain("locked-b")).commit("more");
    let lease = json!({"spec": {
        "holderIdentity": "somebody", "leaseDurationSeconds": 600,
        "renewTime": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
    }});
    cluster.kubectl(["patch", "lease", "trueup-locked", "--type=merge", "-p", &lease.to_string()]);
    let account =
        cluster.account("no-services").may("*", "configmaps,leases.coordination.k8s.io").may("get,list", "services");
    let sync = |applications: &[&TestApplication]| {
        let manifests = applications.iter().map(|application| application.manifest().to_owned());
        trueup(["sync", "-y"]).arguments(manifests).kubeconfig(account.kubeconfig())
    };

    sync(&[&drifted]).exits(1);
    sync(&[&drifted, &locked]).exits(5);
    sync(&[&drifted, &locked, &refused]).exits(4);
    let all = sync(&[&drifted, &locked, &refused, &broken]).exits(2);

    for words in ["another run has the lock", "cannot patch `services`", "`broken/a.yaml` is not YAML"] {
        assert!(all.stderr.contains(words), "{}", all.transcript());
    }
    drop(git);
}
