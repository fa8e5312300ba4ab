//! How a plan is run: the cluster, the limits of time, and what ends it early.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::process::Cancel;
use crate::progress::Progress;
use crate::status::health::Judge;
use crate::sync::ownership::Rules;

/// How a plan is run.
pub struct Execution<'a> {
    /// Where.
    pub cluster: &'a dyn Cluster,
    /// Whose objects may be deleted and taken over.
    pub rules: Rules<'a>,
    /// Judges whether what was applied works.
    pub judge: &'a Judge,
    /// How many steps are done side by side.
    pub concurrency: usize,
    /// How long to wait between two waves.
    pub wave_delay: Duration,
    /// How long to wait for one wave to work.
    pub wave_timeout: Duration,
    /// Whether the last wave is waited for, too: what follows the plan needs it done.
    pub waits_at_the_end: bool,
    /// How long between two looks at what is waited for.
    pub interval: Duration,
    /// Where events go.
    pub progress: &'a Progress,
    /// Whether somebody wants it to stop: a signal, or a lost lock.
    pub stop: &'a Cancel,
    /// Whether the lock was lost: another run goes on, and nothing more may be written.
    pub lost: &'a Cancel,
}

impl Execution<'_> {
    /// Waits so long; whether somebody wants it to stop meanwhile.
    pub(super) async fn is_stopped_within(&self, time: Duration) -> bool {
        tokio::time::timeout(time, self.stop.cancelled()).await.is_ok() || self.stop.is_cancelled()
    }

    /// Waits so long, also where somebody wants it to stop: a step in flight is finished. Whether the lock was lost
    /// meanwhile.
    pub(super) async fn is_lost_within(&self, time: Duration) -> bool {
        tokio::time::timeout(time, self.lost.cancelled()).await.is_ok() || self.lost.is_cancelled()
    }
}
