//! Holds syncs to the sync windows of their projects.
//!
//! In: an application, who syncs it, and when. Out: why it is not synced now, and when it may be. A deletion needs no window.
//!
//! Rules: app/windows; Argo CD controller/sync.go `syncWindowPreventsSync`: what a person starts is manual, what a policy
//! starts is not.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{SyncRequest, Wish};
use crate::app::Application;
use crate::app::windows::{
    Initiative, SyncWindow, WindowKind, WindowSubject, WindowVerdict, matching, next_change, verdict,
};
use crate::finding::{Code, Finding};
use crate::fleet::Request;
use crate::fleet::stages::project;

/// The windows that are for an application.
pub(crate) struct Windows {
    windows: Vec<Arc<SyncWindow>>,
    initiative: Initiative,
}

impl Windows {
    /// Of an application that is synced; none where it is deleted, or nothing is known of its project.
    pub(crate) fn of(application: &Application, request: &Request, wish: Wish) -> Self {
        let initiative = match wish {
            Wish::Reconcile { .. } => Initiative::Automated,
            Wish::Sync { .. } | Wish::Rollback { .. } => Initiative::Manual,
            Wish::Delete(_) => return Self { windows: Vec::new(), initiative: Initiative::Manual },
        };
        let windows = match project::rules(application, request) {
            Ok(Some(rules)) => matching(rules.windows(), &subject(application)),
            _ => Vec::new(),
        };
        Self { windows, initiative }
    }

    /// Whether it may be synced, or may go on where it began earlier.
    fn verdict(&self, at: Timestamp, began: Option<Timestamp>) -> WindowVerdict {
        verdict(&self.windows, at, self.initiative, began)
    }

    /// Why it is not synced at this time.
    pub(crate) fn refusal(&self, at: Timestamp, began: Option<Timestamp>) -> Option<Finding> {
        let verdict = self.verdict(at, began);
        if verdict.is_open {
            return None;
        }
        let first = verdict.because.first();
        let zone = first.map_or(jiff::tz::TimeZone::UTC, |window| window.zone().clone());
        let opens = next_change(&self.windows, at, self.initiative);
        let opens = opens.map_or_else(
            || "it does not open within a year".to_owned(),
            |opens| format!("it may be synced from {} on", opens.to_zoned(zone).strftime("%F %H:%M %Z")),
        );
        let message = format!("not synced: {}; {opens}", reason(&verdict));
        let place = first.map(|window| window.origin.to_string()).unwrap_or_default();
        let is_for_policy =
            self.initiative == Initiative::Automated && verdict_of(&self.windows, at, Initiative::Manual).is_open;
        let help = if is_for_policy {
            format!("the window is at {place}; `trueup sync` is let through")
        } else {
            format!("the window is at {place}; `--wait-window` waits for it")
        };
        Some(Finding::error(Code::SyncWindow, message).with_help(help))
    }

    /// When it may be synced next, where it may not now.
    pub(crate) fn opens(&self, at: Timestamp) -> Option<Timestamp> {
        if self.verdict(at, None).is_open {
            return None;
        }
        next_change(&self.windows, at, self.initiative)
    }

    /// When a sync that began has to stop.
    pub(crate) fn closes(&self, at: Timestamp, began: Timestamp) -> Option<Timestamp> {
        let closes = next_change(&self.windows, at, self.initiative)?;
        let after = closes.checked_add(jiff::Span::new().nanoseconds(1)).ok()?;
        (!self.verdict(after, Some(began)).is_open).then_some(closes)
    }
}

fn verdict_of(windows: &[Arc<SyncWindow>], at: Timestamp, initiative: Initiative) -> WindowVerdict {
    verdict(windows, at, initiative, None)
}

/// What windows are matched with.
pub(crate) fn subject(application: &Application) -> WindowSubject<'_> {
    let destination = &application.destination;
    WindowSubject {
        application: &application.name,
        namespace: &destination.namespace,
        cluster: &destination.name,
        server: &destination.server,
    }
}

/// Which windows are in the way.
fn reason(verdict: &WindowVerdict) -> String {
    let shown: Vec<String> = verdict.because.iter().map(|window| window.shown()).collect();
    match (verdict.because.first().map(|window| window.kind), shown.as_slice()) {
        (Some(WindowKind::Deny), [one]) => format!("the {one} is open"),
        (Some(WindowKind::Deny), several) => format!("{} deny windows are open: {}", several.len(), several.join(", ")),
        (_, [one]) => format!("the {one} is closed"),
        (_, several) => format!("{} allow windows are closed: {}", several.len(), several.join(", ")),
    }
}

/// Why an application is not synced now.
pub(crate) fn refusal(application: &Application, request: &Request, wanted: &SyncRequest) -> Option<Finding> {
    Windows::of(application, request, wanted.wish).refusal(Timestamp::now(), None)
}

/// How long it is until a time.
pub(crate) fn until(time: Timestamp) -> Duration {
    Duration::try_from(time.duration_since(Timestamp::now())).unwrap_or_default()
}
