//! Lists what is live: one LIST for each kind and namespace that any application names, shared by all of them.
//!
//! Takes rendered applications. Returns each with [`Live`], where its objects are looked up.

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

/// From this number of namespaces on, one LIST of the whole cluster is cheaper than one for each.
pub(crate) const CLUSTER_WIDE_FROM: usize = 8;

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
    progress.expect(Stage::List, wanted.len());
    let mut lists = stream::iter(wanted.into_iter().filter_map(|((id, gvk), namespaces)| {
        let cluster = Arc::clone(clusters.get(&id)?);
        Some(async move {
            progress.begin(Stage::List, gvk.kind.clone());
            let listed = list_kind(&*cluster, &gvk, namespaces, request.concurrency).await;
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

async fn list_kind(
    cluster: &dyn Cluster,
    gvk: &Gvk,
    namespaces: BTreeSet<Option<String>>,
    concurrency: usize,
) -> Vec<(Option<String>, ListedObjects)> {
    if namespaces.len() > CLUSTER_WIDE_FROM {
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
