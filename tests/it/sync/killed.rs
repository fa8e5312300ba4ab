//! A run that is killed at any moment: the next one takes the lock over, goes on, and prunes nothing wrongly.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::{attempt, hook, is_write, live, lock_holder, plain, service, wave};
use crate::harness::{Front, Missing, Run, TestApplication, TestCluster, TestRepo, or_skip, trueup};

/// What an application of five objects becomes: three of them go, two change, seven come.
const STEPS: usize = 12;
/// What goes.
const OLD: [&str; 3] = ["old-0", "old-1", "old-2"];
/// So many sites are killed side by side.
const LANES: usize = 6;

struct Site {
    cluster: TestCluster,
    git: TestRepo,
    shop: TestApplication,
}

impl Site {
    /// The first revision is synced, the second one in git. Beside it stands what is not ours.
    fn new() -> Result<Self, Missing> {
        let cluster = TestCluster::namespace()?;
        let git = OLD.iter().fold(TestRepo::new(), |git, name| git.file(&format!("{name}.yaml"), plain(name)));
        let git = git.file("c0.yaml", plain("c0")).file("c1.yaml", plain("c1")).commit("before");
        let shop =
            git.application("shop").destination(json!({"name": "in-cluster", "namespace": cluster.name()})).spec_field(
                "syncPolicy",
                json!({"automated": {"prune": true}, "syncOptions": ["PrunePropagationPolicy=background"]}),
            );
        let site = Self { cluster, git, shop };
        site.sync(site.cluster.kubeconfig()).exits(0);
        site.copy_the_label();
        Ok(Self { git: second_revision(site.git), ..site })
    }

    /// An operator copies labels to what it makes.
    fn copy_the_label(&self) {
        let parent = live(&self.cluster, "configmap", "trueup-shop").expect("the record");
        let id = parent["metadata"]["labels"]["applyset.kubernetes.io/id"].as_str().expect("an id").to_owned();
        self.cluster.apply(plain("copied"));
        self.cluster.kubectl(["label", "configmap", "copied", &format!("applyset.kubernetes.io/part-of={id}")]);
    }

    fn sync(&self, kubeconfig: &Path) -> Run {
        self.run(trueup(["sync", "-y", "--max-prune", "3"]), kubeconfig)
    }

    /// The pull loop's turn.
    fn reconcile(&self, kubeconfig: &Path) -> Run {
        self.run(trueup(["reconcile", "--max-prune", "3"]), kubeconfig)
    }

    fn run(&self, run: Run, kubeconfig: &Path) -> Run {
        let run = run.arguments(["--wave-delay", "0s", "--lock-duration", "3s", "--lock-timeout", "60s"]);
        run.of(&self.shop).kubeconfig(kubeconfig)
    }

    fn is_as_git_says(&self) {
        let report =
            trueup(["diff", "-o", "json"]).of(&self.shop).kubeconfig(self.cluster.kubeconfig()).exits(0).json();
        let resources = report["applications"][0]["resources"].as_array().expect("resources").clone();
        assert!(resources.iter().all(|resource| resource["state"] == "inSync"), "{report:#}");
        for number in 0..3 {
            let [map, secret, service] = ["c", "s", "v"].map(|letter| format!("{letter}{number}"));
            assert_eq!(live(&self.cluster, "configmap", &map).expect(&map)["data"], json!({"a": "2"}));
            assert_eq!(live(&self.cluster, "secret", &secret).expect(&secret)["data"], json!({"a": "Mg=="}));
            assert!(live(&self.cluster, "service", &service).is_some(), "{service}");
            assert!(live(&self.cluster, "configmap", &format!("old-{number}")).is_none(), "old-{number}");
        }
        assert!(live(&self.cluster, "configmap", "copied").is_some(), "it is not ours");
        assert_eq!(attempt(&self.cluster, "shop")["ended"]["phase"], "Succeeded");
    }
}

fn second_revision(git: TestRepo) -> TestRepo {
    let git = OLD.iter().fold(git, |git, name| git.remove(&format!("{name}.yaml")));
    let git = (0..3).fold(git, |git, number| {
        let [map, secret_name, service_name] = ["c", "s", "v"].map(|letter| format!("{letter}{number}"));
        git.file(&format!("{map}.yaml"), wave(number, changed(&map)))
            .file(&format!("{secret_name}.yaml"), wave(number, secret(&secret_name)))
            .file(&format!("{service_name}.yaml"), wave(number, service(&service_name)))
    });
    git.commit("after")
}

fn changed(name: &str) -> Value {
    let mut manifest = plain(name);
    manifest["data"]["a"] = json!("2");
    manifest
}

fn secret(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"a": "2"}})
}

/// Kills the sync when its n-th write arrives.
fn killed_at(site: &Site, number: usize) {
    kill_at(site, number, trueup(["sync", "-y", "--max-prune", "3"]));

    assert_ne!(lock_holder(&site.cluster, "shop"), "", "write {number}: the lock is the dead run's");
    // The last write is the record's end.
    let has_end = attempt(&site.cluster, "shop").get("ended").is_some();
    assert_eq!(has_end, number == STEPS + 2, "write {number}: the record says what is true");
}

/// Kills a run when its n-th write arrives; the write itself is done, and nobody reads the answer.
fn kill_at(site: &Site, number: usize, run: Run) {
    let (process, count) = (Arc::new(AtomicU32::new(0)), AtomicUsize::new(0));
    let victim = Arc::clone(&process);
    let front = Front::before(&site.cluster, move |line| {
        if is_write(line) && count.fetch_add(1, Ordering::SeqCst) + 1 == number {
            let id = loop {
                match victim.load(Ordering::SeqCst) {
                    0 => std::thread::sleep(Duration::from_millis(5)),
                    id => break id,
                }
            };
            assert!(Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap().success());
        }
        None
    });
    let front = front.expect("kubectl is there");
    let run = site.run(run, &front.kubeconfig()).start();
    process.store(run.id(), Ordering::SeqCst);

    let killed = run.outcome();

    assert_eq!(killed.code, None, "write {number}\n{}", killed.transcript());
}

/// Out of memory, a node that goes away, `kill -9`: at the record's begin, at each step, at the record's end.
#[test]
fn a_run_that_is_killed_at_any_write_is_ended_by_the_next_one() {
    let site = or_skip!(Site::new());
    let front = or_skip!(Front::before(&site.cluster, |_| None));
    site.sync(&front.kubeconfig()).exits(0);
    let writes: Vec<String> = front.seen().into_iter().filter(|line| is_write(line)).collect();
    assert_eq!(writes.len(), STEPS + 2, "{writes:#?}");
    site.is_as_git_says();

    at_each_of(STEPS + 2, |number| {
        let site = Site::new().expect("it was there before");
        killed_at(&site, number);
        let next = if number.is_multiple_of(2) { Site::sync } else { Site::reconcile };
        next(&site, site.cluster.kubeconfig()).exits(0);
        site.is_as_git_says();
        // At the end there was nothing left to do, and no lock to take.
        let is_held = !lock_holder(&site.cluster, "shop").is_empty();
        assert_eq!(is_held, number == STEPS + 2, "write {number}");
    });
}

/// Each number once, some of them side by side.
fn at_each_of(count: usize, scene: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(1);
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number > count {
                        return;
                    }
                    scene(number);
                }
            });
        }
    });
}

/// The writes of a deletion of five objects in two waves, of which one is kept, with a hook before and one afterwards; and those
/// of the record.
const DELETION: usize = 9;

impl Site {
    /// What is to be deleted.
    fn to_delete() -> Result<Self, Missing> {
        let site = Self::new()?;
        let git = OLD.iter().fold(site.git, |git, name| git.file(&format!("{name}.yaml"), wave(1, plain(name))));
        let git = ["s0", "s1", "s2", "v0", "v1", "v2", "c2"]
            .iter()
            .fold(git, |git, name| git.remove(&format!("{name}.yaml")));
        let mut kept = plain("c0");
        kept["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] = json!("Delete=false");
        let git = git
            .file("c0.yaml", kept)
            .file("before.yaml", hook("PreDelete", "HookFailed", plain("before")))
            .file("after.yaml", hook("PostDelete", "HookFailed", plain("after")))
            .commit("to be deleted");
        let site = Self { git, ..site };
        site.sync(site.cluster.kubeconfig()).exits(0);
        Ok(site)
    }

    fn delete(&self, kubeconfig: &Path) -> Run {
        self.run(trueup(["delete", "shop", "-y"]), kubeconfig)
    }

    /// All of it is gone but what is kept, and what is not ours; nothing is left of what was kept about it.
    fn is_deleted(&self) {
        for name in OLD.iter().chain(&["c1", "trueup-shop"]) {
            assert!(live(&self.cluster, "configmap", name).is_none(), "{name}");
        }
        assert!(live(&self.cluster, "lease", "trueup-shop").is_none());
        assert!(live(&self.cluster, "configmap", "copied").is_some(), "it is not ours");
        let kept = live(&self.cluster, "configmap", "c0").expect("it is kept");
        assert_eq!(kept["metadata"]["labels"]["applyset.kubernetes.io/part-of"], Value::Null, "it is nobody's");
        assert!(live(&self.cluster, "configmap", "after").is_some());
    }
}

/// As a sync: whatever was deleted until then, the next deletion ends it, and takes nothing that it must not.
#[test]
fn a_deletion_that_is_killed_at_any_write_is_ended_by_the_next_one() {
    let site = or_skip!(Site::to_delete());
    let front = or_skip!(Front::before(&site.cluster, |_| None));
    site.delete(&front.kubeconfig()).exits(0);
    let writes: Vec<String> = front.seen().into_iter().filter(|line| is_write(line)).collect();
    assert_eq!(writes.len(), DELETION, "{writes:#?}");
    site.is_deleted();

    at_each_of(DELETION, |number| {
        let site = Site::to_delete().expect("it was there before");
        kill_at(&site, number, trueup(["delete", "shop", "-y"]));
        site.delete(site.cluster.kubeconfig()).exits(0);
        site.is_deleted();
    });
}
