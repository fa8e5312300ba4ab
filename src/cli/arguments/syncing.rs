//! How it is synced: what may be deleted, forced, taken over; how long to wait.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::cli::session::environment;
use crate::cluster::settings::parse_request_timeout;
use crate::fleet::sync::{SyncRequest, Wish};
use crate::fleet::{Goal, Patience};
use crate::process::Cancel;
use crate::status::health::Judge;
use crate::sync::lock::{self, LockTerms};
use crate::sync::plan::{Flags, MaxPrune};

/// In effect no limit.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How applications are synced.
#[expect(clippy::struct_excessive_bools, reason = "they are flags of the command line")]
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Syncing")]
pub(crate) struct SyncingArguments {
    /// Take over objects that Argo CD, Helm, Flux or kubectl applied, or somebody created
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Delete and recreate objects whose immutable fields changed
    #[arg(long)]
    pub(crate) force: bool,
    /// Confirm `Prune=confirm` and `Delete=confirm`
    #[arg(long)]
    pub(crate) approve: bool,
    /// Also prune volume claims (PVCs), Namespaces and CRDs
    #[arg(long)]
    pub(crate) prune_protected: bool,
    /// Refuse to prune more than this many objects, or this share of an application's objects
    #[arg(long, value_name = "NUMBER|PERCENT%", default_value = "50%")]
    pub(crate) max_prune: MaxPrune,
    /// Allow pruning everything when git renders nothing
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// Sync even if another application has some of the objects
    #[arg(long)]
    pub(crate) allow_shared: bool,
    /// Delete applications that their ApplicationSet or parent no longer has
    #[arg(long)]
    pub(crate) allow_removals: bool,
    /// Also apply resources that are in sync
    #[arg(long)]
    pub(crate) apply_all: bool,
    /// Wait until everything is healthy; exit with 3 if it does not become so
    #[arg(long)]
    pub(crate) wait: bool,
    /// Sync no further application once one has failed; those that are being synced are finished
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Record this name in the history [default: `GITHUB_ACTOR`, `GITLAB_USER_LOGIN`, else the Kubernetes user]
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) by: Option<String>,
    /// Write `.status` to each Application in the cluster, as Argo CD does
    #[arg(long)]
    pub(crate) write_status: bool,
    /// Wait this long between two waves
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_wait)]
    pub(crate) wave_delay: Duration,
    /// Limit each wave, and the wait at the end, to this time; 0 for no limit
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_patience)]
    pub(crate) timeout: Duration,
    /// Wait this long for the lock if another run holds it
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_wait)]
    pub(crate) lock_timeout: Duration,
    /// Wait this long for sync windows to open
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_wait)]
    pub(crate) wait_window: Duration,
    /// Expire the lock of a run that died after this time
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_lock_duration)]
    pub(crate) lock_duration: Duration,
}

impl SyncingArguments {
    /// The flags, resolved.
    pub(crate) fn request(&self, wish: Wish, judge: Arc<Judge>, stop: Cancel) -> SyncRequest {
        SyncRequest {
            wish,
            is_shown: true,
            flags: Flags {
                adopt: self.adopt,
                force: self.force,
                approve: self.approve,
                prune_protected: self.prune_protected,
                max_prune: self.max_prune,
                allow_empty: self.allow_empty,
                allow_shared: self.allow_shared,
                apply_all: self.apply_all,
            },
            allow_removals: self.allow_removals,
            write_status: self.write_status,
            holder: holder(),
            by: self.by.clone().or_else(person),
            audit: None,
            started: Timestamp::now(),
            lock_timeout: self.lock_timeout,
            lock_terms: LockTerms::of(self.lock_duration),
            wait_window: self.wait_window,
            wave_delay: self.wave_delay,
            wave_timeout: self.timeout,
            judge,
            wait: self.wait.then_some(Patience {
                goal: Goal::Healthy,
                timeout: self.timeout,
                interval: Duration::from_secs(1),
                ignores_degraded: false,
            }),
            stop,
            failed: self.fail_fast.then(Cancel::new),
        }
    }
}

/// Identifies this run to people, and is different from every other run's.
pub(crate) fn holder() -> String {
    let name = environment("HOSTNAME").and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty());
    let host = name.or_else(|| std::fs::read_to_string("/etc/hostname").ok());
    lock::identity(host.as_deref().map_or("unknown-host", str::trim), std::process::id())
}

/// Who started the CI job that this is, where it is one.
fn person() -> Option<String> {
    let variable = |name| environment(name)?.into_string().ok().filter(|value| !value.is_empty());
    ["GITHUB_ACTOR", "GITLAB_USER_LOGIN"].into_iter().find_map(variable)
}

/// A time that may be nothing.
pub(crate) fn parse_wait(text: &str) -> Result<Duration, String> {
    Ok(parse_request_timeout(text)?.unwrap_or(Duration::ZERO))
}

/// A Lease counts whole seconds.
pub(crate) fn parse_lock_duration(text: &str) -> Result<Duration, String> {
    match parse_wait(text)? {
        time if (lock::SHORTEST..=lock::LONGEST).contains(&time) => Ok(Duration::from_secs(time.as_secs())),
        _ => Err(format!("must be between {} s and {} s", lock::SHORTEST.as_secs(), lock::LONGEST.as_secs())),
    }
}

pub(crate) fn parse_patience(text: &str) -> Result<Duration, String> {
    Ok(parse_request_timeout(text)?.unwrap_or(FOR_EVER).min(FOR_EVER))
}
