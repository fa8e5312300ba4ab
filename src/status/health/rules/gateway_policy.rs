//! Gateway API: the kinds beside gateways and routes, which have rules of their own.
//!
//! Rule: Gateway API's reference, `PolicyStatus` (GEP-713: a status for each ancestor) and `ListenerSetStatus`.

use super::super::node::Node;
use super::super::{Health, RuleSubject};
use super::gateway::{is_current, trouble};
use super::waiting;

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    let status = subject.status();
    match subject.object.kind() {
        "ListenerSet" | "XListenerSet" => {
            let own = std::iter::once(("", status));
            Some(judge(subject, own.chain(status.items("listeners").map(|listener| (listener.text("name"), listener)))))
        }
        // Every policy says the same of whom it is attached to.
        _ if status.has("ancestors") => {
            let name = |ancestor: Node<'_>| ancestor.child("ancestorRef").text("name").to_owned();
            let ancestors = status.items("ancestors").map(|ancestor| (name(ancestor), ancestor));
            Some(judge(subject, ancestors))
        }
        "BackendTLSPolicy" => Some(waiting(subject)),
        _ => None,
    }
}

fn judge<'object, Name: AsRef<str>>(
    subject: &RuleSubject<'_>,
    nodes: impl Iterator<Item = (Name, Node<'object>)>,
) -> Health {
    let generation = subject.generation();
    // Every one of them has to have answered.
    let (mut count, mut answers) = (0_usize, 0_usize);
    for (name, node) in nodes {
        if let Some(trouble) = trouble(node, generation, "it is still being programmed") {
            let place = if name.as_ref().is_empty() { String::new() } else { format!("{}: ", name.as_ref()) };
            return Health::new(trouble.status, format!("{place}{}", trouble.message));
        }
        count += 1;
        answers += usize::from(node.conditions().any(|condition| is_current(&condition, generation)));
    }
    if count > 0 && answers == count { Health::healthy("") } else { waiting(subject) }
}
