//! Lets the applications of a run know of each other: what moves from one to the other is neither deleted nor refused.
//!
//! In: rendered turns. Out: the same, each with what all applications on its cluster have in git.

use std::collections::HashMap;
use std::sync::Arc;

use crate::fleet::Request;
use crate::fleet::stages::list::{Live, Place, identity, place};
use crate::fleet::turn::Turn;
use crate::object::Object;
use crate::object::annotations::{APPLYSET_PART_OF, is_hook, is_skipped};
use crate::sync::plan::{Neighbour, Neighbours};

pub(crate) fn introduce(turns: &mut [Turn], request: &Request) {
    let mut by_cluster: HashMap<String, Neighbours> = HashMap::new();
    for turn in turns.iter() {
        let (Some(cluster), Some(target)) = (&turn.cluster, &turn.target) else { continue };
        let keys = target.iter().filter(|object| !object.name().is_empty()).map(Object::key).collect();
        let neighbour = Neighbour { name: turn.application.name.clone(), keys, gaps: turn.gaps.clone() };
        by_cluster.entry(cluster.name().to_owned()).or_default().add(&turn.tracking(request).applyset_id, neighbour);
    }
    let by_cluster: HashMap<String, Arc<Neighbours>> =
        by_cluster.into_iter().map(|(cluster, neighbours)| (cluster, Arc::new(neighbours))).collect();
    for turn in turns {
        let neighbours = turn.cluster.as_ref().and_then(|cluster| by_cluster.get(cluster.name()));
        turn.neighbours = neighbours.map(Arc::clone).unwrap_or_default();
    }
}

/// Marks what another application of the run gives up as this application's: until it is adopted, the label is a difference.
pub(crate) fn mark_moved(turn: &mut Turn, live: &Live, applyset_id: &str) {
    let (Some(cluster), Some(kinds), Some(target)) = (&turn.cluster, &turn.kinds, &turn.target) else { return };
    let is_moved = |object: &Object| {
        let Place::Listed(gvk, namespace) = place(object, kinds) else { return false };
        let Some(Ok(listed)) = live.listing(identity(cluster), &gvk, namespace.as_deref()) else { return false };
        let (key, id) = (object.key(), listed.get(&object.key()).and_then(|live| live.label(APPLYSET_PART_OF)));
        id.is_some_and(|id| id != applyset_id && turn.neighbours.gives_up(&key, id))
    };
    let moved: Vec<usize> = target
        .iter()
        .enumerate()
        .filter(|(_, object)| !is_hook(object) && !is_skipped(object) && is_moved(object))
        .map(|(place, _)| place)
        .collect();
    let Some(target) = turn.target.as_mut().filter(|_| !moved.is_empty()) else { return };
    let target: &mut Vec<Object> = Arc::make_mut(target);
    for place in moved {
        if let Some(object) = target.get_mut(place) {
            object.set_label(APPLYSET_PART_OF, applyset_id);
        }
    }
}
