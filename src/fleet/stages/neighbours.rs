//! Lets the applications of a run know of each other: what moves from one to the other is neither deleted nor refused, and what two
//! of them have is known to both.
//!
//! In: rendered applications. Out: the same, each with what all applications on its cluster have in git.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::fleet::Request;
use crate::fleet::application::{Peers, Rendered};
use crate::fleet::live::{ClusterId, Live, Place, identity, place};
use crate::object::annotations::{APPLYSET_PART_OF, is_hook, is_skipped};
use crate::object::{Key, Object};
use crate::sync::plan::{Neighbour, Neighbours};

pub(crate) fn introduce(rendered: Vec<Rendered>, request: &Request) -> Vec<Rendered> {
    let mut by_cluster: HashMap<String, Neighbours> = HashMap::new();
    for one in &rendered {
        let keys = one.target.iter().filter(|object| !object.name().is_empty()).map(Object::key).collect();
        let neighbour = Neighbour { name: one.application.name.clone(), keys, gaps: one.gaps.clone() };
        let neighbours = by_cluster.entry(one.cluster().name().to_owned()).or_default();
        neighbours.add(&one.tracking(request).applyset_id, neighbour);
    }
    let by_cluster: HashMap<String, Arc<Neighbours>> =
        by_cluster.into_iter().map(|(cluster, neighbours)| (cluster, Arc::new(neighbours))).collect();
    let shared = shared(&rendered);
    let with_peers = |(rendered, shared): (Rendered, _)| {
        let neighbours = by_cluster.get(rendered.cluster().name()).map(Arc::clone).unwrap_or_default();
        Rendered { peers: Peers { neighbours, shared: Arc::new(shared) }, ..rendered }
    };
    rendered.into_iter().zip(shared).map(with_peers).collect()
}

/// The objects of each application that others of the run have in git, too, with the names of these.
fn shared(rendered: &[Rendered]) -> Vec<BTreeMap<Key, Vec<String>>> {
    let mut owners: HashMap<(ClusterId, Key), BTreeSet<usize>> = HashMap::new();
    for (index, one) in rendered.iter().enumerate() {
        for object in one.target.iter().filter(|object| !object.name().is_empty()) {
            owners.entry((identity(&one.connection.cluster), object.key())).or_default().insert(index);
        }
    }
    let mut shared: Vec<BTreeMap<Key, Vec<String>>> = rendered.iter().map(|_| BTreeMap::new()).collect();
    for ((_, key), indexes) in owners.into_iter().filter(|(_, indexes)| indexes.len() > 1) {
        for index in &indexes {
            let others = indexes.iter().filter(|other| *other != index);
            let names = others.map(|other| rendered[*other].application.name.clone()).collect();
            shared[*index].insert(key.clone(), names);
        }
    }
    shared
}

/// Marks what another application of the run gives up as this application's: until it is adopted, the label is a difference.
pub(crate) fn mark_moved(rendered: &mut Rendered, live: &Live, applyset_id: &str) {
    let cluster = identity(&rendered.connection.cluster);
    let is_moved = |object: &Object| {
        let Place::Listed(gvk, namespace) = place(object, rendered.kinds()) else { return false };
        let Some(Ok(listed)) = live.listing(cluster, &gvk, namespace.as_deref()) else { return false };
        let (key, id) = (object.key(), listed.get(&object.key()).and_then(|live| live.label(APPLYSET_PART_OF)));
        id.is_some_and(|id| id != applyset_id && rendered.peers.neighbours.gives_up(&key, id))
    };
    let moved: Vec<usize> = rendered
        .target
        .iter()
        .enumerate()
        .filter(|(_, object)| !is_hook(object) && !is_skipped(object) && is_moved(object))
        .map(|(place, _)| place)
        .collect();
    if moved.is_empty() {
        return;
    }
    let target: &mut Vec<Object> = Arc::make_mut(&mut rendered.built.target);
    for place in moved {
        if let Some(object) = target.get_mut(place) {
            object.set_label(APPLYSET_PART_OF, applyset_id);
        }
    }
}
