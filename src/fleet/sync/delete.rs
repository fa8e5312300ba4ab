//! Deletes an application: everything that is provably its own, its hooks around it, and last what trueup kept about it.
//!
//! In: turns, and how they are deleted. Out: their targets, which are nothing but hooks; their plans; at the end the state is
//! taken away, or says what is left. What cannot be seen is not deleted, and so neither is the record that names it.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use jiff::Timestamp;

use crate::app::InvalidApplication;
use crate::cluster::{Cluster, ClusterError, ListRequest, ObjectName};
use crate::finding::Finding;
use crate::finding::codes::NOT_PERMITTED;
use crate::fleet::condition::ConditionKind;
use crate::fleet::stages::list;
use crate::fleet::stages::list::silence_of;
use crate::fleet::stages::settings;
use crate::fleet::sync::plan::surplus;
use crate::fleet::sync::{Delete, SyncRequest};
use crate::fleet::turn::{self, Turn};
use crate::fleet::{Request, World};
use crate::object::annotations::is_hook;
use crate::object::{Gap, GroupKind, Key, Object};
use crate::status::compare::Baseline;
use crate::sync::decide::Scope;
use crate::sync::plan::{self, Deleting, Plan, PlanInput, Wanted};
use crate::sync::state::{Ended, Place, State, StateError};
use crate::sync::{Operation, OperationPhase, StepResult};

/// The hooks of each application, set aside: git has nothing of one that goes, so that all of it is extra.
pub(crate) async fn targets(
    request: &mut Request,
    how: Delete,
    world: &World,
) -> (Vec<Turn>, Vec<(usize, InvalidApplication)>) {
    let has_hooks = how.hooks && !how.orphan;
    let (mut turns, invalid) = if has_hooks {
        crate::fleet::targets(request, world).await
    } else {
        settings::read(request, world).await;
        turn::leave_alone(request);
        let (mut turns, invalid) = turn::begin(request);
        list::connect(&mut turns, world, request.concurrency).await;
        (turns, invalid)
    };
    for turn in &mut turns {
        turn.is_going = true;
        // A file that cannot be read may hold hooks.
        let is_known = !turn.gaps.iter().any(Gap::is_certain);
        match turn.target.take().filter(|_| is_known) {
            Some(target) => turn.hooks = target.iter().filter(|object| is_hook(object)).cloned().collect(),
            None if has_hooks => {
                let message = "not deleted: its hooks are not known; nothing was written";
                let finding = Finding::error("trueup::sync::hooks_unknown", message)
                    .with_help("`--no-hooks` deletes it without hooks, and without git");
                turn.condition(ConditionKind::DeletionError, finding);
                continue;
            }
            None => {}
        }
        turn.target = Some(Arc::default());
    }
    (turns, invalid)
}

/// Plans the deletion of one application.
pub(crate) async fn planned(
    turn: &mut Turn,
    how: Delete,
    request: &Request,
    wanted: &SyncRequest,
) -> Result<Plan, Vec<Finding>> {
    let (Some(cluster), Some(kinds)) = (turn.cluster.clone(), turn.kinds.clone()) else { return Err(Vec::new()) };
    let hooks = hooks(turn, &*cluster, request).await.map_err(|finding| vec![finding])?;
    let (tracking, place) = (turn.tracking(request), turn.place(request));
    let revisions: Vec<String> =
        turn.sources.iter().map(|source| source.revision.clone()).filter(|revision| !revision.is_empty()).collect();
    let input = PlanInput {
        application: &turn.application,
        scope: Scope { whole: true, apply: true, prune: true },
        flags: wanted.flags,
        cluster: cluster.name(),
        tracking: &tracking,
        revisions: &revisions,
        wanted: &hooks,
        surplus: &surplus(turn),
        unread: turn.unread(),
        neighbours: &turn.neighbours,
        kinds: &kinds,
        namespace: None,
        baseline: turn.baseline.as_deref(),
        now: wanted.started,
    };
    let deleting = Deleting { orphan: how.orphan, propagation: how.propagation, state_namespace: &place.namespace };
    let plan = plan::delete(&input, &deleting).map_err(|refused| vec![Finding::of(&refused)])?;
    if plan.is_empty() && !plan.held.iter().any(|held| held.is_drift) && turn.members.is_none() {
        turn.left = Some("nothing of it is in the cluster".to_owned());
    }
    Ok(plan)
}

/// Members that cannot be seen would outlive the record that names them.
pub(crate) fn refuse_unseen(turn: &Turn) -> Result<(), Finding> {
    let (Some(members), Some(kinds)) = (&turn.members, &turn.kinds) else { return Ok(()) };
    if !turn.unlisted.is_empty() {
        let message = "not deleted: this account cannot list all kinds of its objects; nothing was written";
        return Err(Finding::error(NOT_PERMITTED, message).with_help(
            "grant the account `list`, `get` and `delete` on \
             them",
        ));
    }
    let is_silent = |kind: &&GroupKind| kinds.preferred(kind).is_none() && silence_of(kinds, &kind.group).is_some();
    members.kinds.iter().find(is_silent).map_or(Ok(()), |kind| {
        let message = format!("not deleted: the API of its kind `{kind}` does not answer; nothing was written");
        Err(Finding::error("trueup::sync::unknown", message).with_help("fix the API, or remove it"))
    })
}

/// An object that carries our mark and is not ours is reported, and is nothing that is left of the application.
pub(crate) fn forget_what_is_not_ours(turn: &mut Turn) {
    let Some(plan) = &turn.plan else { return };
    let held = plan.held.iter().filter(|held| !held.is_drift).map(|held| held.object.key());
    let outcomes = turn.operation.iter().flat_map(|operation| &operation.steps);
    let lost = outcomes.filter(|outcome| matches!(outcome.result, StepResult::Held { is_ours: false, .. }));
    let strangers: BTreeSet<Key> = held.chain(lost.map(|outcome| outcome.step.object.key())).collect();
    turn.resources.retain(|resource| !strangers.contains(&resource.key()));
}

/// Each hook with its live object, which was not listed; and what earlier syncs left of those without a name.
async fn hooks(turn: &Turn, cluster: &dyn Cluster, request: &Request) -> Result<Vec<Wanted>, Finding> {
    let looks = turn.hooks.iter().map(|hook| async move {
        if hook.name().is_empty() {
            let nameless = Wanted { target: Arc::new(hook.clone()), live: None, drift: None };
            return Ok(left_of(hook, turn, cluster).await?.into_iter().chain([nameless]).collect());
        }
        let live = cluster.get(&name_of(hook)).await?;
        Ok(vec![Wanted { target: Arc::new(hook.clone()), live: live.map(Arc::new), drift: None }])
    });
    let found: Vec<Result<Vec<Wanted>, ClusterError>> =
        stream::iter(looks).buffered(request.concurrency.max(1)).collect().await;
    let found: Result<Vec<Vec<Wanted>>, ClusterError> = found.into_iter().collect();
    found.map(|found| found.into_iter().flatten().collect()).map_err(|error| Finding::of(&error))
}

async fn left_of(hook: &Object, turn: &Turn, cluster: &dyn Cluster) -> Result<Vec<Wanted>, ClusterError> {
    let Some(Ok(state)) = &turn.state else { return Ok(Vec::new()) };
    let ObjectName { gvk, namespace, .. } = name_of(hook);
    match cluster.list(&ListRequest { gvk, namespace, metadata_only: true }).await {
        Ok(live) => Ok(plan::made_of(hook, live, state.syncs())),
        // An account that cannot see them leaves them.
        Err(ClusterError::Forbidden { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Takes the state away when nothing is left of the application; else it says what is.
pub(crate) async fn end(
    turn: &mut Turn,
    plan: &Plan,
    operation: &Operation,
    mut state: State,
    (cluster, place): (&dyn Cluster, &Place),
) -> Result<(), StateError> {
    // What was found to keep itself when it was to go is left like what was held before.
    let kept =
        operation.steps.iter().filter(|outcome| matches!(outcome.result, StepResult::Held { is_ours: true, .. }));
    let held = plan.held.iter().filter(|held| held.is_drift).map(|held| held.object.key());
    let left: Vec<Key> = held.chain(kept.map(|outcome| outcome.step.object.key())).collect();
    let succeeded = operation.phase == OperationPhase::Succeeded;
    if succeeded && left.is_empty() {
        state.remove(cluster, place).await?;
        turn.is_deleted = true;
        turn.target = None;
        return Ok(());
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
        baseline: turn.baseline.as_deref().filter(|_| succeeded).map(kept),
        left,
        unseen: turn.unseen.clone(),
        sources: None,
        is_entry: false,
        history_limit: turn.application.revision_history_limit,
    };
    state.finish(cluster, place, ended).await
}

fn name_of(object: &Object) -> ObjectName {
    let namespace = Some(object.namespace().to_owned()).filter(|namespace| !namespace.is_empty());
    ObjectName { gvk: object.gvk(), namespace, name: object.name().to_owned() }
}
