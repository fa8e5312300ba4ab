//! How long the work on one repository may take, as code that blocks asks for it.

use std::time::{Duration, Instant};

use crate::process::Cancel;

/// A time limit, and a switch that is turned when it is over or the run is stopped.
#[derive(Debug, Clone)]
pub(super) struct FetchLimits {
    pub(super) stop: Cancel,
    pub(super) deadline: Instant,
    pub(super) timeout: Duration,
}

impl FetchLimits {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { stop: Cancel::new(), deadline: Instant::now() + timeout, timeout }
    }

    /// Whether to stop now.
    pub(super) fn over(&self) -> bool {
        self.stop.is_cancelled() || Instant::now() > self.deadline
    }

    /// The time that is left.
    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
