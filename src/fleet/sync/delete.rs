//! Deletes an application: everything that is provably its own, its hooks around it, and last what trueup kept about it.
//!
//! In: a request, and how its applications are deleted. Out: their targets, which are nothing but hooks; their plans; at the end the
//! state is taken away, or says what is left. What cannot be seen is not deleted, and so neither is the record that names it.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use jiff::Timestamp;

use super::plan::surplus;
use super::planned::{PlanOutcome, SyncStanding, Synced};
use super::{Delete, SyncRequest};
use crate::app::Application;
use crate::cluster::{Cluster, ClusterError, ListRequest, ObjectName};
use crate::finding::{Code, Finding};
use crate::fleet::application::{Built, Compared, Connected, Fetched, Left, Peers, Purpose, Rendered};
use crate::fleet::batch::Batch;
use crate::fleet::condition::ConditionKind;
use crate::fleet::live::silence_of;
use crate::fleet::stages::extras::is_outside;
use crate::fleet::stages::{connect, load, neighbours, permit};
use crate::fleet::targets::level;
use crate::fleet::{Request, World};
use crate::object::annotations::is_hook;
use crate::object::{Gap, GroupKind, Key, Object};
use crate::status::compare::Baseline;
use crate::sync::decide::Scope;
use crate::sync::plan::{self, Deleting, Plan, PlanInput, Wanted};
use crate::sync::state::{Ended, Place, State, StateError};
use crate::sync::{Operation, OperationPhase, StepResult};

/// Each application with the hooks that it is deleted with: git has nothing of one that goes, so that all of it is extra.
pub(crate) async fn render(
    applications: Batch<Application>,
    request: &mut Request,
    how: Delete,
    world: &World,
) -> Batch<Rendered> {
    if how.hooks && !how.orphan {
        let rendered = level(applications, request, &Purpose::Delete, world).await;
        let rendered = rendered.through(async |rendered| neighbours::introduce(rendered, request)).await;
        return rendered.map_left(hooks_unknown).advance(with_hooks);
    }
    let loaded = permit::readable(load::load(applications, request, &Purpose::Delete), request).map(Fetched::nothing);
    let connected = loaded.through(async |fetched| connect::connect(fetched, world, request.concurrency).await).await;
    connected.advance(|Connected { fetched, connection }| match connection {
        Ok(connection) => {
            let built = Built { fetched, tools: Vec::new(), target: Arc::default(), gaps: Vec::new() };
            Ok(Rendered { built, connection, hooks: Arc::default(), peers: Peers::default() })
        }
        Err(no) => Err(Left::before_rendering(Connected { fetched, connection: Err(no) })),
    })
}

/// The application with nothing but its hooks.
fn with_hooks(rendered: Rendered) -> Result<Rendered, Box<Left>> {
    // A file that cannot be read may hold hooks.
    if rendered.gaps.iter().any(Gap::is_certain) {
        let Built { fetched, tools, .. } = rendered.built;
        let cluster = Some(rendered.connection.cluster);
        return Err(Box::new(hooks_unknown(Left { fetched, cluster, tools, is_connected: true })));
    }
    let hooks = Arc::new(rendered.target.iter().filter(|object| is_hook(object)).cloned().collect());
    Ok(Rendered { hooks, ..rendered.with_target(Vec::new()) })
}

fn hooks_unknown(mut left: Left) -> Left {
    let message = "not deleted: its hooks are not known; nothing was written";
    let finding = Finding::error(Code::SyncHooksUnknown, message)
        .with_help("`--no-hooks` deletes it without hooks, and without git");
    left.fetched.loaded.conditions.add(ConditionKind::DeletionError, finding);
    left
}

/// Plans the deletion of one application.
pub(crate) async fn planned(
    compared: &Compared,
    how: Delete,
    request: &Request,
    wanted: &SyncRequest,
) -> Result<PlanOutcome, Vec<Finding>> {
    let hooks = hooks(compared, request).await.map_err(|finding| vec![finding])?;
    let (tracking, place) = (compared.tracking(request), compared.place(request));
    let revisions: Vec<String> = compared.revisions().into_iter().filter(|revision| !revision.is_empty()).collect();
    let input = PlanInput {
        application: &compared.application,
        scope: Scope { whole: true, apply: true, prune: true },
        flags: wanted.flags,
        cluster: compared.cluster().name(),
        tracking: &tracking,
        revisions: &revisions,
        wanted: &hooks,
        surplus: &surplus(compared),
        unread: compared.unread(),
        neighbours: &compared.peers.neighbours,
        kinds: compared.kinds(),
        namespace: None,
        baseline: compared.record.baseline.as_deref(),
        now: wanted.started,
    };
    let deleting = Deleting { orphan: how.orphan, propagation: how.propagation, state_namespace: &place.namespace };
    let plan = plan::delete(&input, &deleting).map_err(|refused| vec![Finding::of(&refused)])?;
    let is_absent = plan.is_empty() && !plan.held.iter().any(|held| held.is_drift) && compared.record.members.is_none();
    Ok(if is_absent {
        PlanOutcome::Absent(plan, "nothing of it is in the cluster".to_owned())
    } else {
        PlanOutcome::Execute(plan)
    })
}

/// Members that cannot be seen would outlive the record that names them.
pub(crate) fn refuse_unseen(compared: &Compared) -> Result<(), Finding> {
    let Some(members) = &compared.record.members else { return Ok(()) };
    if !compared.unlisted.is_empty() {
        let message = "not deleted: this account cannot list all kinds of its objects; nothing was written";
        return Err(Finding::error(Code::SyncNotPermitted, message)
            .with_help("grant the account `list`, `get` and `delete` on them"));
    }
    let kinds = compared.kinds();
    let is_outside = |kind: &&GroupKind| kinds.preferred(kind).is_some_and(|facts| is_outside(compared, facts, None));
    if let Some(kind) = members.kinds.iter().find(is_outside) {
        let message = format!(
            "not deleted: the cluster's Secret does not let all its objects of kind `{kind}` be managed; nothing was written"
        );
        return Err(Finding::error(Code::SyncNotPermitted, message)
            .with_help("add their namespaces to `namespaces` of the Secret, or `clusterResources: \"true\"`"));
    }
    let is_silent = |kind: &&GroupKind| kinds.preferred(kind).is_none() && silence_of(kinds, &kind.group).is_some();
    members.kinds.iter().find(is_silent).map_or(Ok(()), |kind| {
        let message = format!("not deleted: the API of its kind `{kind}` does not answer; nothing was written");
        Err(Finding::error(Code::SyncUnknown, message).with_help("fix the API, or remove it"))
    })
}

/// The application without the objects that carry its mark and are not its own: they are reported by the plan, and nothing that is
/// left of it.
pub(crate) fn without_strangers(mut synced: Synced) -> Synced {
    let Some(plan) = synced.outcome.plan() else { return synced };
    let held = plan.held.iter().filter(|held| !held.is_drift).map(|held| held.object.key());
    let outcomes = synced.operation.iter().flat_map(|operation| &operation.steps);
    let lost = outcomes.filter(|outcome| matches!(outcome.result, StepResult::Held { is_ours: false, .. }));
    let strangers: BTreeSet<Key> = held.chain(lost.map(|outcome| outcome.step.object.key())).collect();
    match &mut synced.standing {
        SyncStanding::Before(compared) | SyncStanding::Deleted(compared) => compared,
        SyncStanding::After(judged) => &mut judged.of,
    }
    .resources
    .retain(|resource| !strangers.contains(&resource.key()));
    synced
}

/// Each hook with its live object, which was not listed; and what earlier syncs left of those without a name.
async fn hooks(compared: &Compared, request: &Request) -> Result<Vec<Wanted>, Finding> {
    let looks = compared.hooks.iter().map(|hook| async move {
        if hook.name().is_empty() {
            let nameless = Wanted { target: Arc::new(hook.clone()), live: None, drift: None };
            return Ok(left_of(hook, compared).await?.into_iter().chain([nameless]).collect());
        }
        let live = compared.cluster().get(&name_of(hook)).await?;
        Ok(vec![Wanted { target: Arc::new(hook.clone()), live: live.map(Arc::new), drift: None }])
    });
    let found: Vec<Result<Vec<Wanted>, ClusterError>> =
        stream::iter(looks).buffered(request.concurrency.max(1)).collect().await;
    let found: Result<Vec<Vec<Wanted>>, ClusterError> = found.into_iter().collect();
    found.map(|found| found.into_iter().flatten().collect()).map_err(|error| Finding::of(&error))
}

async fn left_of(hook: &Object, compared: &Compared) -> Result<Vec<Wanted>, ClusterError> {
    let Ok(state) = &compared.record.state else { return Ok(Vec::new()) };
    let ObjectName { gvk, namespace, .. } = name_of(hook);
    match compared.cluster().list(&ListRequest { gvk, namespace, metadata_only: true }).await {
        Ok(live) => Ok(plan::made_of(hook, live, state.syncs())),
        // An account that cannot see them leaves them.
        Err(ClusterError::Forbidden { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Takes the state away when nothing is left of the application; else it says what is. Returns whether nothing is.
pub(crate) async fn end(
    compared: &Compared,
    plan: &Plan,
    operation: &Operation,
    mut state: State,
    (cluster, place): (&dyn Cluster, &Place),
) -> Result<bool, StateError> {
    // What was found to keep itself when it was to go is left like what was held before.
    let kept =
        operation.steps.iter().filter(|outcome| matches!(outcome.result, StepResult::Held { is_ours: true, .. }));
    let held = plan.held.iter().filter(|held| held.is_drift).map(|held| held.object.key());
    let left: Vec<Key> = held.chain(kept.map(|outcome| outcome.step.object.key())).collect();
    let succeeded = operation.phase == OperationPhase::Succeeded;
    if succeeded && left.is_empty() {
        state.remove(cluster, place).await?;
        return Ok(true);
    }
    let kept = |before: &Baseline| {
        let mut baseline = Baseline::new(before.revisions.clone());
        for key in &left {
            baseline.keep(before, key);
        }
        baseline
    };
    let ended = Ended {
        at: Timestamp::now(),
        phase: operation.phase,
        message: operation.message.clone(),
        baseline: compared.record.baseline.as_deref().filter(|_| succeeded).map(kept),
        left,
        unseen: compared.unseen.clone(),
        sources: None,
        is_entry: false,
        history_limit: compared.application.revision_history_limit,
    };
    state.finish(cluster, place, ended).await.map(|()| false)
}

fn name_of(object: &Object) -> ObjectName {
    let namespace = Some(object.namespace().to_owned()).filter(|namespace| !namespace.is_empty());
    ObjectName { gvk: object.gvk(), namespace, name: object.name().to_owned() }
}
