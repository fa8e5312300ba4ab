//! One object of the API that a request is about.
//!
//! In: what is known of its kind, and its name. Out: its path, its namespace, and whether it is a Secret, whose words must
//! not be shown.

use super::path::{resource_name, resource_path};
use crate::cluster::ObjectName;
use crate::object::{KindFacts, Object, Scope};

/// One object of the API.
#[derive(Clone, Copy)]
pub(super) struct ApiSubject<'a> {
    pub(super) facts: &'a KindFacts,
    pub(super) namespace: Option<&'a str>,
    pub(super) name: &'a str,
}

impl<'a> ApiSubject<'a> {
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
