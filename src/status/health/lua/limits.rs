//! The limits of one run, and the clock that measures it.

use std::time::{Duration, Instant};

/// How long one run may take.
pub(super) const TIME: Duration = Duration::from_secs(1);
/// How much memory one state may take, in bytes.
pub(super) const MEMORY: usize = 32 << 20;

/// Where scripts take the time from: what decides has no clock of its own.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// For the limit of time.
    pub now: fn() -> Instant,
    /// Seconds since 1970, for `os.time()`.
    pub unix: fn() -> i64,
}
