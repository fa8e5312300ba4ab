//! Syncs applications in turn: those that others wait for first, and the others when these are synced and healthy.
//!
//! In: planned applications. Out: the same, performed. What waited is rendered, compared and planned again before it is
//! performed, where anything was written meanwhile. What waits for an application that failed or did not become healthy in
//! time is left, and says so.

use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use tokio::time::Instant;

use super::again::refreshed;
use super::order::{Order, Rollout, Subject, Turn};
use super::planned::{Performed, PlanOutcome, Planned};
use super::{SyncRequest, Wish, perform, plan};
use crate::app::Application;
use crate::app::appset::RolloutPlace;
use crate::finding::{Code, Finding, Severity};
use crate::fleet::application::{OnCluster, Purpose, Rendered};
use crate::fleet::batch::{Batch, Standing, side_by_side};
use crate::fleet::commands::wait::{self, Ending, Goal, Others, Patience};
use crate::fleet::condition::{Condition, ConditionKind};
use crate::fleet::observe::observe_all;
use crate::fleet::targets::{level, without_unserved};
use crate::fleet::{Request, World};
use crate::object::annotations::DEPENDS_ON;
use crate::progress::Progress;
use crate::status::{ResourceDrift, ResourceState};
use crate::sync::OperationPhase;

/// A wait that has no end ends here.
const LONGEST_WAIT: Duration = Duration::from_secs(30 * 24 * 3600);

/// The applications with what is wrong with their order: circles are errors.
pub(crate) fn check(planned: Batch<Planned>, request: &Request, wish: Wish) -> Batch<Planned> {
    if !is_ordered(wish) {
        return planned;
    }
    let Subjects { subjects, going } = Subjects::of(&planned, request);
    let order = Order::of(&subjects);
    let mut faults: Vec<Vec<Finding>> = subjects.iter().map(|_| Vec::new()).collect();
    for cycle in &order.cycles {
        let path = cycle.iter().chain(cycle.first()).map(|place| subjects[*place].name.to_string());
        let message = format!("not synced: Applications wait for each other: {}", path.collect::<Vec<_>>().join(" → "));
        let finding = Finding::error(Code::SyncDependencyCycle, message)
            .with_help(format!("remove one of them from `{DEPENDS_ON}`, or change its sync wave"));
        for place in cycle {
            faults[*place].push(finding.clone());
        }
    }
    for (place, wanted) in &order.unknown {
        let message = format!("`{wanted}` of `{DEPENDS_ON}` is not in this run, and is not waited for");
        faults[*place].push(Finding::warning(Code::SyncDependencyUnknown, message));
    }
    let mut places = going.into_iter();
    planned.map(|planned| {
        let faults = places.next().map(|place| std::mem::take(&mut faults[place]));
        with_faults(planned, faults.unwrap_or_default())
    })
}

/// Only where git's state is applied there is an order between applications.
fn is_ordered(wish: Wish) -> bool {
    matches!(wish, Wish::Sync { .. } | Wish::Reconcile { .. })
}

/// Every application of a run, as far as its order is concerned.
struct Subjects {
    subjects: Vec<Subject>,
    /// The places of those that are planned.
    going: Vec<usize>,
}

impl Subjects {
    fn of(planned: &Batch<Planned>, request: &Request) -> Self {
        let namespace = &request.argocd_namespace;
        let (mut subjects, mut going) = (Vec::new(), Vec::new());
        for standing in planned.standings() {
            let subject = match standing {
                Standing::Going(planned) => {
                    going.push(subjects.len());
                    subject(&planned.compared.application, namespace)
                }
                Standing::Left(left) => subject(&left.application, namespace),
                Standing::Invalid(invalid) => {
                    let parent = invalid.lineage.parent.clone();
                    let name = invalid.qualified_name(namespace).unwrap_or_default();
                    Subject { name, parent, wave: invalid.lineage.wave, ..Subject::default() }
                }
            };
            subjects.push(subject);
        }
        Self { subjects, going }
    }
}

fn subject(application: &Application, namespace: &str) -> Subject {
    let lineage = &application.lineage;
    let depends_on = application.annotations.get(DEPENDS_ON).map(String::as_str).unwrap_or_default();
    let depends_on = depends_on.split(',').map(str::trim).filter(|name| !name.is_empty());
    let rollout = match (&lineage.generated_by, lineage.rollout) {
        (Some(set), RolloutPlace::Step(step)) => Some((set.clone(), step)),
        _ => None,
    };
    Subject {
        name: application.qualified_name(namespace),
        parent: lineage.parent.clone(),
        wave: lineage.wave,
        depends_on: depends_on.map(str::to_owned).collect(),
        rollout,
    }
}

fn with_faults(mut planned: Planned, faults: Vec<Finding>) -> Planned {
    for fault in faults {
        let is_error = fault.severity == Severity::Error;
        let kind = if is_error { ConditionKind::SyncError } else { ConditionKind::SyncWarning };
        planned.conditions.add(kind, fault);
        if is_error {
            planned = refused(planned);
        }
    }
    planned
}

/// The application with a plan that must not be carried out.
fn refused(planned: Planned) -> Planned {
    let outcome = match planned.outcome {
        PlanOutcome::Execute(plan) => PlanOutcome::Refused(plan),
        outcome => outcome,
    };
    Planned { outcome, ..planned }
}

/// Carries out every plan, in turn where one application waits for another.
pub(crate) async fn perform(
    planned: Batch<Planned>,
    request: &Request,
    wanted: &SyncRequest,
    world: &World,
) -> Batch<Performed> {
    let perform_one = async |planned| Box::pin(perform::perform(planned, request, wanted, world)).await;
    let found = Subjects::of(&planned, request);
    let order = Order::of(&found.subjects);
    if !is_ordered(wanted.wish) || (order.is_free() && order.cycles.is_empty()) {
        return planned.each(request.concurrency, perform_one).await;
    }
    let judging = Request { health: Some(std::sync::Arc::clone(&wanted.judge)), ..request.clone() };
    let (planned, places) = planned.split();
    let mut run = InTurn::of(found, planned, (&judging, wanted, world));
    let mut rollout = Rollout::of(&order);
    loop {
        let Turn { ready, blocked } = rollout.turn();
        if ready.is_empty() && blocked.is_empty() {
            break;
        }
        for (place, cause) in blocked {
            run.leave(place, cause);
        }
        for (place, is_working) in run.start(ready, &order).await {
            rollout.settle(place, is_working);
        }
    }
    places.join(run.end())
}

/// A run that goes on.
struct InTurn<'run> {
    subjects: Vec<Subject>,
    going: Vec<usize>,
    /// Those that have not been started, by place.
    planned: Vec<Option<Planned>>,
    /// What came of the others, by place.
    performed: Vec<Option<Performed>>,
    /// Why an application did not come to work, by place.
    failures: Vec<Option<Failure>>,
    /// Whether anything was written since the plans were made.
    has_written: bool,
    context: (&'run Request, &'run SyncRequest, &'run World),
}

/// Why what waits for an application is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    NotSynced,
    NotHealthy,
    /// Its sync policy leaves its drift.
    Left,
    /// The run was stopped.
    Stopped,
}

impl<'run> InTurn<'run> {
    fn of(
        Subjects { subjects, going }: Subjects,
        planned: Vec<Planned>,
        context: (&'run Request, &'run SyncRequest, &'run World),
    ) -> Self {
        let mut waiting: Vec<Option<Planned>> = subjects.iter().map(|_| None).collect();
        for (place, planned) in going.iter().zip(planned) {
            waiting[*place] = Some(planned);
        }
        let (performed, failures) = (subjects.iter().map(|_| None).collect(), subjects.iter().map(|_| None).collect());
        Self { subjects, going, planned: waiting, performed, failures, has_written: false, context }
    }

    /// What became of all that were planned, in their order; what was never started is as it was planned.
    fn end(mut self) -> Vec<Performed> {
        let (planned, performed) = (&mut self.planned, &mut self.performed);
        let one = |place: &usize| performed[*place].take().or_else(|| planned[*place].take().map(perform::untouched));
        self.going.iter().filter_map(one).collect()
    }

    /// Leaves an application because of another one.
    fn leave(&mut self, place: usize, cause: usize) {
        let failure = self.failures[cause].unwrap_or(Failure::NotSynced);
        self.failures[place] = Some(failure);
        let Some(mut planned) = self.planned[place].take() else { return };
        let (code, why) = match failure {
            Failure::NotSynced => (Code::SyncFailed, "was not synced"),
            Failure::NotHealthy => (Code::SyncUnhealthy, "is not healthy"),
            Failure::Left => {
                if planned.outcome.plan().is_some_and(|plan| !plan.is_empty()) {
                    let name = &self.subjects[cause].name;
                    planned.outcome =
                        PlanOutcome::Left(format!("it waits for `{name}`, which its sync policy leaves out of sync"));
                }
                self.performed[place] = Some(perform::untouched(planned));
                return;
            }
            Failure::Stopped => return self.performed[place] = Some(perform::untouched(planned)),
        };
        // Nothing was to be done: then nothing is left undone.
        if planned.outcome.plan().is_some_and(|plan| !plan.is_empty()) {
            let message =
                format!("not synced: it waits for `{}`, which {why}; nothing was written", self.subjects[cause].name);
            planned.conditions.add(ConditionKind::SyncError, Finding::error(code, message));
        }
        self.performed[place] = Some(perform::untouched(refused(planned)));
    }

    /// Performs these side by side, and waits for the health of those that others wait for.
    async fn start(&mut self, ready: Vec<usize>, order: &Order) -> Vec<(usize, bool)> {
        let (request, wanted, world) = self.context;
        let is_stopped = wanted.stop.is_cancelled();
        let (mut places, mut group, mut settled) = (Vec::new(), Vec::new(), Vec::new());
        for place in ready {
            match self.planned[place].take() {
                Some(planned) if !is_stopped => {
                    places.push(place);
                    group.push(planned);
                }
                Some(planned) => {
                    self.performed[place] = Some(perform::untouched(planned));
                    self.failures[place] = Some(Failure::Stopped);
                    settled.push((place, false));
                }
                None => {
                    self.failures[place] = Some(Failure::NotSynced);
                    settled.push((place, false));
                }
            }
        }
        let group = if self.has_written { planned_again(group, request, wanted, world).await } else { group };
        let group = places.iter().zip(group).map(|(place, planned)| held_back(planned, order.never.contains(place)));
        let perform = async |planned| Box::pin(perform::perform(planned, request, wanted, world)).await;
        let performed = side_by_side(group.collect(), request.concurrency, perform).await;
        let has_steps = |performed: &Performed| performed.operation.as_ref().is_some_and(|it| !it.steps.is_empty());
        self.has_written |= performed.iter().any(has_steps);
        let looked = places.into_iter().zip(performed).map(|(place, performed)| async move {
            if !is_synced(&performed) {
                let is_left = matches!(performed.planned.outcome, PlanOutcome::Left(_)) && is_without_error(&performed);
                let failure = if is_left { Failure::Left } else { Failure::NotSynced };
                return (place, performed, Some(failure));
            }
            let unhealthy =
                if order.is_awaited(place) { unhealthy(&performed, request, wanted, world).await } else { None };
            let Some(finding) = unhealthy else { return (place, performed, None) };
            let mut performed = performed;
            performed.planned.conditions.add(ConditionKind::SyncError, finding);
            (place, performed, Some(Failure::NotHealthy))
        });
        let looked: Vec<_> = stream::iter(looked).buffered(request.concurrency.max(1)).collect().await;
        for (place, performed, failure) in looked {
            settled.push((place, failure.is_none()));
            self.failures[place] = failure;
            self.performed[place] = Some(performed);
        }
        settled
    }
}

/// An application that its rollout never starts keeps what it has.
fn held_back(mut planned: Planned, is_never_started: bool) -> Planned {
    if !is_never_started || planned.outcome.plan().is_none_or(crate::sync::plan::Plan::is_empty) {
        return planned;
    }
    let message = "not synced: `maxUpdate` of its step in the rollout of its ApplicationSet is 0";
    planned.conditions.add(ConditionKind::SyncWarning, Finding::warning(Code::SyncOdd, message));
    refused(planned)
}

/// Whether all of an application is what git says, as far as this run was to make it so.
fn is_synced(performed: &Performed) -> bool {
    if !is_without_error(performed) {
        return false;
    }
    let Performed { planned, operation, .. } = performed;
    let is_open = |resource: &ResourceDrift| {
        resource.is_drift() && matches!(resource.state, ResourceState::Changed | ResourceState::Missing)
    };
    match operation {
        Some(operation) => operation.phase == OperationPhase::Succeeded,
        None => !planned.compared.resources.iter().any(is_open),
    }
}

/// Whether nothing went wrong with an application.
pub(super) fn is_without_error(performed: &Performed) -> bool {
    let Performed { planned, operation, .. } = performed;
    let has_error = |condition: &Condition| condition.finding.severity == Severity::Error;
    let conditions = planned.compared.all_conditions().and(&planned.conditions);
    let has_failed = operation.as_ref().is_some_and(|operation| operation.phase != OperationPhase::Succeeded);
    !has_failed && !conditions.iter().any(has_error)
}

/// Waits until an application is healthy; the reason where it does not become so.
async fn unhealthy(performed: &Performed, request: &Request, wanted: &SyncRequest, world: &World) -> Option<Finding> {
    let rendered = match &performed.planned.git {
        Some(git) => Rendered::clone(git),
        None => performed.planned.compared.listed().rendered.clone(),
    };
    let rendered = refreshed(rendered).await;
    let timeout = wanted.wave_timeout.min(LONGEST_WAIT);
    let patience = Patience { goal: Goal::Healthy, timeout, interval: Duration::from_secs(1), ignores_degraded: false };
    let others = Others::of(&Batch::<Rendered>::of([]));
    let world = World { progress: Progress::silent(), ..world.clone() };
    let ends = Instant::now() + timeout;
    let waiting = wait::until(vec![rendered], others, request, &world, patience, ends);
    let ending = tokio::select! {
        (_, ending) = waiting => ending,
        () = wanted.stop.cancelled() => return Some(Finding::error(Code::SyncTerminated, "stopped while waiting for its health")),
    };
    let message = "synced, but not healthy: what waits for it is not synced";
    let finding =
        Finding::error(Code::SyncUnhealthy, message).with_help("`trueup health` says why; `--timeout` waits longer");
    match ending {
        Ending::Reached => None,
        Ending::Failed => Some(finding.with_cause("its health is not known")),
        Ending::Degraded(what) => Some(finding.with_cause(what.join("; "))),
        Ending::TimedOut(what) => {
            Some(finding.with_cause(format!("after {} s still waiting for {}", timeout.as_secs(), what.join("; "))))
        }
    }
}

/// Renders, compares and plans again.
async fn planned_again(group: Vec<Planned>, request: &Request, wanted: &SyncRequest, world: &World) -> Vec<Planned> {
    let world = &World { progress: Progress::silent(), ..world.clone() };
    let applications = group.iter().map(|planned| Ok(Application::clone(&planned.compared.application)));
    let rendered = level(Batch::of(applications), &mut request.clone(), &Purpose::Keep, world).await;
    let rendered = if request.with_children { rendered.map(without_unserved) } else { rendered };
    let mut peers = group.iter().map(|planned| planned.compared.peers.clone()).collect::<Vec<_>>().into_iter();
    // One that could not be rendered is not in the way of the others: each keeps the neighbours that it had.
    let mut rendered_of = Vec::new();
    let mut others = Vec::new();
    for standing in rendered.into_results() {
        let peers = peers.next().unwrap_or_default();
        match standing {
            Ok(rendered) => rendered_of.push(Rendered { peers, ..rendered }),
            Err(conditions) => others.push((rendered_of.len() + others.len(), conditions)),
        }
    }
    let compared = observe_all(rendered_of, request, world).await;
    let plan = async |compared| Box::pin(plan::plan(compared, request, wanted, world)).await;
    let mut planned = side_by_side(compared, request.concurrency, plan).await.into_iter();
    let mut others = others.into_iter().peekable();
    let again =
        group.into_iter().enumerate().filter_map(|(place, before)| match others.next_if(|(at, _)| *at == place) {
            Some((_, conditions)) => {
                let conditions = before.conditions.clone().and(&conditions);
                Some(refused(Planned { conditions, ..before }))
            }
            None => planned.next(),
        });
    again.collect()
}
