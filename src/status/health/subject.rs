//! The input of a health rule: one object, its parts, the settings.

use super::node::Node;
use crate::app::settings::HealthSettings;
use crate::object::Object;

/// The input of a rule.
pub(super) struct RuleSubject<'object> {
    pub(super) object: &'object Object,
    pub(super) root: Node<'object>,
    pub(super) settings: &'object HealthSettings,
}

impl<'object> RuleSubject<'object> {
    pub(super) fn metadata(&self) -> Node<'object> {
        self.root.child("metadata")
    }

    pub(super) fn spec(&self) -> Node<'object> {
        self.root.child("spec")
    }

    pub(super) fn status(&self) -> Node<'object> {
        self.root.child("status")
    }

    /// The generation of what is asked for; zero if it is not known.
    pub(super) fn generation(&self) -> i64 {
        self.metadata().generation("generation").unwrap_or(0)
    }

    /// Whether the controller has yet to look at what is asked for now.
    pub(super) fn is_stale(&self) -> bool {
        self.metadata().count("generation") > self.status().count("observedGeneration")
    }
}
