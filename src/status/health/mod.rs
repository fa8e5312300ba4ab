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
pub mod logs;
pub mod lua;
mod node;
pub mod reasons;
mod rules;
pub mod suite;
mod words;

#[cfg(test)]
mod tests;

pub use aggregate::{Counted, aggregate};

use std::fmt;
use std::str::FromStr;

use crate::app::settings::HealthSettings;
use crate::object::{Gvk, Key, Object};
use logs::ContainerLog;
use lua::{Clock, Scripts};
use node::{Faults, Node};

/// How well something works, in Argo CD's order from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HealthStatus {
    /// It works.
    Healthy,
    /// Somebody has paused it.
    Suspended,
    /// It does not work yet, and still may.
    Progressing,
    /// It is not in the cluster.
    Missing,
    /// It has failed, or could not become healthy in time.
    Degraded,
    /// It could not be judged.
    Unknown,
}

impl HealthStatus {
    /// Every status, best first.
    pub const ALL: [Self; 6] =
        [Self::Healthy, Self::Suspended, Self::Progressing, Self::Missing, Self::Degraded, Self::Unknown];

    /// The status as Argo CD writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Suspended => "Suspended",
            Self::Progressing => "Progressing",
            Self::Missing => "Missing",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A text that is none of the six statuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a health status; one of: Healthy, Suspended, Progressing, Missing, Degraded, Unknown")]
pub struct NotAStatus(pub String);

impl FromStr for HealthStatus {
    type Err = NotAStatus;

    fn from_str(text: &str) -> Result<Self, NotAStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| NotAStatus(text.to_owned()))
    }
}

/// How well one thing works, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The verdict.
    pub status: HealthStatus,
    /// Why; may be empty.
    pub message: String,
}

impl Health {
    /// A verdict with its reason, which may be empty.
    pub fn new(status: HealthStatus, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    fn healthy(message: impl Into<String>) -> Self {
        Self::new(HealthStatus::Healthy, message)
    }

    fn suspended(message: impl Into<String>) -> Self {
        Self::new(HealthStatus::Suspended, message)
    }

    fn progressing(message: impl Into<String>) -> Self {
        Self::new(HealthStatus::Progressing, message)
    }

    fn degraded(message: impl Into<String>) -> Self {
        Self::new(HealthStatus::Degraded, message)
    }

    fn unknown(message: impl Into<String>) -> Self {
        Self::new(HealthStatus::Unknown, message)
    }
}

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

/// The input of a rule.
struct RuleSubject<'object> {
    object: &'object Object,
    root: Node<'object>,
    settings: &'object HealthSettings,
}

impl<'object> RuleSubject<'object> {
    fn metadata(&self) -> Node<'object> {
        self.root.child("metadata")
    }

    fn spec(&self) -> Node<'object> {
        self.root.child("spec")
    }

    fn status(&self) -> Node<'object> {
        self.root.child("status")
    }

    /// The generation of what is asked for; zero if it is not known.
    fn generation(&self) -> i64 {
        self.metadata().generation("generation").unwrap_or(0)
    }

    /// Whether the controller has yet to look at what is asked for now.
    fn is_stale(&self) -> bool {
        self.metadata().count("generation") > self.status().count("observedGeneration")
    }
}

/// Judges objects by a team's scripts, the built-in rules and the general rule, in this order.
pub struct Judge {
    settings: HealthSettings,
    scripts: Scripts,
}

impl fmt::Debug for Judge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Judge").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Judge {
    /// A judge with a team's settings. Scripts are compiled when they are first needed.
    pub fn new(settings: HealthSettings, clock: Clock) -> Self {
        let scripts = Scripts::new(clock);
        Self { settings, scripts }
    }

    /// A judge with other settings, and the same clock.
    #[must_use]
    pub fn with_settings(&self, settings: HealthSettings) -> Self {
        Self::new(settings, self.scripts.clock())
    }

    /// The health of a live object; nothing for one that has none.
    pub fn health(&self, object: &Object) -> Option<Health> {
        if let Some(health) = deletion::health(object) {
            return Some(health);
        }
        match self.settings.script(&object.gvk().group_kind()) {
            // A script that returns nothing gives no verdict: Argo CD leaves such objects out.
            Some(script) => self.scripts.run(script, object),
            None => built_in(object, &self.settings),
        }
    }

    /// The verdict of the team's script for this kind, whatever else could be said of the object; nothing without a script.
    pub fn by_script(&self, object: &Object) -> Option<Option<Health>> {
        let script = self.settings.script(&object.gvk().group_kind())?;
        Some(self.scripts.run(script, object))
    }

    /// The team's settings.
    pub fn settings(&self) -> &HealthSettings {
        &self.settings
    }
}

/// The health of a live object by the built-in rules and the general rule alone; nothing for one that has none.
pub fn health(object: &Object) -> Option<Health> {
    deletion::health(object).or_else(|| built_in(object, &HealthSettings::default()))
}

fn built_in(object: &Object, settings: &HealthSettings) -> Option<Health> {
    let faults = Faults::default();
    let subject = RuleSubject { object, root: Node::root(object.value(), &faults), settings };
    let gvk = object.gvk();
    let health = match rules::find(&gvk) {
        Some(rule) if !rule.reads(&gvk.version) => {
            let message = format!("unsupported {} GVK: {}, Kind={}", gvk.kind, gvk.api_version(), gvk.kind);
            Some(Health::unknown(message))
        }
        Some(rule) => Some((rule.health)(&subject)),
        None if general::applies_to(&gvk) => rules::of_project(&subject).or_else(|| general::health(&subject)),
        None => None,
    };
    // A field of a wrong type was read as if it were not there: what follows from that is no verdict.
    match faults.into_first() {
        Some(fault) if health.is_some() => Some(Health::unknown(fault)),
        _ => health,
    }
}
