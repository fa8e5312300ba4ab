//! Makes the clusters what git says: plans every application, and does what was planned.
//!
//! In: a [`Request`], what to do ([`SyncRequest`]). Out: [`Prepared`] applications with their plans, of which nothing is
//! written yet; and, when they are performed, the [`Run`] with what was done and how the clusters stand afterwards.
//!
//! Each application is planned, locked, recorded and done on its own: one that fails does not stop the others.

mod argo_status;
mod deletion;
mod members;
mod perform;
mod planning;
mod record;
mod rollback;

pub(super) use members::mark_known;
pub use rollback::end_rollback;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::condition::ConditionKind;
use super::list::Live;
use super::turn::{self, Turn};
use super::wait::{self, Patience};
use super::{Request, Run, World, baseline, compare, extras, health, history, list, reasons, targets};
use crate::app::InvalidApplication;
use crate::cluster::Propagation;
use crate::finding::Finding;
use crate::process::Cancel;
use crate::progress::Progress;
use crate::status::health::Judge;
use crate::sync::lock::{self, LockTerms};
use crate::sync::plan::{Flags, Plan};

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
    /// Each application's status is put on its Application in the cluster (`--write-status`).
    pub write_status: bool,
    /// Identifies this run, for the lock.
    pub holder: String,
    /// Who runs this, for the record; the cluster's account when nobody is named.
    pub by: Option<String>,
    /// When the run began.
    pub started: Timestamp,
    /// How long to wait for a lock that another run holds.
    pub lock_timeout: Duration,
    /// On which terms the lock is held.
    pub lock_terms: LockTerms,
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
}

impl SyncRequest {
    /// How the lock is waited for and held.
    fn patience(&self) -> lock::LockPatience<'_> {
        lock::LockPatience { time: self.lock_timeout, terms: self.lock_terms, stop: &self.stop }
    }
}

/// Applications with their plans; nothing is written yet.
pub struct Prepared {
    turns: Vec<Turn>,
    invalid: Vec<(usize, InvalidApplication)>,
    findings: Vec<Finding>,
    request: Request,
}

impl Prepared {
    /// Every plan, in the order of the applications.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.turns.iter().filter_map(|turn| turn.plan.as_ref())
    }

    /// How many applications there are, those among them whose manifests are wrong.
    pub fn applications(&self) -> usize {
        self.turns.len() + self.invalid.len()
    }

    /// Every application as it was compared, with its plan: what somebody reads before being asked.
    pub fn comparison(&self) -> Run {
        let invalid = self.invalid.iter().flat_map(|(_, application)| application.findings.iter().cloned());
        Run {
            applications: self.turns.iter().map(turn::compared).collect(),
            findings: self.findings.iter().cloned().chain(invalid).collect(),
            ..Run::default()
        }
    }

    /// The run as it is before anything is done: what `--dry-run` reports.
    pub fn end(self, world: &World) -> Run {
        turn::end(self.turns, self.invalid, self.findings, world)
    }
}

/// Compares every application with its cluster, and plans what its wish or policy lets be done. Nothing is written but the
/// cache; the server is asked, in dry runs, whether it would take it.
pub async fn prepare(mut request: Request, wanted: &SyncRequest, world: &World) -> Prepared {
    let (mut turns, invalid) = match wanted.wish {
        Wish::Sync { .. } | Wish::Reconcile { .. } => targets(&mut request, world).await,
        Wish::Rollback { to, .. } => rollback::targets(&mut request, to, world).await,
        Wish::Delete(how) => deletion::targets(&mut request, how, world).await,
    };
    turns.iter_mut().for_each(Turn::keep_conditions);
    look(&mut turns, &request, world).await;
    planning::plan(&mut turns, &request, wanted, world).await;
    let findings = std::mem::take(&mut request.findings);
    Prepared { turns, invalid, findings, request }
}

/// Does what was planned, and looks again at what came of it.
pub async fn perform(prepared: Prepared, wanted: &SyncRequest, world: &World) -> Run {
    let Prepared { mut turns, invalid, findings, request } = prepared;
    perform::perform(&mut turns, &request, wanted, world).await;
    let mut findings = findings;
    if turns.iter().any(|turn| turn.operation.is_some()) {
        look_again(&mut turns, &request, world).await;
    }
    if let Wish::Delete(_) = wanted.wish {
        turns.iter_mut().for_each(deletion::forget_what_is_not_ours);
    }
    if let Some(patience) = wanted.wait.filter(|_| !wanted.stop.is_cancelled() && !has_failed(&turns)) {
        let ends = Instant::now() + patience.timeout;
        let ending = wait::until(&mut turns, invalid.is_empty(), &request, world, patience, ends).await;
        findings.extend(ending.finding(patience.timeout));
    }
    if wanted.write_status {
        argo_status::write_statuses(&mut turns, &request, wanted, world).await;
    }
    turn::end(turns, invalid, findings, world)
}

/// Whether a sync did not come to its end: there is nothing to wait for.
fn has_failed(turns: &[Turn]) -> bool {
    turns.iter().any(|turn| turn.conditions.iter().any(|condition| condition.kind == ConditionKind::SyncError))
}

/// Lists what is live, and compares it with what git says.
async fn look(turns: &mut [Turn], request: &Request, world: &World) -> Arc<Live> {
    let live = Arc::new(list::list(turns, request, &world.progress).await);
    baseline::read(turns, &live, request).await;
    compare::compare(turns, &live, request, world).await;
    extras::find(turns, &live, request, &world.progress).await;
    history::find(turns, world).await;
    for turn in turns {
        turn.live = Some(Arc::clone(&live));
    }
    live
}

/// How things stand after something was done: drift that is left is drift.
async fn look_again(turns: &mut [Turn], request: &Request, world: &World) {
    // The stages were reported once already.
    let world = &World { progress: Progress::silent(), ..world.clone() };
    for turn in turns.iter_mut() {
        turn.restore_target();
        turn.begin_again();
        // A CRD that was applied adds kinds.
        if let Some(cluster) = &turn.cluster {
            turn.kinds = cluster.kinds().await.ok().or(turn.kinds.take());
        }
    }
    let live = look(turns, request, world).await;
    health::judge(turns, &live, request).await;
    reasons::find(turns, request.log_lines, request.concurrency).await;
}
