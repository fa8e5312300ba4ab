//! Does it work: the health of one object, and of an application, decided purely.
//!
//! In: a live object, and what a team has configured ([`HealthSettings`]). Out: a [`Health`], or nothing for an object
//! that cannot be unhealthy or whose conventions are unknown: no verdict is better than a false `Healthy`.
//!
//! ```text
//! object ─► deletion ─► a team's Lua ─► built-in rule (a file a kind) ─► conditions and phase ─► Health
//! ```
//!
//! Rules: docs/health.md. Argo CD: gitops-engine/pkg/health and `resource_customizations`; the order of the lookup is
//! its `GetResourceHealth`.

mod aggregate;
mod condition;
mod deletion;
mod general;
mod judge;
pub mod logs;
pub mod lua;
mod node;
pub mod reasons;
mod rules;
mod subject;
pub mod suite;
mod verdict;
mod words;

#[cfg(test)]
mod tests;

pub use aggregate::{Counted, aggregate};
pub use judge::{Judge, health};
use subject::RuleSubject;
pub use verdict::{Health, HealthStatus, NotAStatus};

use crate::object::{Gvk, Key, Object};
use logs::ContainerLog;

/// One resource with its health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceHealth {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// The namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The uid of the live object; empty when it is not there.
    pub uid: String,
    /// Its health; nothing for one that has none, or could not be seen.
    pub health: Option<Health>,
    /// Why it is not healthy, further down: its pods, their containers, what the cluster said last.
    pub reasons: Vec<String>,
    /// The last log lines of the containers below it, where that was asked for.
    pub logs: Vec<ContainerLog>,
}

impl ResourceHealth {
    /// The health of an object, as it is live; as git has it, where it is not.
    pub fn of(object: &Object, health: Option<Health>) -> Self {
        Self {
            gvk: object.gvk(),
            namespace: object.namespace().to_owned(),
            name: object.name().to_owned(),
            uid: reasons::uid_of(object),
            health,
            reasons: Vec::new(),
            logs: Vec::new(),
        }
    }

    /// Its identity.
    pub fn key(&self) -> Key {
        Key {
            group: self.gvk.group.clone(),
            kind: self.gvk.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}
