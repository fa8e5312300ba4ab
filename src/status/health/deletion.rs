//! An object that is being deleted, whatever its kind: this comes before any other rule.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health.go `GetResourceHealth`.

use serde_json::Value;

use super::Health;
use super::node::{Faults, Node};
use crate::object::Object;
use crate::object::annotations::HOOK_FINALIZER;

const PENDING: &str = "Pending deletion";

pub(super) fn health(object: &Object) -> Option<Health> {
    let metadata = object.metadata()?;
    metadata.get("deletionTimestamp").filter(|time| !time.is_null())?;
    let finalizers = metadata.get("finalizers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    // A hook that is done waits for the sync that made it: its own rule tells whether it succeeded.
    if finalizers.iter().any(|finalizer| finalizer == HOOK_FINALIZER) {
        return None;
    }
    let mut message = PENDING.to_owned();
    if object.gvk().group_kind().to_string() == "Namespace" {
        for reason in what_a_namespace_waits_for(object) {
            message.push_str("; ");
            message.push_str(&reason);
        }
    }
    Some(Health::progressing(message))
}

/// A namespace says what keeps it: content that is left, finalizers, an API that does not answer.
fn what_a_namespace_waits_for(object: &Object) -> Vec<String> {
    let faults = Faults::default();
    let status = Node::root(object.value(), &faults).child("status");
    let holding = status.conditions().filter(|condition| condition.is_true() && !condition.message.is_empty());
    holding.map(|condition| condition.message.to_owned()).collect()
}
