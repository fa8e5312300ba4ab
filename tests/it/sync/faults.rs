//! An API server that fails: what passes by itself is waited for; what does not ends the sync cleanly, and the next one
//! mends it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{attempt, is_write, live, lock_holder, plain};
use crate::harness::{Front, Missing, Reply, TestApplication, TestCluster, TestRepo, first, or_skip, trueup};

struct Site {
    cluster: TestCluster,
    shop: TestApplication,
    _git: TestRepo,
}

impl Site {
    fn new() -> Result<Self, Missing> {
        let cluster = TestCluster::namespace()?;
        let git =
            ["a", "b", "c"].iter().fold(TestRepo::new(), |git, name| git.file(&format!("{name}.yaml"), plain(name)));
        let git = git.commit("three");
        let shop = git.application("shop").destination(json!({"name": "in-cluster", "namespace": cluster.name()}));
        Ok(Self { cluster, shop, _git: git })
    }

    fn is_synced(&self) {
        trueup(["diff"]).of(&self.shop).kubeconfig(self.cluster.kubeconfig()).exits(0);
        assert_eq!(attempt(&self.cluster, "shop")["ended"]["phase"], "Succeeded");
        assert_eq!(lock_holder(&self.cluster, "shop"), "");
    }
}

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code,
           "message": format!("{reason}, says the test")})
}

fn says(code: u16, reason: &'static str, headers: &'static str) -> impl Fn() -> Reply + Send + Sync + 'static {
    move || Reply::Now(code, headers, status(code, reason).to_string())
}

/// The apply of one object, and no dry run.
fn apply_of(name: &str) -> String {
    format!("/configmaps/{name}?force=true&fieldManager=trueup&fieldValidation=Strict HTTP")
}

type Answers = Box<dyn Fn(&str) -> Option<Reply> + Send + Sync>;

/// A rolling restart of the control plane, a busy server, a broken connection in the middle of an answer: nobody is told,
/// and everything is done once.
#[test]
fn what_passes_by_itself_is_waited_for() {
    let cases: [(&str, Answers); 15] = [
        ("a write is reset twice", Box::new(first(2, apply_of("b"), || Reply::Hangup))),
        ("a write's answer is cut off", Box::new(first(1, apply_of("b"), || Reply::CutOff(40)))),
        ("a write is done, and its answer lost", Box::new(first(1, apply_of("b"), || Reply::Lost))),
        (
            "the lock is taken, and the answer lost",
            Box::new(first(1, "POST /apis/coordination.k8s.io", || Reply::Lost)),
        ),
        ("the record is written, and the answer lost", Box::new(first(1, "PUT /api/v1/", || Reply::Lost))),
        (
            "every answer to a write is late",
            Box::new(first(usize::MAX, apply_of("b"), || Reply::Late(Duration::from_secs(2)))),
        ),
        ("a write is too early", Box::new(first(1, apply_of("b"), says(429, "TooManyRequests", "Retry-After: 1\r\n")))),
        ("a write fails twice", Box::new(first(2, apply_of("b"), says(500, "InternalError", "")))),
        ("a write finds nobody", Box::new(first(2, apply_of("b"), says(503, "ServiceUnavailable", "")))),
        ("a dry run is reset", Box::new(first(1, "dryRun=All", || Reply::Hangup))),
        ("a list is reset", Box::new(first(2, "/configmaps?", || Reply::Hangup))),
        ("a list is too early", Box::new(first(1, "/configmaps?", says(429, "TooManyRequests", "Retry-After: 1\r\n")))),
        ("a list is cut off", Box::new(first(1, "/configmaps?", || Reply::CutOff(60)))),
        ("the lock's answer is lost", Box::new(first(1, "POST /apis/coordination.k8s.io", || Reply::CutOff(30)))),
        ("the record's answer is lost", Box::new(first(1, "PUT /api/v1/", || Reply::CutOff(30)))),
    ];
    for (name, answers) in cases {
        let site = or_skip!(Site::new());
        let front = or_skip!(Front::before(&site.cluster, answers));
        let run = trueup(["sync", "-y"]).of(&site.shop).kubeconfig(&front.kubeconfig()).outcome();
        assert_eq!(run.code, Some(0), "{name}\n{}", run.transcript());
        site.is_synced();
    }
}

/// What does not pass ends the sync: it says what failed, gives the lock back where it can, and the next run mends it.
#[test]
fn what_does_not_pass_ends_the_sync_and_the_next_one_mends_it() {
    let always = usize::MAX;
    let cases: [(&str, bool, Answers); 8] = [
        ("a write is always reset", true, Box::new(first(always, apply_of("b"), || Reply::Hangup))),
        ("a write always fails", true, Box::new(first(always, apply_of("b"), says(500, "InternalError", "")))),
        ("a write is too slow", true, Box::new(first(always, apply_of("b"), || Reply::Late(Duration::from_secs(3))))),
        ("a write's answer is always cut off", true, Box::new(first(always, apply_of("b"), || Reply::CutOff(40)))),
        ("no list comes to its end", false, Box::new(first(always, "/configmaps?", || Reply::CutOff(60)))),
        ("no dry run is answered", false, Box::new(first(always, "dryRun=All", || Reply::Hangup))),
        (
            "the lock cannot be written",
            false,
            Box::new(first(always, "POST /apis/coordination.k8s.io", || Reply::Hangup)),
        ),
        ("the record's begin cannot be written", false, Box::new(first(always, "POST /api/v1/", || Reply::Hangup))),
    ];
    for (name, begins, answers) in cases {
        let site = or_skip!(Site::new());
        let front = or_skip!(Front::before(&site.cluster, answers));
        let run = trueup(["sync", "-y", "-o", "json", "--request-timeout", "2s"]);
        let run = run.of(&site.shop).kubeconfig(&front.kubeconfig()).outcome();
        assert_eq!(run.code, Some(2), "{name}\n{}", run.transcript());
        if begins {
            assert_eq!(attempt(&site.cluster, "shop")["ended"]["phase"], "Failed", "{name}\n{}", run.transcript());
        } else {
            let is_there = |object: &&str| live(&site.cluster, "configmap", object).is_some();
            let written: Vec<&str> = ["a", "b", "c", "trueup-shop"].into_iter().filter(|name| is_there(name)).collect();
            assert_eq!(written, [""; 0], "{name}\n{}", run.transcript());
        }
        trueup(["sync", "-y"]).of(&site.shop).kubeconfig(site.cluster.kubeconfig()).exits(0);
        site.is_synced();
    }
}

/// The record's end is lost: everything is done, nothing says so, and the next run finds that out and writes it down.
#[test]
fn a_record_that_could_not_be_written_is_written_by_the_next_run() {
    let site = or_skip!(Site::new());
    let front = or_skip!(Front::before(&site.cluster, first(usize::MAX, "PUT /api/v1/", || Reply::Hangup)));

    let run = trueup(["sync", "-y"]).of(&site.shop).kubeconfig(&front.kubeconfig()).exits(2);

    assert!(live(&site.cluster, "configmap", "c").is_some(), "{}", run.transcript());
    assert!(attempt(&site.cluster, "shop").get("ended").is_none());
    assert_eq!(lock_holder(&site.cluster, "shop"), "");
    trueup(["sync", "-y"]).of(&site.shop).kubeconfig(site.cluster.kubeconfig()).exits(0);
    site.is_synced();
}

/// `syncPolicy.retry`: what failed for want of an answer is tried again, as the application says.
#[test]
fn an_application_that_retries_is_tried_again() {
    let site = or_skip!(Site::new());
    let git = TestRepo::new().file("a.yaml", plain("a")).commit("one");
    let shop = git
        .application("shop")
        .destination(json!({"name": "in-cluster", "namespace": site.cluster.name()}))
        .spec_field("syncPolicy", json!({"retry": {"limit": 2, "backoff": {"duration": "1s", "factor": 1}}}));
    // More than one request is tried by itself.
    let front = or_skip!(Front::before(&site.cluster, first(5, apply_of("a"), says(500, "InternalError", ""))));

    trueup(["sync", "-y"]).of(&shop).kubeconfig(&front.kubeconfig()).exits(0);

    let applies = front.seen().iter().filter(|line| is_write(line) && line.contains("/configmaps/a?")).count();
    assert_eq!(applies, 6);
}
