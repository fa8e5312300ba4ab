//! Gateway API's routes: every gateway that a route is attached to has accepted it.
//!
//! Rule: Argo CD `resource_customizations/gateway.networking.k8s.io`.

use super::super::{Health, RuleSubject};
use super::gateway::{is_current, trouble};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    let generation = subject.metadata().count("generation");
    let kind = subject.object.kind();
    let mut has_answer = false;
    for parent in status.items("parents") {
        if let Some(trouble) = trouble(parent, generation, "Route is still being programmed") {
            let name = parent.child("parentRef").text("name");
            return Health::new(trouble.status, format!("Parent {name}: {}", trouble.message));
        }
        has_answer |= parent.conditions().any(|condition| is_current(&condition, generation));
    }
    if has_answer {
        Health::healthy(format!("{kind} is healthy"))
    } else {
        Health::progressing(format!("Waiting for {kind} status"))
    }
}
