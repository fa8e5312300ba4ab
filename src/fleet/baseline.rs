//! Reads what the last sync of each application left behind: the parent of its ApplySet.
//!
//! In: the turns, and what was listed. Out: a baseline for each turn that has one. A parent that was listed costs
//! nothing, any other one GET. One that cannot be used is told, and its application compared without it.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use super::list::{Live, identity};
use super::turn::Turn;
use crate::cluster::{ClusterError, ObjectName};
use crate::finding::Finding;
use crate::object::{Gvk, Key, Object};
use crate::status::compare::{Baseline, BaselineFault};

pub(super) async fn read(turns: &mut [Turn], live: &Live, concurrency: usize) {
    let turns_of_interest = turns.iter().enumerate().filter(|(_, turn)| turn.target.is_some() && turn.kinds.is_some());
    let mut parents =
        stream::iter(turns_of_interest.map(|(index, turn)| async move { (index, parent(turn, live).await) }))
            .buffer_unordered(concurrency.max(1))
            .collect::<Vec<_>>()
            .await;
    parents.sort_by_key(|(index, _)| *index);
    for (index, parent) in parents {
        let turn = &mut turns[index];
        // A wait reads it again and again, and it may be gone by then.
        turn.baseline = None;
        match parent {
            Ok(Some(parent)) => take(turn, &parent),
            // Who may not read it has no record, as before the first sync.
            Ok(None) | Err(ClusterError::Forbidden { .. }) => {}
            Err(error) => {
                let finding = Finding::warning("trueup::status::baseline", "the last sync's record cannot be read")
                    .with_cause(error.to_string())
                    .with_help("nothing is wrong with the comparison; who moved is told by the fields' managers alone");
                turn.condition("BaselineWarning", finding);
            }
        }
    }
}

async fn parent(turn: &Turn, live: &Live) -> Result<Option<Object>, ClusterError> {
    let namespace = &turn.application.destination.namespace;
    let Some(cluster) = turn.cluster.as_ref().filter(|_| !namespace.is_empty()) else { return Ok(None) };
    let gvk = Gvk::from_api_version("v1", "ConfigMap");
    let name = Baseline::parent_name(&turn.application.name);
    if let Some(Ok(listed)) = live.listing(identity(cluster), &gvk, Some(namespace)) {
        let key = Key { group: String::new(), kind: gvk.kind, namespace: namespace.clone(), name };
        return Ok(listed.get(&key).map(|parent| Object::clone(parent)));
    }
    cluster.get(&ObjectName { gvk, namespace: Some(namespace.clone()), name }).await
}

fn take(turn: &mut Turn, parent: &Object) {
    match Baseline::read(parent) {
        Ok(baseline) => {
            for (source, revision) in turn.sources.iter_mut().zip(&baseline.revisions) {
                source.last_synced_revision.clone_from(revision);
            }
            turn.baseline = Some(Arc::new(baseline));
        }
        // Somebody else's ConfigMap of this name; sync will have to say something about it.
        Err(BaselineFault::NotOurs) => {}
        Err(fault) => {
            let message = format!("the last sync's record, ConfigMap `{}`, {fault}", parent.name());
            let finding = Finding::warning("trueup::status::baseline", message)
                .with_help("the objects were compared without it, value by value; the next sync writes it anew");
            turn.condition("BaselineWarning", finding);
        }
    }
}
