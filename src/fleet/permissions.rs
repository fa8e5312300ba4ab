//! What the person behind a run may do, by an Argo CD policy.
//!
//! Without it only Kubernetes decides. Rules: docs/policy.md; Argo CD server/application/application.go.

use std::sync::Arc;

use crate::app::Application;
use crate::app::policy::{Decision, Policy, Question, Subject, object_of};
use crate::finding::{Code, Finding};

/// What a person may do.
#[derive(Debug, Clone)]
pub struct Permissions {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The person.
    pub subject: Subject,
    /// The flag that replaces sources or revisions, where it needs `override`.
    pub overriding: Option<&'static str>,
    /// Whether a rollback needs `rollback` (`server.rbac.rollback.enforce.enable`); `sync` is enough otherwise.
    pub enforces_rollback: bool,
}

impl Permissions {
    /// Why an action on an application is not permitted; nothing where it is.
    pub fn refusal(&self, application: &Application, argocd_namespace: &str, action: &str) -> Option<Finding> {
        let (object, decision) = self.decision(application, argocd_namespace, action);
        if decision.is_allowed() {
            return None;
        }
        let message = format!("not permitted: {} lacks `{action}` on `{object}`", self.shown());
        Some(Finding::error(Code::PolicyDenied, message).with_help(decision.reason()))
    }

    /// Whether a line denies an action, whatever others allow.
    pub(crate) fn is_denied(&self, application: &Application, argocd_namespace: &str, action: &str) -> bool {
        matches!(self.decision(application, argocd_namespace, action).1, Decision::Denied { .. })
    }

    fn decision(&self, application: &Application, argocd_namespace: &str, action: &str) -> (String, Decision) {
        let namespace = Some(application.namespace.as_str());
        let object = object_of(&application.project, namespace, &application.name, argocd_namespace);
        let decision = self.policy.decide(&self.subject, &Question::of_application(action, &object));
        (object, decision)
    }

    fn shown(&self) -> String {
        match (&self.subject.user, &self.subject.groups[..]) {
            (Some(user), []) => format!("`{user}`"),
            (Some(user), groups) => format!("`{user}` in {}", in_words(groups)),
            (None, groups) => in_words(groups),
        }
    }
}

fn in_words(groups: &[String]) -> String {
    let names: Vec<String> = groups.iter().map(|group| format!("`{group}`")).collect();
    names.join(", ")
}
