//! Whether windows let an application be synced, and when that changes.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan};

use super::window::{SyncWindow, WindowKind};

/// Who starts a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Initiative {
    /// Somebody, by hand: `manualSync` counts.
    Manual,
    /// Its policy.
    Automated,
}

/// The answer of windows.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowVerdict {
    /// Whether a sync may begin.
    pub is_open: bool,
    /// The windows that decide: deny windows that are active, else allow windows that are active, else those that are not.
    pub because: Vec<Arc<SyncWindow>>,
}

/// How many changes of windows are looked at, and how far ahead.
const STEPS: usize = 2_000;
const HORIZON_DAYS: i64 = 400;

/// Whether a sync may go on at a time. One that began earlier, and was allowed then, may where `syncOverrun` says so.
pub fn verdict(
    windows: &[Arc<SyncWindow>],
    at: Timestamp,
    initiative: Initiative,
    began: Option<Timestamp>,
) -> WindowVerdict {
    let verdict = at_time(windows, at, initiative);
    let overruns = || verdict.because.iter().all(|window| window.overrun) && !verdict.because.is_empty();
    match began {
        Some(began) if !verdict.is_open && overruns() => {
            let is_open = at_time(windows, began, initiative).is_open;
            WindowVerdict { is_open, ..verdict }
        }
        _ => verdict,
    }
}

fn at_time(windows: &[Arc<SyncWindow>], at: Timestamp, initiative: Initiative) -> WindowVerdict {
    let of = |kind: WindowKind, is_active: bool| -> Vec<Arc<SyncWindow>> {
        let windows = windows.iter().filter(|window| window.kind == kind && window.is_active(at) == is_active);
        windows.cloned().collect()
    };
    let lets_manual = |windows: &[Arc<SyncWindow>]| {
        initiative == Initiative::Manual && windows.iter().all(|window| window.manual_sync)
    };
    let denying = of(WindowKind::Deny, true);
    if !denying.is_empty() {
        return WindowVerdict { is_open: lets_manual(&denying), because: denying };
    }
    let allowing = of(WindowKind::Allow, true);
    if !allowing.is_empty() {
        return WindowVerdict { is_open: true, because: allowing };
    }
    let waiting = of(WindowKind::Allow, false);
    WindowVerdict { is_open: waiting.is_empty() || lets_manual(&waiting), because: waiting }
}

/// When the answer changes next; nothing where it does not, as far as one can see.
pub fn next_change(windows: &[Arc<SyncWindow>], after: Timestamp, initiative: Initiative) -> Option<Timestamp> {
    let now = at_time(windows, after, initiative).is_open;
    let horizon = after.checked_add((HORIZON_DAYS * 24).hours()).ok()?;
    let mut at = after.checked_add(1.nanosecond()).ok()?;
    // At the very start of a window the change is now.
    if at_time(windows, at, initiative).is_open != now {
        return Some(after);
    }
    for _ in 0..STEPS {
        let events = windows.iter().flat_map(|window| [window.next_start(at), window.ends(at)]);
        let event = events.flatten().filter(|event| *event > at).min().filter(|event| *event <= horizon)?;
        // At the very start a window is not yet open.
        let just_after = event.checked_add(1.nanosecond()).ok()?;
        if at_time(windows, just_after, initiative).is_open != now {
            return Some(event);
        }
        at = just_after;
    }
    None
}
