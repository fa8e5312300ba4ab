//! Does what was planned, application by application: lock, record, do, record, unlock.
//!
//! In: planned applications. Out: the same, with what was done. Before the first write the lock is taken and the attempt is
//! recorded; a run that is killed after that leaves a record that says so. Who had to wait for the lock, or finds that
//! somebody else synced meanwhile, plans again.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::planned::{Performed, PlanOutcome, Planned};
use super::window::{self, Windows};
use super::{SyncRequest, Wish, audit, delete, plan, record, seen};
use crate::app::sync_policy::{Retry, RetryLimit};
use crate::cluster::{Cluster, Reason, Validation, Writing, Written};
use crate::finding::{Code, Finding};
use crate::fleet::application::{Compared, Purpose};
use crate::fleet::condition::{ConditionKind, Conditions};
use crate::fleet::observe::observe_one;
use crate::fleet::stages::render;
use crate::fleet::{Request, World};
use crate::process::Cancel;
use crate::sync::execute::{Execution, execute};
use crate::sync::lock::{Fence, Fenced, Lock, LockError};
use crate::sync::ownership::{self, Rules};
use crate::sync::plan::{Action, Plan};
use crate::sync::state::{Place, State};
use crate::sync::{FailureKind, Operation, OperationPhase, StepOutcome, StepResult};

/// Carries out the plan of one application.
pub(crate) async fn perform(planned: Planned, request: &Request, wanted: &SyncRequest, world: &World) -> Performed {
    let is_begun = match &planned.outcome {
        PlanOutcome::Execute(plan) | PlanOutcome::Absent(plan, _) => {
            is_anything_to_do(&planned.compared, plan, wanted.wish, request) && !wanted.stop.is_cancelled()
        }
        PlanOutcome::Nothing | PlanOutcome::Left(_) | PlanOutcome::Refused(_) => false,
    };
    if !is_begun {
        Box::pin(seen::remember(&planned, request, wanted, world)).await;
        return untouched(planned);
    }
    if wanted.has_failed() {
        return refused(planned, not_run());
    }
    let performed = Box::pin(with_lock(planned, request, wanted, world)).await;
    wanted.note_failure(performed.has_failed());
    performed
}

fn not_run() -> Finding {
    Finding::error(Code::SyncNotRun, "not run: another application failed before, and nothing of this one was written")
        .with_help("correct the application that failed, or leave out `--fail-fast`")
}

pub(super) fn untouched(planned: Planned) -> Performed {
    Performed { planned, operation: None, is_deleted: false }
}

/// An application that is not touched, and why.
fn refused(mut planned: Planned, finding: Finding) -> Performed {
    planned.conditions.add(ConditionKind::SyncError, finding);
    untouched(planned)
}

async fn with_lock(planned: Planned, request: &Request, wanted: &SyncRequest, world: &World) -> Performed {
    // Somebody may have looked at the plan for long.
    let windows = Windows::of(&planned.compared.application, request, wanted.wish);
    if let Some(finding) = windows.refusal(Timestamp::now(), Some(wanted.started)) {
        return refused(planned, finding);
    }
    let place = planned.compared.place(request);
    let cluster = Arc::clone(&planned.compared.connection.cluster);
    if let Some(plan) = planned.outcome.plan() {
        let audited = audit::audited(&planned.compared, plan, cluster.as_ref(), wanted).await;
        let audited = audited.as_ref().map_or(cluster.as_ref(), |audited| audited as &dyn Cluster);
        if let Err(finding) = make_room(plan, &place, audited).await {
            return refused(planned, finding);
        }
    }
    let lock = match Lock::take_on(cluster, place.clone(), &wanted.holder, wanted.patience()).await {
        Ok(lock) => lock,
        Err(error) => return refused(planned, Finding::of(&error)),
    };
    // Whoever takes the lock from us, or a signal, ends the work after the steps in flight.
    let stops = Stops { stop: wanted.stop.child(), lost: Cancel::new(), fence: lock.fence() };
    let work = Box::pin(under_lock(planned, &place, request, wanted, world, &stops));
    let closes = windows.closes(Timestamp::now(), wanted.started);
    let ended = async {
        match closes {
            Some(closes) => tokio::time::sleep(window::until(closes)).await,
            None => std::future::pending().await,
        }
        stops.stop.cancel();
        std::future::pending().await
    };
    let (mut performed, failed) = tokio::select! {
        done = lock.hold(work, || stops.lose()) => done,
        done = ended => done,
    };
    if let Some(closes) = closes.filter(|closes| stops.stop.is_cancelled() && *closes <= Timestamp::now()) {
        let message = format!("a sync window closed at {closes}: the sync stopped after the step in flight");
        let finding =
            Finding::warning(Code::SyncWindow, message).with_help("`syncOverrun` lets a sync end that began in time");
        performed.planned.conditions.add(ConditionKind::SyncWarning, finding);
    }
    let conditions = &mut performed.planned.conditions;
    // Where the lock was lost it was not begun, or its record not written, because of that: it is reported below.
    if let Some(finding) = failed.filter(|_| !stops.is_lost()) {
        conditions.add(ConditionKind::SyncError, finding);
    }
    let freed = if performed.is_deleted { lock.remove().await } else { lock.release().await };
    match freed {
        Ok(()) => {}
        Err(error @ LockError::Lost { .. }) => conditions.add(ConditionKind::SyncError, Finding::of(&error)),
        Err(error) => {
            let name = &performed.planned.compared.application.name;
            world.progress.note(format!("{name}: the lock was not released and stays until it expires: {error}"));
        }
    }
    performed
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
fn is_anything_to_do(compared: &Compared, plan: &Plan, wish: Wish, request: &Request) -> bool {
    let record = &compared.record;
    if matches!(wish, Wish::Delete(_)) {
        return !plan.steps.is_empty() || record.members.is_some();
    }
    let is_recorded = record.baseline.as_ref().is_some_and(|baseline| baseline.revisions == plan.revisions)
        && record::has_sources(compared);
    // A run that was killed left a record that says so, also where it had done everything.
    let is_to_be_recorded = plan.whole && (!is_recorded || record.last_attempt().is_open());
    // Which ApplicationSet it comes from is on record, too.
    let place = compared.place(request);
    let is_as_recorded = |state: &State| state.lineage() == place.lineage && state.had_children() == place.has_children;
    let is_moved = record.state.as_ref().is_ok_and(|state| !is_as_recorded(state));
    !plan.steps.is_empty() || is_to_be_recorded || is_moved || record.rolled_back_to() != rollback(compared)
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
            Err(Finding::error(Code::SyncNamespace, message).with_cause(refusal.words))
        }
        Err(error) => Err(Finding::of(&error)),
    }
}

/// The entry that the application is taken back to.
fn rollback(compared: &Compared) -> Option<u64> {
    match &compared.purpose {
        Purpose::RollBack(to) => Some(to.entry),
        Purpose::Keep | Purpose::Delete => None,
    }
}

/// The work under the lock, and why it was not begun or not recorded, where it was not.
async fn under_lock(
    planned: Planned,
    place: &Place,
    request: &Request,
    wanted: &SyncRequest,
    world: &World,
    stops: &Stops,
) -> (Performed, Option<Finding>) {
    // Whatever is written under the lock is only written while it holds.
    let cluster = Arc::clone(&planned.compared.connection.cluster);
    let cluster: Arc<dyn Cluster> = Arc::new(Fenced::new(cluster, Arc::clone(&stops.fence)));
    let state = match State::read_to_write(cluster.as_ref(), place).await {
        Ok(state) => state,
        Err(error) => return (untouched(planned), Some(Finding::of(&error))),
    };
    if let Err(finding) = refuse_older(&planned.compared, &state, wanted) {
        return (untouched(planned), Some(finding));
    }
    let known = planned.compared.record.last_attempt();
    // Somebody synced between our look and our lock. What our plan had to say is said again.
    let is_outdated = known.is_open() || known != state.last_attempt();
    let planned = if is_outdated { planned_again(planned, request, wanted, world).await } else { planned };
    carried_out(planned, state, (&*cluster, place), (request, wanted, world), stops).await
}

async fn planned_again(planned: Planned, request: &Request, wanted: &SyncRequest, world: &World) -> Planned {
    let compared = observe_one(planned.into_rendered(), request, world).await;
    plan::plan(compared, request, wanted, world).await
}

/// Records the attempt, executes the plan and records how it ended.
async fn carried_out(
    mut planned: Planned,
    mut state: State,
    (cluster, place): (&dyn Cluster, &Place),
    (request, wanted, world): (&Request, &SyncRequest, &World),
    stops: &Stops,
) -> (Performed, Option<Finding>) {
    let (PlanOutcome::Execute(plan) | PlanOutcome::Absent(plan, _)) = &planned.outcome else {
        return (untouched(planned), None);
    };
    let compared = &planned.compared;
    let by = audit::person(cluster, wanted).await;
    let attempt = record::attempt(compared, plan, wanted.started, by);
    // From the first write on the pull loop leaves it alone, or no longer does.
    state.rolled_back_to = rollback(compared);
    if let Err(error) = state.begin(cluster, place, attempt).await {
        return (untouched(planned), Some(Finding::of(&error)));
    }
    let audited = audit::audited(compared, plan, cluster, wanted).await;
    let writing = audited.as_ref().map_or(cluster, |audited| audited as &dyn Cluster);
    let operation = operate(compared, plan, writing, (request, wanted, world), stops).await;
    let mut is_deleted = false;
    let written = match wanted.wish {
        // The record is the other run's by now.
        _ if stops.is_lost() => Ok(()),
        Wish::Delete(_) => {
            let ended = delete::end(compared, plan, &operation, state, (cluster, place)).await;
            ended.map(|deleted| is_deleted = deleted)
        }
        Wish::Sync { .. } | Wish::Reconcile { .. } | Wish::Rollback { .. } => {
            let tools = if record::is_of_note(compared, plan, &operation) {
                render::rendered_by(compared, request, world).await
            } else {
                Vec::new()
            };
            let id = compared.tracking(request).applyset_id;
            state.seen = seen::after(&state.seen, compared, &operation, wanted.started);
            let ended = record::ended(compared, (plan, &tools), &operation, &id, Timestamp::now());
            state.finish(cluster, place, ended).await
        }
    };
    if !stops.is_lost() {
        report_failure(&mut planned.conditions, &operation, wanted.wish);
    }
    let failed = written.err().map(|error| Finding::of(&error));
    (Performed { planned, operation: Some(operation), is_deleted }, failed)
}

/// Executes the plan.
async fn operate(
    compared: &Compared,
    plan: &Plan,
    cluster: &dyn Cluster,
    (request, wanted, world): (&Request, &SyncRequest, &World),
    stops: &Stops,
) -> Operation {
    let is_deletion = matches!(wanted.wish, Wish::Delete(_));
    let tracking = compared.tracking(request);
    let rules = Rules {
        tracking: &tracking,
        options: &compared.application.sync_policy.sync_options,
        adopt: wanted.flags.adopt,
        allow_shared: wanted.flags.allow_shared,
        approve: wanted.flags.approve,
        purpose: if is_deletion { ownership::Purpose::Deletion } else { ownership::Purpose::Prune },
    };
    let mut operation = tried(compared, plan, (cluster, rules), (request, wanted, world), stops).await;
    let is_held = |outcome: &StepOutcome| matches!(outcome.result, StepResult::Held { .. });
    let held = plan.held.iter().filter(|held| held.is_drift).count()
        + operation.steps.iter().filter(|outcome| is_held(outcome)).count();
    if operation.phase == OperationPhase::Succeeded && held > 0 {
        operation.message = format!("synced, except for {held} that were not applied");
    }
    operation
}

/// Refuses to apply an older state of git over what a run that began later has synced since. A rollback and a deletion mean it.
fn refuse_older(compared: &Compared, state: &State, wanted: &SyncRequest) -> Result<(), Finding> {
    if matches!(wanted.wish, Wish::Rollback { .. } | Wish::Delete(_)) {
        return Ok(());
    }
    let revisions = compared.revisions();
    let Some(attempt) = state.overtaker(wanted.started, &revisions) else { return Ok(()) };
    // What is still to come was written by a clock that is ahead of ours; that would refuse every run until then. What was
    // there when we looked is no reason to stop.
    if attempt.started > Timestamp::now() && compared.record.last_attempt() == state.last_attempt() {
        return Ok(());
    }
    let message = format!(
        "`{}` started after this run and applied revision {}; nothing was written",
        attempt.by,
        attempt.revisions.join(", ")
    );
    let help = format!("this run has {}; run it again to use the current revision", revisions.join(", "));
    Err(Finding::error(Code::SyncLocked, message).with_help(help))
}

/// A failure is an error of the application; the exit code is read from its code.
fn report_failure(conditions: &mut Conditions, operation: &Operation, wish: Wish) {
    let code = match operation.phase {
        OperationPhase::Succeeded => return,
        OperationPhase::Terminated => Code::SyncTerminated,
        _ if operation.failures().any(|failure| failure.kind == FailureKind::NotPermitted) => Code::SyncNotPermitted,
        _ if operation.failures().all(|failure| failure.kind == FailureKind::Unhealthy) => Code::SyncUnhealthy,
        _ => Code::SyncFailed,
    };
    let open = operation.steps.iter().filter(|outcome| outcome.result == StepResult::NotBegun).count();
    let what = if matches!(wish, Wish::Delete(_)) { "deletion" } else { "sync" };
    let finding =
        Finding::error(code, format!("the {what} did not finish")).with_cause(operation.message.clone()).with_help(
            format!("{open} of {} steps were not started; the next {what} continues from here", operation.steps.len()),
        );
    conditions.add(ConditionKind::SyncError, finding);
}

/// Runs the plan, and again as `syncPolicy.retry` says, while what failed may pass.
async fn tried(
    compared: &Compared,
    plan: &Plan,
    (cluster, rules): (&dyn Cluster, Rules<'_>),
    (request, wanted, world): (&Request, &SyncRequest, &World),
    stops: &Stops,
) -> Operation {
    let retry = compared.application.sync_policy.retry.clone();
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
            .waiting(&compared.application.name, &format!("retrying in {} s: {}", wait.as_secs(), operation.message));
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
