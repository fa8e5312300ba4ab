//! One object of the API that a request is about.
//!
//! In: what is known of its kind, and its name. Out: its path, its namespace, and whether it is a Secret, whose words must
//! not be told.

use serde_json::Value;

use super::path::{resource_name, resource_path};
use crate::cluster::ObjectName;
use crate::object::{KindFacts, Object, Scope};

/// What the server says of an object and git must not.
const SERVERS_OWN: [&str; 6] =
    ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"];

/// One object of the API.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) facts: &'a KindFacts,
    pub(super) namespace: Option<&'a str>,
    pub(super) name: &'a str,
}

impl<'a> Subject<'a> {
    /// The object that has this one's name.
    pub(super) fn of(facts: &'a KindFacts, object: &'a Object) -> Self {
        Self::new(facts, object.namespace(), object.name())
    }

    /// The object of this name.
    pub(super) fn named(facts: &'a KindFacts, object: &'a ObjectName) -> Self {
        Self::new(facts, object.namespace.as_deref().unwrap_or_default(), &object.name)
    }

    fn new(facts: &'a KindFacts, namespace: &'a str, name: &'a str) -> Self {
        let namespace = match (facts.scope, namespace) {
            (Scope::Cluster, _) => None,
            (Scope::Namespaced, "") => Some("default"),
            (Scope::Namespaced, namespace) => Some(namespace),
        };
        Self { facts, namespace, name }
    }

    /// Where it is.
    pub(super) fn path(&self) -> String {
        resource_path(self.facts, self.namespace, Some(self.name))
    }

    /// Where others of its kind are, and where it is made.
    pub(super) fn collection(&self) -> String {
        resource_path(self.facts, self.namespace, None)
    }

    /// Its kind as RBAC names it.
    pub(super) fn resource(&self) -> String {
        resource_name(self.facts)
    }

    /// Whether the server's words about it can hold a Secret's values.
    pub(super) fn is_secret(&self) -> bool {
        self.facts.gvk.group.is_empty() && self.facts.gvk.kind == "Secret"
    }
}

/// The object without what only the server says.
pub(super) fn appliable(object: &Object) -> Value {
    let mut value = object.to_value();
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
