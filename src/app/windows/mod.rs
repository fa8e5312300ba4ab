//! Sync windows: when an application may be synced.
//!
//! In: `syncWindows` of a project, the application, the time. Out: whether it may be synced now, because of which windows, and
//! when that changes. The clock is the caller's; time zones are those of this build, so that every machine decides alike.
//!
//! Rules: Argo CD types.go `SyncWindows` (`Matches`, `CanSync`). Quirk not kept: there, the zone's offset of today holds for every
//! day, so that a window around a change of the clock is an hour off.

mod cron;
mod decide;
mod window;

pub use cron::CronSchedule;
pub use decide::{Initiative, WindowVerdict, next_change, verdict};
pub use window::{SyncWindow, WindowKind, WindowSubject, matching};

pub(super) use window::decode;

#[cfg(test)]
mod tests;
