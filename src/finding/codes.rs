//! Codes that decide an exit code: what is no plain error.
//!
//! Rule: docs/design.md, "Commands".

/// Another run has the lock: exit code 5.
pub const LOCKED: &str = "trueup::sync::locked";
/// The lock was lost, or expired while the run was paused: exit code 5.
pub const LOCK_LOST: &str = "trueup::sync::lock_lost";
/// The account, a policy or a window does not let it be done: exit code 4.
pub const NOT_PERMITTED: &str = "trueup::sync::not_permitted";
/// Something failed that was waited for: exit code 3.
pub const GAVE_UP: &str = "trueup::wait::degraded";
/// A wait was in vain: exit code 3.
pub const TIMED_OUT: &str = "trueup::wait::timeout";
/// It was done, and does not work: exit code 3.
pub const UNHEALTHY: &str = "trueup::sync::unhealthy";
