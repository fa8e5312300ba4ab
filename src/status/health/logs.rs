//! Which logs would tell why a workload does not work: those of its containers that failed, or are not ready.
//!
//! In: the uid of an object, and what belongs to its namespace ([`Evidence`]). Out: a few [`LogQuestion`]s, for whoever can
//! ask the cluster, and the [`ContainerLog`] that an answer makes.

use std::collections::BTreeSet;

use super::node::{Faults, Node};
use super::reasons::Evidence;
use crate::object::Object;

/// So many containers are asked for each resource.
const CONTAINERS: usize = 2;
/// No line is longer.
const LONGEST_LINE: usize = 500;

/// The log of one container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogQuestion {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// Whether that of the container before its last restart is meant.
    pub previous: bool,
}

/// The last lines of a container's log, or why there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerLog {
    /// Whose it is.
    pub of: LogQuestion,
    /// The lines, the last one last.
    pub lines: Result<Vec<String>, String>,
}

impl ContainerLog {
    /// The last lines of what a container has written.
    pub fn of(question: LogQuestion, text: Result<String, String>, lines: usize) -> Self {
        Self { of: question, lines: text.map(|text| last_lines(&text, lines)) }
    }
}

fn last_lines(text: &str, count: usize) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(count)..];
    let cut = |line: &&str| match line.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => (*line).to_owned(),
    };
    last.iter().map(cut).collect()
}

/// The logs that tell why the object of this uid is not healthy. Of containers that fail alike one is enough.
pub fn questions(evidence: &Evidence, uid: &str) -> Vec<LogQuestion> {
    let mut questions = Vec::new();
    let mut known = BTreeSet::new();
    for pod in evidence.failing_pods(uid) {
        for (container, words, previous) in containers(pod) {
            if questions.len() < CONTAINERS && known.insert((container.clone(), words)) {
                let (namespace, pod) = (pod.namespace().to_owned(), pod.name().to_owned());
                questions.push(LogQuestion { namespace, pod, container, previous });
            }
        }
    }
    questions
}

/// The containers of a pod that have a log which tells something: the name, how it ended, and whether it is started again.
fn containers(pod: &Object) -> Vec<(String, String, bool)> {
    let faults = Faults::default();
    let status = Node::root(pod.value(), &faults).child("status");
    let containers = status.items("initContainerStatuses").chain(status.items("containerStatuses"));
    let telling = containers.filter_map(|container| {
        let (state, last) = (container.child("state"), container.child("lastState").child("terminated"));
        let (waits, ended) = (state.has("waiting"), state.child("terminated"));
        let name = container.text("name").to_owned();
        let ending = |ended: Node<'_>| format!("{} {}", ended.text("reason"), ended.count("exitCode"));
        if ended.count("exitCode") != 0 {
            Some((name, ending(ended), false))
        } else if last.has("exitCode") && !container.flag("ready") {
            // While it waits to be started again, its log is that of the one that ended.
            Some((name, ending(last), !waits))
        } else if state.has("running") && !container.flag("ready") {
            Some((name, "not ready".to_owned(), false))
        } else {
            None
        }
    });
    telling.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(name: &str, owner: &str, containers: &Value) -> Object {
        let owners = if owner.is_empty() { json!([]) } else { json!([{"uid": owner}]) };
        let metadata = json!({"name": name, "namespace": "shop", "uid": name, "ownerReferences": owners});
        let status = json!({"phase": "Running", "containerStatuses": containers});
        let value = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
                           "spec": {"restartPolicy": "Always"}, "status": status});
        Object::new(value).unwrap()
    }

    fn asked(pods: impl IntoIterator<Item = Object>) -> Vec<(String, String, bool)> {
        let evidence = Evidence::of(pods);
        let questions = questions(&evidence, "web").into_iter();
        questions.map(|question| (question.pod, question.container, question.previous)).collect()
    }

    /// Whose log a person would ask kubectl for, and whether with `--previous`.
    #[test]
    fn the_log_of_the_container_that_failed_is_asked_for() {
        let ended = json!({"terminated": {"exitCode": 1, "reason": "Error"}});
        let running = json!({"running": {"startedAt": "2026-11-24T06:00:00Z"}});
        for (case, state, last, ready, expected) in [
            (
                "it waits to be started again",
                json!({"waiting": {"reason": "CrashLoopBackOff"}}),
                &ended,
                false,
                Some(false),
            ),
            ("it was started again", running.clone(), &ended, false, Some(true)),
            ("it ended", ended.clone(), &Value::Null, false, Some(false)),
            ("it is not ready", running.clone(), &Value::Null, false, Some(false)),
            ("it is ready", running.clone(), &ended, true, None),
            ("it never started", json!({"waiting": {"reason": "ImagePullBackOff"}}), &Value::Null, false, None),
            ("it came to its end", json!({"terminated": {"exitCode": 0}}), &Value::Null, false, None),
        ] {
            let container = json!([{"name": "app", "ready": ready, "state": state, "lastState": last}]);
            let found = asked([pod("web-1", "web", &container)]);
            let expected: Vec<_> =
                expected.map(|previous| ("web-1".to_owned(), "app".to_owned(), previous)).into_iter().collect();
            assert_eq!(found, expected, "{case}");
        }
    }

    /// Ten pods that fail alike are asked once; a pod that git itself has is asked, too.
    #[test]
    fn containers_that_fail_alike_are_asked_once() {
        let failed =
            |code: u64| json!([{"name": "app", "state": {"terminated": {"exitCode": code, "reason": "Error"}}}]);
        let pods = [("web-1", 1), ("web-2", 1), ("web-3", 2), ("web-4", 3)];
        let found = asked(pods.map(|(name, code)| pod(name, "web", &failed(code))));
        assert_eq!(found.iter().map(|(pod, ..)| pod.as_str()).collect::<Vec<_>>(), ["web-1", "web-3"]);

        assert_eq!(asked([pod("web", "", &failed(1))]).len(), 1);
    }

    #[test]
    fn a_log_is_cut_to_its_last_lines() {
        let text = format!("one\ntwo\r\n{}\n", "é".repeat(LONGEST_LINE + 1));
        let question =
            LogQuestion { namespace: String::new(), pod: String::new(), container: String::new(), previous: false };
        let log = ContainerLog::of(question, Ok(text), 2);
        assert_eq!(log.lines, Ok(vec!["two".to_owned(), format!("{}…", "é".repeat(LONGEST_LINE))]));
    }
}
