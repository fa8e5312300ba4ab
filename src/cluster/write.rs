//! What is written to a cluster, and what came of it.
//!
//! In: objects and names, each with how it is meant. Out: the object as it is now, or a [`Refusal`] in the server's words,
//! which never hold what a Secret holds. A refusal is an answer: whoever plans has to know it. That no answer came is a
//! [`ClusterError`](super::ClusterError); what passes by itself was tried again before.

use serde_json::Value;

use crate::object::Object;

/// Fields that the server sets and git must not.
const SERVERS_OWN: [&str; 6] =
    ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"];

/// Whether something is really written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// It is.
    Really,
    /// Only asked whether it could be (`dryRun=All`).
    DryRun,
}

/// The policy for fields that the schema does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Validation {
    /// They are refused.
    #[default]
    Strict,
    /// They are dropped (`Validate=false`).
    Ignore,
}

/// The deletion propagation policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Propagation {
    /// It goes first. The default of Argo CD.
    #[default]
    Foreground,
    /// It goes afterwards.
    Background,
    /// It stays.
    Orphan,
}

/// How an object is deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deletion {
    /// Whether the objects that it owns are deleted.
    pub propagation: Propagation,
    /// Only the very object that was seen; nothing to delete whatever has the name.
    pub uid: Option<String>,
    /// Only if nobody has changed it since.
    pub resource_version: Option<String>,
}

/// The result of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// It is done; the object as it is now, or as it would be.
    Done(Box<Object>),
    /// It is refused; nothing was written.
    Refused(Refusal),
}

/// The result of a deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone.
    Gone,
    /// It will be, when its finalizers are done.
    Going,
    /// There was no such object, or another one of this name.
    Absent,
    /// It is refused.
    Refused(Refusal),
}

/// Why a server does not take a write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Refusal {
    /// The kind of reason.
    pub reason: Reason,
    /// The server's words; of a Secret only those that cannot hold its values.
    pub words: String,
    /// The fields that it is about, as the server writes them: `spec.ports[0].name`.
    pub fields: Vec<String>,
}

/// The kind of reason that a server gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A field cannot be changed: only a new object can have it.
    Immutable,
    /// The object is wrong.
    Invalid,
    /// The account is not allowed to.
    Forbidden,
    /// An admission webhook or policy says no.
    Denied,
    /// A quota is used up.
    Quota,
    /// The namespace is not there.
    NoNamespace,
    /// The namespace is being deleted.
    NamespaceTerminating,
    /// The kind is not served.
    NotServed,
    /// Somebody else changed it meanwhile (`resourceVersion`, `uid`).
    Conflict,
    /// It already exists.
    AlreadyExists,
    /// It is not there.
    NotFound,
    /// Anything else.
    Other,
}

/// The object without what only the server says.
pub(super) fn appliable(object: &Object) -> Value {
    without_servers_own(object.to_value())
}

/// As [`appliable`], a Secret's texts as the bytes that the server keeps: who applies `stringData` owns nothing of `data`, so
/// that a text which git drops would stay for ever.
pub(super) fn storable(object: &Object) -> Value {
    without_servers_own(Value::Object(object.folded().into_owned()))
}

fn without_servers_own(mut value: Value) -> Value {
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|field, _| !SERVERS_OWN.contains(&field.as_str()));
    }
    value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_only_the_server_says_is_not_sent() {
        let object = Object::new(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": "web", "namespace": "shop", "labels": { "a": "b" }, "creationTimestamp": null, "uid": "1",
                "resourceVersion": "7", "generation": 2, "managedFields": [],
            },
            "data": { "uid": "kept" },
        }))
        .unwrap();
        assert_eq!(
            appliable(&object),
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "data": { "uid": "kept" },
                "metadata": { "name": "web", "namespace": "shop", "labels": { "a": "b" } },
            })
        );
    }
}
