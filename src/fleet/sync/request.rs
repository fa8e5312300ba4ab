//! What a sync is to do, and how.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::cluster::Propagation;
use crate::fleet::commands::wait::Patience;
use crate::process::Cancel;
use crate::status::health::Judge;
use crate::sync::audit::AuditLog;
use crate::sync::lock::{self, LockTerms};
use crate::sync::plan::Flags;

/// Whose wish it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// `trueup sync`: somebody wants git's state now.
    Sync {
        /// `--prune`.
        prune: bool,
    },
    /// `trueup reconcile`: each application's policy decides.
    Reconcile {
        /// `--self-heal`.
        self_heal: bool,
        /// `--auto-prune`.
        auto_prune: bool,
    },
    /// `trueup rollback`: somebody wants the state of an earlier sync.
    Rollback {
        /// The entry of the history; the one before the last where none is named.
        to: Option<u64>,
        /// `--prune`.
        prune: bool,
    },
    /// `trueup delete`: somebody wants it gone.
    Delete(Delete),
}

/// How an application is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delete {
    /// `--orphan`: its objects stay.
    pub orphan: bool,
    /// Whether its hooks run; `--no-hooks` needs no git.
    pub hooks: bool,
    /// `--propagation-policy`.
    pub propagation: Option<Propagation>,
}

/// The action and its method.
#[derive(Debug, Clone)]
pub struct SyncRequest {
    /// Whose wish it is.
    pub wish: Wish,
    /// Whether somebody looks at the plan before it is carried out, if it is.
    pub is_shown: bool,
    /// The flags of every plan.
    pub flags: Flags,
    /// Whether applications go that are no longer generated (`--allow-removals`).
    pub allow_removals: bool,
    /// Each application's status is put on its Application in the cluster (`--write-status`).
    pub write_status: bool,
    /// Identifies this run, for the lock.
    pub holder: String,
    /// Who runs this, for the record; the cluster's account when nobody is named.
    pub by: Option<String>,
    /// Where each write is written down (`-o audit=FILE`).
    pub audit: Option<Arc<AuditLog>>,
    /// When the run began.
    pub started: Timestamp,
    /// How long to wait for a lock that another run holds.
    pub lock_timeout: Duration,
    /// On which terms the lock is held.
    pub lock_terms: LockTerms,
    /// How long to wait for sync windows to open (`--wait-window`).
    pub wait_window: Duration,
    /// How long to wait between two waves.
    pub wave_delay: Duration,
    /// How long one wave may take to work.
    pub wave_timeout: Duration,
    /// Judges whether what was applied works.
    pub judge: Arc<Judge>,
    /// Whether everything is waited for after it was applied (`--wait`), and how long.
    pub wait: Option<Patience>,
    /// Whether somebody wants it to stop after the steps in flight.
    pub stop: Cancel,
    /// Cancelled when an application has failed, where no further one is to begin then (`--fail-fast`).
    pub failed: Option<Cancel>,
}

impl SyncRequest {
    /// Whether one application has failed that ends the run.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.as_ref().is_some_and(Cancel::is_cancelled)
    }

    /// Remembers that an application has failed.
    pub(crate) fn note_failure(&self, is_failed: bool) {
        if let Some(failed) = self.failed.as_ref().filter(|_| is_failed) {
            failed.cancel();
        }
    }

    /// How the lock is waited for and held.
    pub(crate) fn patience(&self) -> lock::LockPatience<'_> {
        lock::LockPatience { time: self.lock_timeout, terms: self.lock_terms, stop: &self.stop }
    }
}
