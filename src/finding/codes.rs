//! Codes that decide an exit code, and which one.
//!
//! Rule: README.md, "Exit codes". Errors with any other code exit with 2.

/// Another run has the lock: exit code 5.
pub const LOCKED: &str = "trueup::sync::locked";
/// The lock was lost, or expired while the run was paused: exit code 5.
pub const LOCK_LOST: &str = "trueup::sync::lock_lost";
/// The account, a policy or a window forbids it: exit code 4.
pub const NOT_PERMITTED: &str = "trueup::sync::not_permitted";
/// Something failed that was waited for: exit code 3.
pub const GAVE_UP: &str = "trueup::wait::degraded";
/// A wait timed out: exit code 3.
pub const TIMED_OUT: &str = "trueup::wait::timeout";
/// It was done, and does not work: exit code 3.
pub const UNHEALTHY: &str = "trueup::sync::unhealthy";

/// The exit class of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ExitClass {
    /// No complete answer.
    #[default]
    Error,
    /// Something is unhealthy, or a wait timed out.
    Unhealthy,
    /// The account lacks a permission, or a policy forbids it.
    Forbidden,
    /// Another run holds the lock.
    Locked,
}

impl ExitClass {
    /// Every code that has an exit code of its own.
    pub const BY_CODE: [(&'static str, Self); 6] = [
        (LOCKED, Self::Locked),
        (LOCK_LOST, Self::Locked),
        (NOT_PERMITTED, Self::Forbidden),
        (GAVE_UP, Self::Unhealthy),
        (TIMED_OUT, Self::Unhealthy),
        (UNHEALTHY, Self::Unhealthy),
    ];

    /// The class of a documented code. The errors of other rooms name their code as text only, so this is where it is read.
    pub(super) fn of(code: &str) -> Self {
        let found = Self::BY_CODE.into_iter().find(|(known, _)| *known == code);
        found.map_or_else(Self::default, |(_, class)| class)
    }
}
