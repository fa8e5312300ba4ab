//! Reads what the last sync of each application left behind: the parent of its ApplySet.
//!
//! In: applications, and what was listed. Out: the same with their records. A parent that was listed costs nothing, any other
//! one GET. One that cannot be used is reported, and its application compared without it.

use std::sync::Arc;

use crate::cluster::{ClusterError, ObjectName};
use crate::finding::{Code, Finding, Severity};
use crate::fleet::Request;
use crate::fleet::application::{Listed, Members, Observed, Record};
use crate::fleet::applyset::mark_known;
use crate::fleet::batch::side_by_side;
use crate::fleet::condition::{ConditionKind, Conditions};
use crate::fleet::live::identity;
use crate::fleet::stages::neighbours::mark_moved;
use crate::object::{Key, Object};
use crate::status::compare::{Baseline, BaselineFault};
use crate::sync::state::{Place, State, StateError, StateFault};

/// Reads the records, and marks what they know in the targets.
pub(crate) async fn read(listed: Vec<Listed>, request: &Request) -> Vec<Observed> {
    side_by_side(listed, request.concurrency, async |listed| read_one(listed, request).await).await
}

/// Reads the record of one application.
pub(crate) async fn read_one(listed: Listed, request: &Request) -> Observed {
    let state = state(&listed, &listed.place(request)).await;
    observed(listed, state, request)
}

fn observed(mut listed: Listed, state: Result<State, StateError>, request: &Request) -> Observed {
    let mut conditions = Conditions::of(&listed.application.name);
    let record = match state {
        Ok(state) => taken(state, &mut conditions),
        Err(error) => {
            warn(&mut conditions, &error);
            Record { baseline: None, members: None, state: Err(error) }
        }
    };
    let applyset_id = listed.tracking(request).applyset_id;
    if let Some(baseline) = &record.baseline {
        let target: &mut Vec<Object> = Arc::make_mut(&mut listed.rendered.built.target);
        mark_known(target, Some(&**baseline), &applyset_id);
    }
    mark_moved(&mut listed.rendered, &listed.live, &applyset_id);
    Observed { listed, record, conditions }
}

/// The record of a state, taken out of it.
fn taken(mut state: State, conditions: &mut Conditions) -> Record {
    let members = members(&state);
    if let Some(doubt) = &state.doubt {
        warn(conditions, doubt);
    }
    for fault in state.faults.iter().filter(|fault| matches!(fault, StateFault::Record { .. })) {
        conditions.add(ConditionKind::BaselineWarning, Finding::of(fault));
    }
    let baseline = state.baseline.take().map(Arc::new);
    Record { baseline, members, state: Ok(state) }
}

/// Remarks about a record that cannot be read.
fn warn(conditions: &mut Conditions, error: &StateError) {
    match error {
        // Somebody else's ConfigMap of this name: sync has to say something about it. Who may not read it has no record, as
        // before the first sync.
        StateError::Foreign { .. } | StateError::NoNamespace | StateError::Cluster(ClusterError::Forbidden { .. }) => {}
        StateError::OtherApplication { .. } => {
            let finding = Finding { severity: Severity::Warning, ..Finding::of(error) };
            conditions.add(ConditionKind::BaselineWarning, finding);
        }
        StateError::Newer { parent, schema, .. } => {
            let fault = StateFault::Record { parent: parent.clone(), fault: BaselineFault::Newer(*schema) };
            conditions.add(ConditionKind::BaselineWarning, Finding::of(&fault));
        }
        error => {
            let finding = Finding::warning(Code::SyncRecord, "the last sync's record cannot be read")
                .with_cause(error.to_string())
                .with_help("the comparison is correct; only the fields' managers show which side changed");
            conditions.add(ConditionKind::BaselineWarning, finding);
        }
    }
}

async fn state(listed: &Listed, place: &Place) -> Result<State, StateError> {
    if place.namespace.is_empty() {
        return Err(StateError::NoNamespace);
    }
    let Some(parent) = config_map(listed, place.parent()).await? else { return Ok(State::default()) };
    let mut parts = Vec::new();
    for name in Baseline::part_names(&parent) {
        parts.extend(config_map(listed, place.config_map(name)).await?);
    }
    State::of(place, parent, &parts)
}

async fn config_map(listed: &Listed, wanted: ObjectName) -> Result<Option<Object>, ClusterError> {
    let cluster = identity(&listed.connection.cluster);
    let namespace = wanted.namespace.clone().unwrap_or_default();
    if let Some(Ok(objects)) = listed.live.listing(cluster, &wanted.gvk, Some(&namespace)) {
        let key = Key { group: String::new(), kind: wanted.gvk.kind, namespace, name: wanted.name };
        return Ok(objects.get(&key).map(|object| Object::clone(object)));
    }
    listed.cluster().get(&wanted).await
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
