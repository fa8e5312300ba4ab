//! Writes the state: by `create` where there is none, by `replace` of exactly what was read where there is.
//!
//! In: a state, and the parent as it was seen. Out: the parent as the cluster has it now. Whoever changed it meanwhile
//! is a person, for the lock is held: it is read again, and what is not ours in it stays.

use super::parent::{self, Written};
use super::{Place, State, StateError};
use crate::cluster::{Cluster, ObjectName, Propagation, Reason, Refusal, Validation, Writing, Written as Answer};
use crate::object::Object;
use crate::status::compare::Baseline;
use crate::sync::ownership::{Claim, Removal, delete};

/// How often it is tried against somebody who writes, too.
const TRIES: usize = 5;

/// Writes everything but the record.
pub(super) async fn attempted(cluster: &dyn Cluster, place: &Place, state: &State) -> Result<Object, StateError> {
    let mut live = state.parent.clone();
    for _ in 0..TRIES {
        let parent = parent::attempted(state, place, live.as_ref());
        match put(cluster, parent, live.is_some()).await? {
            PutOutcome::Done(parent) => return Ok(parent),
            PutOutcome::Stale => live = again(cluster, place).await?,
        }
    }
    Err(StateError::Contended { name: place.name.clone() })
}

/// Writes everything: the parts of the record first, then the parent that names them; then those of the record before
/// it go.
pub(super) async fn ended(cluster: &dyn Cluster, place: &Place, state: &State) -> Result<Object, StateError> {
    let mut live = state.parent.clone();
    for _ in 0..TRIES {
        let Written { parent, parts } = parent::ended(state, place, live.as_ref());
        let names: Vec<String> = parts.iter().map(|part| part.name().to_owned()).collect();
        for part in parts {
            put_part(cluster, place, part).await?;
        }
        match put(cluster, parent, live.is_some()).await? {
            PutOutcome::Done(parent) => {
                let before = live.as_ref().map(Baseline::part_names).unwrap_or_default();
                clean(cluster, place, before.into_iter().filter(|name| !names.contains(name))).await;
                return Ok(parent);
            }
            PutOutcome::Stale => live = again(cluster, place).await?,
        }
    }
    Err(StateError::Contended { name: place.name.clone() })
}

/// Deletes the parts of the record, and then the parent.
pub(super) async fn removed(cluster: &dyn Cluster, place: &Place, parent: &Object) -> Result<(), StateError> {
    clean(cluster, place, Baseline::part_names(parent).into_iter()).await;
    match delete(cluster, &place.parent(), &Claim::Parent(place), Propagation::Background).await? {
        // What is not this application's parent is none of its business.
        Removal::Gone | Removal::Going | Removal::Absent | Removal::Stays(_) => Ok(()),
        Removal::Refused(refusal) => Err(StateError::Refused { name: place.name.clone(), refusal }),
    }
}

/// The result of an optimistic write.
enum PutOutcome {
    Done(Object),
    /// It is no longer what was read.
    Stale,
}

async fn put(cluster: &dyn Cluster, object: Object, is_there: bool) -> Result<PutOutcome, StateError> {
    let answer = if is_there {
        cluster.replace(&object, Validation::Strict, Writing::Really).await?
    } else {
        cluster.create(&object, Validation::Strict, Writing::Really).await?
    };
    match answer {
        Answer::Done(object) => Ok(PutOutcome::Done(*object)),
        Answer::Refused(Refusal { reason: Reason::AlreadyExists, .. }) if !is_there => Ok(PutOutcome::Stale),
        Answer::Refused(Refusal { reason: Reason::Conflict | Reason::NotFound, .. }) if is_there => {
            Ok(PutOutcome::Stale)
        }
        Answer::Refused(refusal) => Err(StateError::Refused { name: object.name().to_owned(), refusal }),
    }
}

/// The parent as it is now; it may have become somebody else's.
async fn again(cluster: &dyn Cluster, place: &Place) -> Result<Option<Object>, StateError> {
    let parent = cluster.get(&place.parent()).await?;
    if let Some(parent) = &parent {
        parent::is_ours(place, parent)?;
        parent::doubt(place, parent).map_or(Ok(()), Err)?;
    }
    Ok(parent)
}

/// Nobody reads a part before the parent names it, so whatever is in its place is from a run that was killed.
async fn put_part(cluster: &dyn Cluster, place: &Place, part: Object) -> Result<(), StateError> {
    let name = part.name().to_owned();
    for _ in 0..TRIES {
        let live = cluster.get(&place.config_map(name.clone())).await?;
        let mut part = part.clone();
        if let (Some(live), Some(metadata)) = (&live, part.value_mut().get_mut("metadata")) {
            let version = live.metadata().and_then(|metadata| metadata.get("resourceVersion"));
            metadata["resourceVersion"] = version.cloned().unwrap_or_default();
        }
        if let PutOutcome::Done(_) = put(cluster, part, live.is_some()).await? {
            return Ok(());
        }
    }
    Err(StateError::Contended { name })
}

/// Deletes parts that no parent names any more. An account that may not leaves them: the next but one sync writes over
/// them.
async fn clean(cluster: &dyn Cluster, place: &Place, names: impl Iterator<Item = String>) {
    for name in names {
        let part: ObjectName = place.config_map(name);
        // What stays is read by nobody.
        let _ = delete(cluster, &part, &Claim::Part(place), Propagation::Background).await;
    }
}
