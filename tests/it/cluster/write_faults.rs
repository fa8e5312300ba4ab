//! What goes wrong between a write and its answer: it is done once, or it is told; it is never done twice.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use trueup::cluster::{ClusterError, ClusterSettings, Deleted, Deletion, Reason, Validation, Writing, Written};
use trueup::object::Object;

use super::write::{Writer, done, refused};
use super::{settings_of, told};
use crate::harness::{Front, Missing, Reply, TestCluster, or_skip};

/// A writer through a server that answers like this the first times that a line has this method.
fn writer(
    cluster: &TestCluster,
    method: &'static str,
    times: usize,
    answer: fn() -> Reply,
) -> Result<(Writer, Front), Missing> {
    let count = AtomicUsize::new(0);
    let front = Front::before(cluster, move |line| {
        (line.starts_with(method) && count.fetch_add(1, Ordering::Relaxed) < times).then(answer)
    })?;
    let settings = ClusterSettings {
        kubeconfig: Some(front.kubeconfig()),
        request_timeout: Some(Duration::from_secs(20)),
        ..settings_of(cluster)
    };
    Ok((Writer::with(cluster, settings), front))
}

fn status(code: u16, reason: &str, message: &str) -> Reply {
    Reply::json(
        code,
        &json!({ "kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code }),
    )
}

const PASSING: [fn() -> Reply; 6] = [
    || Reply::Now(429, "Retry-After: 0\r\n", "{}".to_owned()),
    || Reply::Now(503, "", "{}".to_owned()),
    || Reply::Now(502, "", "<html>bad gateway</html>".to_owned()),
    || status(500, "InternalError", "failed calling webhook \"a\": context deadline exceeded"),
    || Reply::Hangup,
    || Reply::Lost,
];

/// A busy server, a load balancer that changes over, a webhook that is just restarted: a sync does not fail of that.
#[test]
fn what_passes_by_itself_is_tried_again() {
    let cluster = or_skip!(TestCluster::namespace());
    for (number, answer) in PASSING.into_iter().enumerate() {
        let name = format!("settings-{number}");
        let (writer, _front) = or_skip!(writer(&cluster, "PATCH", 2, answer));

        let made = done(writer.apply(&writer.config_map(&name, json!({ "colour": "red" }))));

        assert_eq!(made.value()["data"], json!({ "colour": "red" }));
        assert_eq!(writer.asked.requests().write, 3, "{name}");
    }
}

/// A creation whose answer is lost is found done, and not called a stranger's; a stranger's object is.
#[test]
fn a_creation_that_was_done_is_done() {
    let cluster = or_skip!(TestCluster::namespace());
    let (ours, _front) = or_skip!(writer(&cluster, "POST", 1, || Reply::Lost));
    let secret = ours.object("v1", "Secret", "ours", json!({ "stringData": { "password": "hunter2" } }));
    assert_eq!(done(ours.create(&secret)).name(), "ours");
    assert_eq!(ours.asked.requests().write, 2);

    cluster.apply(ours.config_map("theirs", json!({ "colour": "blue" })).into_value());
    let (theirs, _front) = or_skip!(writer(&cluster, "POST", 1, || Reply::Hangup));
    let refusal = refused(theirs.create(&theirs.config_map("theirs", json!({ "colour": "red" }))));
    assert_eq!(refusal.reason, Reason::AlreadyExists);
}

/// Nor is the version that a lost replacement made somebody else's; nor what a lost deletion deleted.
#[test]
fn a_replacement_and_a_deletion_that_were_done_are_done() {
    let cluster = or_skip!(TestCluster::namespace());
    let (replacing, _front) = or_skip!(writer(&cluster, "PUT", 1, || Reply::Lost));
    let mut seen = done(replacing.create(&replacing.config_map("settings", json!({ "colour": "red" }))));
    seen.value_mut()["data"] = json!({ "colour": "blue" });
    assert_eq!(done(replacing.replace(&seen)).value()["data"], json!({ "colour": "blue" }));

    let (deleting, _front) = or_skip!(writer(&cluster, "DELETE", 1, || Reply::Lost));
    let name = deleting.name("ConfigMap", "settings");
    let deletion = Deletion { propagation: trueup::cluster::Propagation::Background, ..Deletion::default() };
    assert_eq!(deleting.delete(&name, &deletion), Deleted::Gone);
    assert_eq!(deleting.delete(&name, &deletion), Deleted::Absent);
}

/// What must not be done twice is not tried twice, unless the server says that it did not begin.
#[test]
fn a_write_that_must_not_be_repeated_is_reported() {
    let cluster = or_skip!(TestCluster::namespace());
    let unnamed = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "generateName": "hook-", "namespace": cluster.name() },
    });
    let unnamed = Object::new(unnamed).unwrap();
    let create = |writer: &Writer| -> Result<Written, ClusterError> {
        let cluster = writer.asked.cluster();
        writer.asked.runtime.block_on(cluster.create(&unnamed, Validation::Strict, Writing::Really))
    };

    let (lost, _front) = or_skip!(writer(&cluster, "POST", 1, || Reply::Lost));
    let error = create(&lost).unwrap_err();
    assert!(matches!(error, ClusterError::Unreachable { .. }), "{error:?}");
    let (busy, _front) = or_skip!(writer(&cluster, "POST", 1, PASSING[0]));
    done(create(&busy).unwrap());

    let made = cluster.kubectl(["get", "configmaps", "-o", "name"]);
    assert_eq!(made.matches("hook-").count(), 2, "{made}");
    let add = json!([{ "op": "add", "path": "/data", "value": {} }]);
    let (patching, front) = or_skip!(writer(&cluster, "PATCH", 1, || Reply::Hangup));
    let name = patching.name("ConfigMap", "settings");
    let patch =
        |patch: &Value| patching.asked.runtime.block_on(patching.asked.cluster().patch(&name, patch, Writing::Really));
    patch(&add).unwrap_err();
    assert_eq!(front.seen().iter().filter(|line| line.starts_with("PATCH")).count(), 1);
}

/// Many objects are made side by side in a namespace with a quota: its counter is written by one after the other.
#[test]
fn a_quota_that_others_use_at_the_same_moment_is_waited_for() {
    let cluster = or_skip!(TestCluster::namespace());
    let overtaken = || status(409, "Conflict", "Operation cannot be fulfilled on resourcequotas \"small\": modified");
    for method in ["POST", "PATCH"] {
        let (writer, _front) = or_skip!(writer(&cluster, method, 2, overtaken));
        let object = writer.config_map(&format!("settings-{}", method.to_lowercase()), json!({}));
        done(if method == "POST" { writer.create(&object) } else { writer.apply(&object) });
    }
}

/// A refusal is an answer: asking again changes nothing.
#[test]
fn a_refusal_is_not_tried_again() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    let web = writer.object("apps/v1", "Deployment", "web", json!({ "spec": { "replicaz": 1 } }));
    refused(writer.apply(&web));
    assert_eq!(writer.asked.requests().write, 1, "though the server calls it an internal error");
}

/// Patience ends, and the words of a Secret's failure are not told.
#[test]
fn a_server_that_stays_broken_is_an_error() {
    let cluster = or_skip!(TestCluster::namespace());
    let broken = || status(500, "InternalError", "failed calling webhook \"a\": it said hunter2");
    let (writer, _front) = or_skip!(writer(&cluster, "PATCH", 100, broken));
    let secret = writer.object("v1", "Secret", "x", json!({ "stringData": { "password": "hunter2" } }));
    for (object, is_told) in [(secret, false), (writer.config_map("x", json!({})), true)] {
        let error = writer.try_apply(&object, Validation::Strict, Writing::Really).unwrap_err();
        assert!(matches!(error, ClusterError::Server { status: 500, .. }), "{error:?}");
        assert_eq!(told(&error).contains("hunter2"), is_told, "{}", told(&error));
    }
    assert_eq!(writer.asked.requests().write, 8);
}

/// A connection that went dead does not take the time of a second attempt with it.
#[test]
fn a_dead_connection_leaves_time_for_another() {
    let cluster = or_skip!(TestCluster::namespace());
    let count = AtomicUsize::new(0);
    let front = or_skip!(Front::before(&cluster, move |line| {
        (line.starts_with("PATCH") && count.fetch_add(1, Ordering::Relaxed) == 0).then_some(Reply::Silence)
    }));
    let settings = ClusterSettings {
        kubeconfig: Some(front.kubeconfig()),
        request_timeout: Some(Duration::from_secs(6)),
        ..settings_of(&cluster)
    };
    let writer = Writer::with(&cluster, settings);

    done(writer.apply(&writer.config_map("settings", json!({}))));

    assert_eq!(writer.asked.requests().write, 2);
}
