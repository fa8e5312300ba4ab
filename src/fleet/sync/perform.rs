//! Does what was planned, application by application: lock, record, do, record, unlock.
//!
//! In: turns with plans. Out: the same, with what was done. Before the first write the lock is taken and the attempt is
//! recorded; a run that is killed after that leaves a record that says so. Who had to wait for the lock, or finds that
//! somebody else synced meanwhile, plans again.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use jiff::Timestamp;

use super::record;
use crate::app::sync_policy::{Retry, RetryLimit};
use crate::cluster::{Cluster, Reason, Validation, Writing, Written};
use crate::finding::Finding;
use crate::finding::codes::{LOCKED, NOT_PERMITTED, UNHEALTHY};
use crate::fleet::commands::sync::look;
use crate::fleet::condition::ConditionKind;
use crate::fleet::stages::render;
use crate::fleet::sync::delete;
use crate::fleet::sync::plan;
use crate::fleet::sync::{SyncRequest, Wish};
use crate::fleet::turn::Turn;
use crate::fleet::{Request, World};
use crate::process::Cancel;
use crate::sync::execute::{Execution, execute};
use crate::sync::lock::{Fence, Fenced, Lock, LockError};
use crate::sync::ownership::{Purpose, Rules};
use crate::sync::plan::{Action, Plan};
use crate::sync::state::{Place, State};
use crate::sync::{FailureKind, Operation, OperationPhase, StepOutcome, StepResult};

pub(crate) async fn perform(turns: &mut [Turn], request: &Request, wanted: &SyncRequest, world: &World) {
    stream::iter(turns.iter_mut().map(|turn| perform_one(turn, request, wanted, world)))
        .buffer_unordered(request.concurrency.max(1))
        .collect::<()>()
        .await;
}

async fn perform_one(turn: &mut Turn, request: &Request, wanted: &SyncRequest, world: &World) {
    let (Some(plan), Some(cluster)) = (&turn.plan, turn.cluster.clone()) else { return };
    if turn.is_refused || !is_anything_to_do(turn, plan, wanted.wish) || wanted.stop.is_cancelled() {
        return;
    }
    let place = turn.place(request);
    if let Err(finding) = make_room(plan, &place, cluster.as_ref()).await {
        return turn.condition(ConditionKind::SyncError, finding);
    }
    let lock = Lock::take_on(Arc::clone(&cluster), place.clone(), &wanted.holder, wanted.patience()).await;
    let lock = match lock {
        Ok(lock) => lock,
        Err(error) => return turn.condition(ConditionKind::SyncError, Finding::of(&error)),
    };
    // Whoever takes the lock from us, or a signal, ends the work after the steps in flight.
    let stops = Stops { stop: wanted.stop.child(), lost: Cancel::new(), fence: lock.fence() };
    let done = lock.hold(under_lock(turn, &place, request, wanted, world, &stops), || stops.lose()).await;
    match done {
        // It was not begun, or its record not written, because the lock was lost: that is reported below.
        Err(_) if stops.is_lost() => {}
        Err(finding) => turn.condition(ConditionKind::SyncError, finding),
        Ok(()) => {}
    }
    let freed = if turn.is_deleted { lock.remove().await } else { lock.release().await };
    match freed {
        Ok(()) => {}
        Err(error @ LockError::Lost { .. }) => turn.condition(ConditionKind::SyncError, Finding::of(&error)),
        Err(error) => {
            world.progress.note(format!(
                "{}: the lock was not released and stays until it expires: \
                 {error}",
                turn.application.name
            ));
        }
    }
}

/// The reasons to stop early.
struct Stops {
    /// A signal, or the loss of the lock.
    stop: Cancel,
    /// The loss of the lock.
    lost: Cancel,
    /// How old the lock is.
    fence: Arc<Fence>,
}

impl Stops {
    fn lose(&self) {
        self.lost.cancel();
        self.stop.cancel();
    }

    /// Whether the lock was lost, or found too old to write under.
    fn is_lost(&self) -> bool {
        self.lost.is_cancelled() || self.fence.has_expired()
    }
}

/// A plan without steps still has something to do where git's revision moved, what is live is not recorded, or a rollback
/// begins or ends.
fn is_anything_to_do(turn: &Turn, plan: &Plan, wish: Wish) -> bool {
    if matches!(wish, Wish::Delete(_)) {
        return !plan.steps.is_empty() || turn.members.is_some();
    }
    let is_recorded = turn.baseline.as_ref().is_some_and(|baseline| baseline.revisions == plan.revisions)
        && record::has_sources(turn);
    // A run that was killed left a record that says so, also where it had done everything.
    let is_to_be_recorded = plan.whole && (!is_recorded || turn.last_attempt.is_open());
    !plan.steps.is_empty() || is_to_be_recorded || turn.rolled_back_to != turn.rollback
}

/// The namespace of the lock and the record must be there before both: when the plan makes it, that is done first.
async fn make_room(plan: &Plan, place: &Place, cluster: &dyn Cluster) -> Result<(), Finding> {
    let namespace = plan.steps.iter().find(|step| {
        step.object.gvk.kind == "Namespace"
            && step.object.gvk.group.is_empty()
            && step.object.name == place.namespace
            && step.seen.is_none()
            && matches!(step.action, Action::Apply { .. })
    });
    let Some((step, target)) = namespace.and_then(|step| Some((step, step.target.as_deref()?))) else { return Ok(()) };
    // Somebody may have created it since: then it is room enough, and nothing of it is taken over here.
    if cluster.get(&step.object).await.map_err(|error| Finding::of(&error))?.is_some() {
        return Ok(());
    }
    match cluster.apply(target, Validation::Strict, Writing::Really).await {
        Ok(Written::Done(_)) => Ok(()),
        Ok(Written::Refused(refusal)) if refusal.reason == Reason::AlreadyExists => Ok(()),
        Ok(Written::Refused(refusal)) => {
            let message = format!("namespace `{}` cannot be created; nothing else was written", place.namespace);
            Err(Finding::error("trueup::sync::namespace", message).with_cause(refusal.words))
        }
        Err(error) => Err(Finding::of(&error)),
    }
}

async fn under_lock(
    turn: &mut Turn,
    place: &Place,
    request: &Request,
    wanted: &SyncRequest,
    world: &World,
    stops: &Stops,
) -> Result<(), Finding> {
    let Some(cluster) = turn.cluster.clone() else { return Ok(()) };
    // Whatever is written under the lock is only written while it holds.
    let cluster: Arc<dyn Cluster> = Arc::new(Fenced::new(cluster, Arc::clone(&stops.fence)));
    let mut state = State::read_to_write(cluster.as_ref(), place).await.map_err(|error| Finding::of(&error))?;
    refuse_older(turn, &state, wanted)?;
    if turn.last_attempt.is_open() || turn.last_attempt != state.last_attempt() {
        // Somebody synced between our look and our lock. What our plan had to say is said anew.
        turn.conditions.retain(|condition| !condition.kind.is_of_sync());
        turn.restore_target();
        turn.begin_again();
        look(std::slice::from_mut(turn), request, world).await;
        plan::plan_one(turn, request, wanted, world).await;
    }
    let Some(plan) = turn.plan.clone().filter(|_| !turn.is_refused) else { return Ok(()) };
    let by = match &wanted.by {
        Some(by) => by.clone(),
        None => cluster.account().await.unwrap_or_else(|| wanted.holder.clone()),
    };
    let attempt = record::attempt(turn, &plan, wanted.started, by);
    // From the first write on the pull loop leaves it alone, or no longer does.
    state.rolled_back_to = turn.rollback;
    state.begin(cluster.as_ref(), place, attempt).await.map_err(|error| Finding::of(&error))?;
    let tracking = turn.tracking(request);
    let rules = Rules {
        tracking: &tracking,
        options: &turn.application.sync_policy.sync_options,
        adopt: wanted.flags.adopt,
        allow_shared: wanted.flags.allow_shared,
        approve: wanted.flags.approve,
        purpose: if matches!(wanted.wish, Wish::Delete(_)) { Purpose::Deletion } else { Purpose::Prune },
    };
    let mut operation = tried(turn, &plan, (&*cluster, rules), (request, wanted, world), stops).await;
    let is_held = |outcome: &StepOutcome| matches!(outcome.result, StepResult::Held { .. });
    let held = plan.held.iter().filter(|held| held.is_drift).count()
        + operation.steps.iter().filter(|outcome| is_held(outcome)).count();
    if operation.phase == OperationPhase::Succeeded && held > 0 {
        operation.message = format!("synced, except for {held} that were not applied");
    }
    if !stops.is_lost() {
        report_failure(turn, &operation, wanted.wish);
    }
    let written = match wanted.wish {
        // The record is the other run's by now.
        _ if stops.is_lost() => Ok(()),
        Wish::Delete(_) => delete::end(turn, &plan, &operation, state, (&*cluster, place)).await,
        Wish::Sync { .. } | Wish::Reconcile { .. } | Wish::Rollback { .. } => {
            let tools = if record::is_of_note(turn, &plan, &operation) {
                render::rendered_by(turn, request, world).await
            } else {
                Vec::new()
            };
            let id = &tracking.applyset_id;
            let ended = record::ended(turn, (&plan, &tools), &operation, id, Timestamp::now());
            state.finish(cluster.as_ref(), place, ended).await
        }
    };
    turn.operation = Some(operation);
    written.map_err(|error| Finding::of(&error))
}

/// Refuses to put what git said before over what a run that began later has brought since. A rollback and a deletion mean it.
fn refuse_older(turn: &Turn, state: &State, wanted: &SyncRequest) -> Result<(), Finding> {
    if matches!(wanted.wish, Wish::Rollback { .. } | Wish::Delete(_)) {
        return Ok(());
    }
    let revisions: Vec<String> = turn.sources.iter().map(|source| source.revision.clone()).collect();
    let Some(attempt) = state.overtaker(wanted.started, &revisions) else { return Ok(()) };
    // What is still to come was written by a clock that is ahead of ours; that would refuse every run until then. What was
    // there when we looked is no reason to stop.
    if attempt.started > Timestamp::now() && turn.last_attempt == state.last_attempt() {
        return Ok(());
    }
    let message = format!(
        "`{}` started after this run and applied revision {}; nothing was written",
        attempt.by,
        attempt.revisions.join(", ")
    );
    let help = format!("this run has {}; run it again to use the current revision", revisions.join(", "));
    Err(Finding::error(LOCKED, message).with_help(help))
}

/// A failure is an error of the application; the exit code is read from its code.
fn report_failure(turn: &mut Turn, operation: &Operation, wish: Wish) {
    let code = match operation.phase {
        OperationPhase::Succeeded => return,
        OperationPhase::Terminated => "trueup::sync::terminated",
        _ if operation.failures().any(|failure| failure.kind == FailureKind::NotPermitted) => NOT_PERMITTED,
        _ if operation.failures().all(|failure| failure.kind == FailureKind::Unhealthy) => UNHEALTHY,
        _ => "trueup::sync::failed",
    };
    let open = operation.steps.iter().filter(|outcome| outcome.result == StepResult::NotBegun).count();
    let what = if matches!(wish, Wish::Delete(_)) { "deletion" } else { "sync" };
    let finding =
        Finding::error(code, format!("the {what} did not finish")).with_cause(operation.message.clone()).with_help(
            format!("{open} of {} steps were not started; the next {what} continues from here", operation.steps.len()),
        );
    turn.condition(ConditionKind::SyncError, finding);
}

/// Runs the plan, and again as `syncPolicy.retry` says, while what failed may pass.
async fn tried(
    turn: &Turn,
    plan: &Plan,
    (cluster, rules): (&dyn Cluster, Rules<'_>),
    (request, wanted, world): (&Request, &SyncRequest, &World),
    stops: &Stops,
) -> Operation {
    let retry = turn.application.sync_policy.retry.clone();
    let mut tries = 0;
    loop {
        let execution = Execution {
            cluster,
            rules,
            judge: &wanted.judge,
            concurrency: request.concurrency,
            wave_delay: wanted.wave_delay,
            wave_timeout: wanted.wave_timeout,
            waits_at_the_end: matches!(wanted.wish, Wish::Delete(_)),
            interval: Duration::from_secs(1),
            progress: &world.progress,
            stop: &stops.stop,
            lost: &stops.lost,
        };
        let operation = execute(plan, &execution).await;
        let wait = retry.as_ref().filter(|_| operation.may_pass()).and_then(|retry| wait_before(retry, tries));
        let Some(wait) = wait else { return operation };
        world
            .progress
            .waiting(&turn.application.name, &format!("retrying in {} s: {}", wait.as_secs(), operation.message));
        if tokio::time::timeout(wait, stops.stop.cancelled()).await.is_ok() {
            return operation;
        }
        tries += 1;
    }
}

/// How long to wait before the next try; nothing when there is none.
///
/// Rule: Argo CD pkg/apis/application/v1alpha1/types.go `RetryStrategy.NextRetryAt`.
fn wait_before(retry: &Retry, tries: u32) -> Option<Duration> {
    let is_left = match retry.limit {
        RetryLimit::Unlimited => true,
        RetryLimit::Times(limit) => u64::from(tries) < limit,
    };
    let factor = u32::try_from(retry.backoff.factor.saturating_pow(tries)).unwrap_or(u32::MAX);
    is_left.then(|| retry.backoff.duration.saturating_mul(factor).min(retry.backoff.max_duration))
}
