//! Judges objects by a team's scripts, the built-in rules and the general rule, in this order.

use std::fmt;

use super::lua::{Clock, Scripts};
use super::node::{Faults, Node};
use super::subject::RuleSubject;
use super::verdict::Health;
use super::{deletion, general, rules};
use crate::app::settings::HealthSettings;
use crate::object::Object;

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
