//! The facts that templates get from outside.

use super::error::Fault;

/// Clock, zone, randomness and cancellation. The default is fixed: 1970, UTC, no randomness, never stopped.
pub trait Host {
    /// The time.
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    /// The zone that Go calls `Local`.
    fn zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::UTC
    }

    /// Fills the bytes with randomness; without a source it is an error.
    fn fill_random(&self, _bytes: &mut [u8]) -> Result<(), Fault> {
        Err(Fault::new("there is no source of randomness"))
    }

    /// Whether the run is to end: asked about once in a thousand steps.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// The host that knows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHost;

impl Host for NoHost {}
