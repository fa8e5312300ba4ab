//! One entry of `status.conditions`.
//!
//! Rule: Kubernetes API conventions, "Typical status properties".

use serde_json::Value;

use super::node::Node;

/// A condition's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    False,
    /// `Unknown`, or anything else.
    Unknown,
}

/// One entry of `status.conditions`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Condition<'object> {
    pub(super) kind: &'object str,
    pub(super) truth: Truth,
    pub(super) reason: &'object str,
    pub(super) message: &'object str,
    /// Cluster API's `severity` of a false condition.
    pub(super) severity: &'object str,
    pub(super) observed_generation: Option<i64>,
}

impl Condition<'_> {
    pub(super) fn is_true(&self) -> bool {
        self.truth == Truth::True
    }

    /// The condition in one sentence: `Ready is False (Issuing): the certificate is being issued`.
    pub(super) fn sentence(&self) -> String {
        let truth = match self.truth {
            Truth::True => "True",
            Truth::False => "False",
            Truth::Unknown => "Unknown",
        };
        let mut sentence = format!("{} is {truth}", self.kind);
        if !self.reason.is_empty() {
            sentence.push_str(" (");
            sentence.push_str(self.reason);
            sentence.push(')');
        }
        if !self.message.is_empty() {
            sentence.push_str(": ");
            sentence.push_str(self.message);
        }
        sentence
    }
}

impl<'object> Node<'object> {
    /// The conditions of a status.
    pub(super) fn conditions(self) -> impl Iterator<Item = Condition<'object>> {
        // Some write an empty map for an empty list.
        let is_empty = self.get("conditions").and_then(Value::as_object).is_some_and(serde_json::Map::is_empty);
        let items = (!is_empty).then(|| self.items("conditions"));
        items.into_iter().flatten().map(|item| Condition {
            kind: item.text("type"),
            truth: match item.get("status") {
                // Some write a boolean.
                Some(Value::Bool(true)) => Truth::True,
                Some(Value::Bool(false)) => Truth::False,
                _ => match item.text("status") {
                    "True" => Truth::True,
                    "False" => Truth::False,
                    _ => Truth::Unknown,
                },
            },
            reason: item.text("reason"),
            message: item.text("message"),
            severity: item.text("severity"),
            observed_generation: item.generation("observedGeneration"),
        })
    }

    /// The condition of a type; the first one, as Argo CD takes it.
    pub(super) fn condition(self, kind: &str) -> Option<Condition<'object>> {
        self.conditions().find(|condition| condition.kind == kind)
    }
}
