//! Why a workload is not healthy, further down: its pods, their containers, and what the cluster said last.
//!
//! In: the uid of an object, and what belongs to its namespace ([`Evidence`]): `ReplicaSet`s, Pods, Events. Out: a few lines,
//! the most telling first. "Degraded" alone sends a person to kubectl.

use std::collections::{BTreeMap, HashMap};

use super::condition::Truth;
use super::health;
use super::node::{Faults, Node};
use super::{HealthStatus, RuleSubject};
use crate::app::settings::HealthSettings;
use crate::object::{Gvk, Object};

/// So many lines are reported of one resource.
const LINES: usize = 6;
/// Deployment, `ReplicaSet`, Pod: no chain of owners is longer.
const DEPTH: usize = 3;

/// The kinds that tell why, in the versions of every cluster.
pub fn kinds() -> [Gvk; 4] {
    [
        Gvk::from_api_version("apps/v1", "ReplicaSet"),
        Gvk::from_api_version("batch/v1", "Job"),
        Gvk::from_api_version("v1", "Pod"),
        Gvk::from_api_version("v1", "Event"),
    ]
}

/// The events of a namespace, by the uid of what it is about.
#[derive(Debug, Default)]
pub struct Evidence {
    owned: HashMap<String, Vec<Object>>,
    /// Pods that nothing owns, by their own uid.
    alone: HashMap<String, Object>,
    events: HashMap<String, Vec<Object>>,
}

impl Evidence {
    /// Sorts objects by their owners, and events by what they are about.
    pub fn of(objects: impl IntoIterator<Item = Object>) -> Self {
        let mut evidence = Self::default();
        for object in objects {
            let is_event = object.kind() == "Event";
            match subject_of(&object, is_event) {
                Some(uid) if is_event => evidence.events.entry(uid).or_default().push(object),
                Some(uid) => evidence.owned.entry(uid).or_default().push(object),
                None if object.kind() == "Pod" => {
                    evidence.alone.insert(uid_of(&object), object);
                }
                None => {}
            }
        }
        evidence
    }

    /// Why the object of this uid is not healthy.
    pub fn reasons(&self, uid: &str) -> Vec<String> {
        if uid.is_empty() {
            return Vec::new();
        }
        let mut lines = Vec::new();
        self.below(uid, DEPTH, &mut lines);
        lines.extend(self.last_warning(uid));
        let mut counted: BTreeMap<String, usize> = BTreeMap::new();
        let mut reasons: Vec<String> = Vec::new();
        // Ten pods that fail alike are one reason, not ten.
        for (subject, words) in lines {
            let times = counted.entry(words.clone()).or_default();
            *times += 1;
            if *times == 1 {
                reasons.push(format!("{subject}: {words}"));
            }
        }
        let more = reasons.len().saturating_sub(LINES);
        reasons.truncate(LINES);
        if more > 0 {
            reasons.push(format!("and {more} more"));
        }
        reasons
    }

    /// The pods below an object that do not work, and the object itself when it is such a pod.
    pub(super) fn failing_pods(&self, uid: &str) -> Vec<&Object> {
        let mut pods: Vec<&Object> = self.alone.get(uid).into_iter().collect();
        let mut above = vec![uid.to_owned()];
        for _ in 0..DEPTH {
            let failing = above.iter().flat_map(|uid| self.failing(uid)).collect::<Vec<_>>();
            above = failing.iter().map(|object| uid_of(object)).collect();
            pods.extend(failing.into_iter().filter(|object| object.kind() == "Pod"));
        }
        pods
    }

    /// The dependents of an object that are not healthy.
    fn failing(&self, uid: &str) -> impl Iterator<Item = &Object> {
        let owned = self.owned.get(uid).into_iter().flatten();
        owned.filter(|object| health(object).is_some_and(|health| health.status > HealthStatus::Suspended))
    }

    fn below(&self, uid: &str, depth: usize, lines: &mut Vec<(String, String)>) {
        let Some(depth) = depth.checked_sub(1) else { return };
        for object in self.failing(uid) {
            let subject = format!("{} {}", object.kind(), object.name());
            let before = lines.len();
            lines.extend(own_words(object).into_iter().map(|words| (subject.clone(), words)));
            let uid = uid_of(object);
            self.below(&uid, depth, lines);
            if lines.len() == before || object.kind() != "Pod" {
                lines.extend(self.last_warning(&uid).map(|(_, words)| (subject, words)));
            }
        }
    }

    /// The newest warning about an object.
    fn last_warning(&self, uid: &str) -> Option<(String, String)> {
        let events = self.events.get(uid)?;
        let faults = Faults::default();
        let warnings = events.iter().filter(|event| Node::root(event.value(), &faults).text("type") == "Warning");
        let newest = warnings.max_by_key(|event| {
            let root = Node::root(event.value(), &faults);
            [root.text("lastTimestamp"), root.text("eventTime"), root.child("metadata").text("creationTimestamp")]
                .into_iter()
                .find(|time| !time.is_empty())
                .unwrap_or_default()
                .to_owned()
        })?;
        let root = Node::root(newest.value(), &faults);
        Some(("event".to_owned(), format!("{}: {}", root.text("reason"), root.text("message").trim())))
    }
}

/// The uid of what an event is about, or of the owner of anything else.
fn subject_of(object: &Object, is_event: bool) -> Option<String> {
    let faults = Faults::default();
    let root = Node::root(object.value(), &faults);
    let subject =
        if is_event { root.child("involvedObject") } else { root.child("metadata").items("ownerReferences").next()? };
    Some(subject.text("uid").to_owned())
}

/// The uid of an object; empty when it has none.
pub fn uid_of(object: &Object) -> String {
    let uid = object.metadata().and_then(|metadata| metadata.get("uid")).and_then(serde_json::Value::as_str);
    uid.unwrap_or_default().to_owned()
}

/// An object's own settings.
fn own_words(object: &Object) -> Vec<String> {
    let (faults, settings) = (Faults::default(), HealthSettings::default());
    let subject = RuleSubject { object, root: Node::root(object.value(), &faults), settings: &settings };
    let status = subject.status();
    if object.kind() == "Pod" {
        return of_pod(status);
    }
    let failures =
        status.conditions().filter(|found| matches!(found.kind, "ReplicaFailure" | "Failed") && found.is_true());
    failures.map(|failure| format!("{}: {}", failure.reason, failure.message)).collect()
}

fn of_pod(status: Node<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(scheduled) = status.condition("PodScheduled").filter(|found| found.truth == Truth::False) {
        lines.push(format!("not scheduled: {}", scheduled.message));
    }
    for container in status.items("initContainerStatuses").chain(status.items("containerStatuses")) {
        lines.extend(of_container(container));
    }
    if lines.is_empty()
        && let Some(unready) = status.condition("Ready").filter(|found| found.truth == Truth::False)
    {
        lines.push(format!("not ready: {}", if unready.message.is_empty() { unready.reason } else { unready.message }));
    }
    lines
}

fn of_container(container: Node<'_>) -> Option<String> {
    let name = container.text("name");
    let (waiting, ended) = (container.child("state").child("waiting"), container.child("state").child("terminated"));
    let last = container.child("lastState").child("terminated");
    let restarts = match container.count("restartCount") {
        0 => String::new(),
        1 => ", restarted once".to_owned(),
        count => format!(", restarted {count} times"),
    };
    let ending = |ended: Node<'_>| {
        let why = if ended.text("message").is_empty() { ended.text("reason") } else { ended.text("message") };
        format!("exit code {} ({})", ended.count("exitCode"), why.trim())
    };
    match waiting.text("reason") {
        // Every container starts so.
        "" | "ContainerCreating" | "PodInitializing" => {}
        reason if last.has("exitCode") => {
            return Some(format!("container {name} waits: {reason}; it ended with {}{restarts}", ending(last)));
        }
        reason => return Some(format!("container {name} waits: {reason}: {}", waiting.text("message"))),
    }
    if ended.count("exitCode") != 0 {
        return Some(format!("container {name} ended with {}{restarts}", ending(ended)));
    }
    (last.has("exitCode") && !container.flag("ready"))
        .then(|| format!("container {name} is not ready; before, it ended with {}{restarts}", ending(last)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(kind: &str, name: &str, owner: &str, status: &Value) -> Object {
        let api_version = if kind == "ReplicaSet" { "apps/v1" } else { "v1" };
        let metadata = json!({"name": name, "uid": name, "ownerReferences": [{"uid": owner}]});
        let spec = json!({"restartPolicy": "Always", "replicas": 2});
        let value =
            json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec, "status": status});
        Object::new(value).unwrap()
    }

    fn event(about: &str, time: &str, message: &str) -> Object {
        let value = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": time}, "involvedObject": {"uid": about},
                           "type": "Warning", "reason": "FailedCreate", "message": message, "lastTimestamp": time});
        Object::new(value).unwrap()
    }

    /// From a Deployment down to the container that does not start: what a person would ask kubectl for, step by step.
    #[test]
    fn the_reason_is_found_below_a_workload() {
        let container = |state: Value, last: Value| json!({"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 5, "state": state, "lastState": last}]});
        let crashing = container(
            json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}),
            json!({"terminated": {"exitCode": 1, "reason": "Error"}}),
        );
        let pulling = container(
            json!({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}),
            json!({}),
        );
        let pending = json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available: 3 Insufficient cpu."}]});
        let ready = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
        let evidence = Evidence::of([
            object("ReplicaSet", "web-1", "web", &json!({"availableReplicas": 0})),
            object("Pod", "web-1-a", "web-1", &crashing),
            object("Pod", "web-1-b", "web-1", &crashing),
            object("Pod", "web-1-c", "web-1", &pulling),
            object("Pod", "web-1-d", "web-1", &pending),
            object("Pod", "web-1-e", "web-1", &ready),
            object("Pod", "other", "other-1", &json!({"phase": "Failed"})),
        ]);
        assert_eq!(
            evidence.reasons("web"),
            [
                "Pod web-1-a: container app waits: CrashLoopBackOff; it ended with exit code 1 (Error), restarted 5 times",
                "Pod web-1-c: container app waits: ImagePullBackOff: Back-off pulling image",
                "Pod web-1-d: not scheduled: 0/3 nodes are available: 3 Insufficient cpu.",
            ]
        );
    }

    /// A quota lets no pod come to be: only the `ReplicaSet` and its events know.
    #[test]
    fn the_last_warning_is_reported_where_nothing_else_is_known() {
        let refused = json!({"conditions": [
            {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}]});
        let evidence = Evidence::of([
            object("ReplicaSet", "web-1", "web", &refused),
            event("web-1", "2026-11-24T06:00:00Z", "first"),
            event("web-1", "2026-11-24T06:05:00Z", "latest"),
            event("web", "2026-11-24T06:05:00Z", "of the Deployment"),
        ]);
        assert_eq!(
            evidence.reasons("web"),
            [
                "ReplicaSet web-1: FailedCreate: exceeded quota",
                "ReplicaSet web-1: FailedCreate: latest",
                "event: FailedCreate: of the Deployment",
            ]
        );
        assert!(evidence.reasons("").is_empty());
    }
}
