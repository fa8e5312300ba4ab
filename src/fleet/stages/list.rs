//! Lists what is live: one LIST for each kind and namespace that any application names, shared by all of them.
//!
//! Takes rendered applications. Returns each with [`Live`], where its objects are looked up.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use crate::cluster::{Cluster, ClusterError, ListRequest, Listed as ListedObjects};
use crate::fleet::application::{Listed, Rendered};
use crate::fleet::live::{ClusterId, Listing, Live, Place, identity, place};
use crate::fleet::{Request, World};
use crate::object::Gvk;
use crate::progress::{Progress, Stage};

/// From this number of namespaces on, one WATCH of the whole cluster is cheaper than one for each.
pub(crate) const CLUSTER_WIDE_FROM: usize = 8;

/// From this number of LISTs beyond one for each kind on, kinds are listed for the whole cluster: the search for extras needs one for
/// each of its fifty to sixty kinds already.
const MANY_LISTS: usize = 4;

/// A kind in fewer namespaces is never listed for the whole cluster.
const MANY_NAMESPACES: usize = 3;

/// Lists for all applications together.
pub(crate) async fn list(rendered: Vec<Rendered>, request: &Request, world: &World) -> Vec<Listed> {
    let live = list_live(&rendered, request, &world.progress).await;
    listed(rendered, &Arc::new(live))
}

/// The applications with what is live.
pub(crate) fn listed(rendered: Vec<Rendered>, live: &Arc<Live>) -> Vec<Listed> {
    rendered.into_iter().map(|rendered| Listed { rendered, live: Arc::clone(live) }).collect()
}

/// Every kind that any target names, by cluster, with its namespaces.
pub(crate) fn wanted(rendered: &[Rendered]) -> BTreeMap<(ClusterId, Gvk), BTreeSet<Option<String>>> {
    let mut wanted: BTreeMap<(ClusterId, Gvk), BTreeSet<Option<String>>> = BTreeMap::new();
    for rendered in rendered {
        let cluster = identity(&rendered.connection.cluster);
        for object in rendered.target.iter() {
            if let Place::Listed(gvk, namespace) = place(object, rendered.kinds()) {
                wanted.entry((cluster, gvk)).or_default().insert(namespace);
            }
        }
    }
    wanted
}

/// The clusters of all applications.
pub(crate) fn clusters(rendered: &[Rendered]) -> HashMap<ClusterId, Arc<dyn Cluster>> {
    let clusters = rendered.iter().map(|rendered| &rendered.connection.cluster);
    clusters.map(|cluster| (identity(cluster), Arc::clone(cluster))).collect()
}

/// Lists every kind and namespace that any target names.
pub(crate) async fn list_live(rendered: &[Rendered], request: &Request, progress: &Progress) -> Live {
    let (clusters, wanted) = (clusters(rendered), wanted(rendered));
    let whole = listed_whole(&wanted);
    progress.expect(Stage::List, wanted.len());
    let mut lists = stream::iter(wanted.into_iter().filter_map(|((id, gvk), namespaces)| {
        let cluster = Arc::clone(clusters.get(&id)?);
        // What is outside of the limits must not look as if it had been listed.
        let is_whole = whole.contains(&(id, gvk.clone())) && cluster.limits().is_none();
        Some(async move {
            progress.begin(Stage::List, gvk.kind.clone());
            let listed = list_kind(&*cluster, &gvk, namespaces, is_whole, request.concurrency).await;
            progress.done(Stage::List, gvk.kind.clone());
            (id, gvk, listed)
        })
    }))
    .buffer_unordered(request.concurrency.max(1));
    let mut listings = Vec::new();
    while let Some((cluster, gvk, listed)) = lists.next().await {
        for (namespace, listed) in listed {
            listings.push((Listing { cluster, gvk: gvk.clone(), namespace }, listed));
        }
    }
    Live::of(listings.into_iter())
}

/// The kinds that are listed for the whole cluster, those of the most namespaces first: of many applications, less than
/// [`MANY_LISTS`] are left beyond one for each kind.
fn listed_whole(wanted: &BTreeMap<(ClusterId, Gvk), BTreeSet<Option<String>>>) -> BTreeSet<(ClusterId, Gvk)> {
    let mut spread: Vec<_> = wanted.iter().map(|(kind, namespaces)| (namespaces.len(), kind)).collect();
    spread.sort_by_key(|(count, kind)| (Reverse(*count), *kind));
    spread.retain(|(count, _)| *count >= MANY_NAMESPACES);
    let mut left: HashMap<ClusterId, usize> = HashMap::new();
    for (count, (cluster, _)) in &spread {
        *left.entry(*cluster).or_default() += count - 1;
    }
    let mut whole = BTreeSet::new();
    for (count, kind) in spread {
        let left = left.entry(kind.0).or_default();
        if *left >= MANY_LISTS {
            *left -= count - 1;
            whole.insert(kind.clone());
        }
    }
    whole
}

async fn list_kind(
    cluster: &dyn Cluster,
    gvk: &Gvk,
    namespaces: BTreeSet<Option<String>>,
    is_whole: bool,
    concurrency: usize,
) -> Vec<(Option<String>, ListedObjects)> {
    if is_whole {
        let everywhere = list_place(cluster, gvk, None).await;
        // An account may be bound in each namespace and still not be allowed to see the whole cluster.
        if !matches!(everywhere, Err(ClusterError::Forbidden { .. })) {
            return vec![(None, everywhere)];
        }
    }
    stream::iter(namespaces.into_iter().map(|namespace| async move {
        let listed = list_place(cluster, gvk, namespace.clone()).await;
        (namespace, listed)
    }))
    .buffer_unordered(concurrency.max(1))
    .collect()
    .await
}

async fn list_place(cluster: &dyn Cluster, gvk: &Gvk, namespace: Option<String>) -> ListedObjects {
    let request = ListRequest { gvk: gvk.clone(), namespace, metadata_only: false };
    let objects = cluster.list(&request).await?;
    Ok(objects.into_iter().map(|object| (object.key(), Arc::new(object))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight applications of ten kinds in a namespace each are eighty LISTs otherwise.
    #[test]
    fn kinds_of_many_namespaces_are_listed_for_the_whole_cluster() {
        for (name, namespaces, whole) in [
            ("one namespace", &[1; 30][..], 0),
            ("two namespaces", &[2; 30], 0),
            ("few namespaces of one kind", &[4, 1], 0),
            ("many namespaces of one kind", &[5, 1], 1),
            ("three namespaces of two kinds: one of them is enough", &[3, 3, 1], 1),
            ("five namespaces of two kinds", &[5, 5, 2], 2),
            ("eight applications of ten kinds", &[8; 10], 10),
        ] {
            let spaces = |count: &usize| (0..*count).map(|number| Some(format!("shop-{number}"))).collect();
            let kind = |number: usize| Gvk::from_api_version("shop.example.com/v1", &format!("Till{number:02}"));
            let wanted =
                namespaces.iter().enumerate().map(|(number, count)| ((7, kind(number)), spaces(count))).collect();
            let expected = (0..whole).map(|number| (7, kind(number))).collect();
            assert_eq!(listed_whole(&wanted), expected, "{name}");
        }
    }
}
