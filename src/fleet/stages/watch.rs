//! Watches what is live: one watch for each kind and namespace that any application names, shared by all of them.
//!
//! In: rendered applications. Out: what is in each place, kept up to date. The places are those of a LIST, see
//! [`list`](super::list).

use std::collections::{BTreeSet, HashMap};
use std::pin::Pin;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::{self, BoxStream};

use crate::cluster::{Cluster, ClusterError, ListRequest, Watched, Watching};
use crate::fleet::application::Rendered;
use crate::fleet::live::{ClusterId, Listing};
use crate::fleet::stages::list::{CLUSTER_WIDE_FROM, wanted};
use crate::object::Gvk;
use crate::progress::{Progress, Stage};

type Watch<'cluster> = BoxStream<'cluster, Result<Watched, ClusterError>>;

/// Watches every kind and namespace that any target names; returns when each was seen once, or could not be.
pub(crate) async fn open<'cluster>(
    rendered: &[Rendered],
    clusters: &'cluster HashMap<ClusterId, Arc<dyn Cluster>>,
    concurrency: usize,
    progress: &Progress,
) -> Watching<'cluster, Listing> {
    let wanted = wanted(rendered);
    progress.expect(Stage::List, wanted.len());
    let mut opened = stream::iter(wanted.into_iter().filter_map(|((id, gvk), namespaces)| {
        let cluster = clusters.get(&id)?;
        Some(async move {
            let places = places(&**cluster, &gvk, namespaces).await;
            progress.done(Stage::List, gvk.kind.clone());
            let listing = move |namespace| Listing { cluster: id, gvk: gvk.clone(), namespace };
            places.into_iter().map(move |(namespace, watch)| (listing(namespace), watch)).collect::<Vec<_>>()
        })
    }))
    .buffer_unordered(concurrency.max(1));
    let mut watching = Watching::default();
    while let Some(places) = opened.next().await {
        for (listing, watch) in places {
            watching.add(listing, watch);
        }
    }
    watching.settle().await;
    watching
}

/// One watch of the whole cluster where there are many namespaces, unless the account may see each of them alone.
async fn places<'cluster>(
    cluster: &'cluster dyn Cluster,
    gvk: &Gvk,
    namespaces: BTreeSet<Option<String>>,
) -> Vec<(Option<String>, Watch<'cluster>)> {
    let watch = |namespace| cluster.watch(ListRequest { gvk: gvk.clone(), namespace, metadata_only: false });
    if namespaces.len() > CLUSTER_WIDE_FROM && cluster.limits().is_none() {
        let mut everywhere = watch(None).peekable();
        if !matches!(Pin::new(&mut everywhere).peek().await, Some(Err(ClusterError::Forbidden { .. }))) {
            return vec![(None, everywhere.boxed())];
        }
    }
    namespaces.into_iter().map(|namespace| (namespace.clone(), watch(namespace))).collect()
}
