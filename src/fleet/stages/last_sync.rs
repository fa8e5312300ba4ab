//! Reads what the last sync of each application left behind: the parent of its ApplySet.
//!
//! In: the turns, and what was listed. Out: a baseline for each turn that has one. A parent that was listed costs
//! nothing, any other one GET. One that cannot be used is reported, and its application compared without it.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use crate::cluster::{ClusterError, ObjectName};
use crate::finding::{Finding, Severity};
use crate::fleet::Request;
use crate::fleet::applyset::mark_known;
use crate::fleet::condition::ConditionKind;
use crate::fleet::stages::list::{Live, identity};
use crate::fleet::stages::neighbours::mark_moved;
use crate::fleet::turn::{Members, Turn};
use crate::object::{Key, Object};
use crate::status::compare::{Baseline, BaselineFault};
use crate::sync::state::{Place, State, StateError, StateFault};

pub(crate) async fn read(turns: &mut [Turn], live: &Live, request: &Request) {
    let turns_of_interest = turns.iter().enumerate().filter(|(_, turn)| turn.target.is_some() && turn.kinds.is_some());
    let mut states = stream::iter(
        turns_of_interest.map(|(index, turn)| async move { (index, state(turn, live, &turn.place(request)).await) }),
    )
    .buffer_unordered(request.concurrency.max(1))
    .collect::<Vec<_>>()
    .await;
    states.sort_by_key(|(index, _)| *index);
    for (index, state) in states {
        let turn = &mut turns[index];
        // A wait reads it again and again, and it may be gone by then.
        turn.baseline = None;
        turn.state = Some(match state {
            Ok(state) => Ok(take(turn, state)),
            Err(error) => {
                warn(turn, &error);
                Err(error)
            }
        });
    }
    mark(turns, request);
    for turn in turns {
        let applyset_id = turn.tracking(request).applyset_id;
        mark_moved(turn, live, &applyset_id);
    }
}

/// Remarks about a record that cannot be read.
fn warn(turn: &mut Turn, error: &StateError) {
    match error {
        // Somebody else's ConfigMap of this name: sync has to say something about it. Who may not read it has no record, as
        // before the first sync.
        StateError::Foreign { .. } | StateError::NoNamespace | StateError::Cluster(ClusterError::Forbidden { .. }) => {}
        StateError::OtherApplication { .. } => {
            let finding = Finding { severity: Severity::Warning, ..Finding::of(error) };
            turn.condition(ConditionKind::BaselineWarning, finding);
        }
        StateError::Newer { parent, schema, .. } => {
            let fault = StateFault::Record { parent: parent.clone(), fault: BaselineFault::Newer(*schema) };
            turn.condition(ConditionKind::BaselineWarning, Finding::of(&fault));
        }
        error => {
            let finding = Finding::warning("trueup::sync::record", "the last sync's record cannot be read")
                .with_cause(error.to_string())
                .with_help("the comparison is correct; only the fields' managers show which side changed");
            turn.condition(ConditionKind::BaselineWarning, finding);
        }
    }
}

/// Marks what the last sync applied as it was applied: with the label of its ApplySet.
pub(crate) fn mark(turns: &mut [Turn], request: &Request) {
    for turn in turns {
        let applyset_id = turn.tracking(request).applyset_id;
        if let Some(target) = turn.target.as_mut().filter(|_| turn.baseline.is_some()) {
            let target: &mut Vec<Object> = Arc::make_mut(target);
            mark_known(target, turn.baseline.as_deref(), &applyset_id);
        }
    }
}

async fn state(turn: &Turn, live: &Live, place: &Place) -> Result<State, StateError> {
    if place.namespace.is_empty() {
        return Err(StateError::NoNamespace);
    }
    let Some(parent) = config_map(turn, live, place.parent()).await? else { return Ok(State::default()) };
    let mut parts = Vec::new();
    for name in Baseline::part_names(&parent) {
        parts.extend(config_map(turn, live, place.config_map(name)).await?);
    }
    State::of(place, parent, &parts)
}

async fn config_map(turn: &Turn, live: &Live, wanted: ObjectName) -> Result<Option<Object>, ClusterError> {
    let Some(cluster) = &turn.cluster else { return Ok(None) };
    let namespace = wanted.namespace.clone().unwrap_or_default();
    if let Some(Ok(listed)) = live.listing(identity(cluster), &wanted.gvk, Some(&namespace)) {
        let key = Key { group: String::new(), kind: wanted.gvk.kind, namespace, name: wanted.name };
        return Ok(listed.get(&key).map(|listed| Object::clone(listed)));
    }
    cluster.get(&wanted).await
}

/// Takes what the state has; what is left of it is all but the record.
fn take(turn: &mut Turn, mut state: State) -> State {
    turn.last_attempt = state.last_attempt();
    turn.rolled_back_to = state.rolled_back_to;
    turn.members = members(&state).map(Arc::new);
    if let Some(doubt) = &state.doubt {
        warn(turn, doubt);
    }
    for fault in state.faults.iter().filter(|fault| matches!(fault, StateFault::Record { .. })) {
        turn.condition(ConditionKind::BaselineWarning, Finding::of(fault));
    }
    if let Some(baseline) = state.baseline.take() {
        for (source, revision) in turn.sources.iter_mut().zip(&baseline.revisions) {
            source.last_synced_revision.clone_from(revision);
        }
        turn.baseline = Some(Arc::new(baseline));
    }
    state
}

/// Where members may be: the parent's annotations are for other tools, too, and anybody can edit them; the record knows what
/// was applied.
fn members(state: &State) -> Option<Members> {
    let (kinds, namespaces) = state.members()?;
    let (mut kinds, mut namespaces) = (kinds.clone(), namespaces.clone());
    let mut is_certain = !kinds.is_empty();
    if let Some(baseline) = &state.baseline {
        // Both are written at once: a parent that does not name what the record does was edited. Where neither names any, all
        // there ever was are hooks.
        is_certain = baseline.kinds().is_subset(&kinds);
        kinds.extend(baseline.kinds());
        namespaces.extend(baseline.namespaces().into_iter().filter(|namespace| !namespace.is_empty()));
    }
    let is_edited = state.faults.iter().any(|fault| matches!(fault, StateFault::Record { .. }));
    Some(Members { is_certain: is_certain && !is_edited, kinds, namespaces })
}
