//! Makes the clusters what git says: plans every application, and does what was planned.
//!
//! In: a [`Request`], what to do ([`SyncRequest`]). Out: [`Prepared`] applications with their plans, of which nothing is
//! written yet; and, when they are performed, the [`Run`] with what was done and how the clusters stand afterwards.
//!
//! Each application is planned, locked, recorded and done on its own: one that fails does not stop the others.

use std::sync::Arc;
use tokio::time::Instant;

use crate::app::InvalidApplication;
use crate::finding::Finding;
use crate::fleet::commands::wait;
use crate::fleet::condition::ConditionKind;
use crate::fleet::stages::commits;
use crate::fleet::stages::compare;
use crate::fleet::stages::extras;
use crate::fleet::stages::health;
use crate::fleet::stages::last_sync;
use crate::fleet::stages::list;
use crate::fleet::stages::list::Live;
use crate::fleet::stages::reasons;
use crate::fleet::sync::{SyncRequest, Wish, argo_status, delete, perform, plan, rollback};
use crate::fleet::turn::{self, Turn};
use crate::fleet::{Request, Run, World, targets};
use crate::progress::Progress;
use crate::sync::plan::Plan;

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
        Wish::Delete(how) => delete::targets(&mut request, how, world).await,
    };
    turns.iter_mut().for_each(Turn::keep_conditions);
    look(&mut turns, &request, world).await;
    plan::plan(&mut turns, &request, wanted, world).await;
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
        turns.iter_mut().for_each(delete::forget_what_is_not_ours);
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
pub(crate) async fn look(turns: &mut [Turn], request: &Request, world: &World) -> Arc<Live> {
    let live = Arc::new(list::list(turns, request, &world.progress).await);
    last_sync::read(turns, &live, request).await;
    compare::compare(turns, &live, request, world).await;
    extras::find(turns, &live, request, &world.progress).await;
    commits::find(turns, world).await;
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
