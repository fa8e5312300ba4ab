//! Lists what is live: one LIST for each kind and namespace that any application names, shared by all of them.
//!
//! In: the turns with their targets. Out: [`Live`], where each object is looked up, or the error that hides it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use crate::cluster::{Cluster, ClusterError, ListRequest, Listed};
use crate::finding::Finding;
use crate::fleet::turn::Turn;
use crate::fleet::{Request, World};
use crate::object::{Gvk, Kinds, Object, Scope};
use crate::progress::{Progress, Stage};

/// From this number of namespaces on, one LIST of the whole cluster is cheaper than one for each.
pub(crate) const CLUSTER_WIDE_FROM: usize = 8;

/// Which cluster, as an identity: applications with one cluster share it.
pub(crate) type ClusterId = usize;

pub(crate) fn identity(cluster: &Arc<dyn Cluster>) -> ClusterId {
    Arc::as_ptr(cluster).cast::<()>().addr()
}

/// One kind in one place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Listing {
    pub(crate) cluster: ClusterId,
    pub(crate) gvk: Gvk,
    /// `None` is the whole cluster.
    pub(crate) namespace: Option<String>,
}

/// Where the live objects of a target are to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In this LIST.
    Listed(Gvk, Option<String>),
    /// Nowhere: the cluster does not serve the kind, so no such object exists.
    NotServed,
    /// Not to be found: discovery failed, or another version is served; with the reason.
    Hidden(String),
}

/// Decides where a target's live object is.
pub(crate) fn place(object: &Object, kinds: &Kinds) -> Place {
    place_of(&object.gvk(), object.namespace(), kinds)
}

/// Decides where an object of a kind and a namespace is.
pub(crate) fn place_of(gvk: &Gvk, namespace: &str, kinds: &Kinds) -> Place {
    let Some(facts) = kinds.exact(gvk) else {
        // The kind may be one of any version of its group that does not answer.
        if let Some(reason) = silence_of(kinds, &gvk.group) {
            return Place::Hidden(reason);
        }
        return match kinds.preferred(&gvk.group_kind()) {
            Some(other) => Place::Hidden(format!(
                "the cluster serves `{}` as `{}`, not as `{}`",
                gvk.kind,
                other.gvk.api_version(),
                gvk.api_version()
            )),
            None => Place::NotServed,
        };
    };
    match facts.scope {
        Scope::Cluster => Place::Listed(gvk.clone(), None),
        Scope::Namespaced if namespace.is_empty() => {
            Place::Hidden("it has no namespace, and the application's destination names none".to_owned())
        }
        Scope::Namespaced => Place::Listed(gvk.clone(), Some(namespace.to_owned())),
    }
}

/// Why a group's kinds are not known, where one of its versions does not answer.
pub(crate) fn silence_of(kinds: &Kinds, group: &str) -> Option<String> {
    let broken = kinds.unavailable.iter().find(|(api, _)| Gvk::from_api_version(api, "").group == group);
    broken.map(|(api, reason)| format!("the cluster's API `{api}` does not answer: {reason}"))
}

/// Finds each application's cluster, and asks each cluster once for its kinds.
pub(crate) async fn connect(turns: &mut [Turn], world: &World, concurrency: usize) {
    let mut clusters: BTreeMap<ClusterId, Arc<dyn Cluster>> = BTreeMap::new();
    for turn in turns.iter_mut() {
        match world.clusters.find(&turn.application.destination) {
            Ok(cluster) => {
                clusters.insert(identity(&cluster), Arc::clone(&cluster));
                turn.cluster = Some(cluster);
            }
            Err(error) => turn.cluster_error(Finding::of(&error)),
        }
    }
    let kinds: HashMap<ClusterId, Result<Arc<Kinds>, ClusterError>> =
        stream::iter(clusters.into_iter().map(|(id, cluster)| async move { (id, cluster.kinds().await) }))
            .buffer_unordered(concurrency.max(1))
            .collect()
            .await;
    for turn in turns.iter_mut() {
        let Some(cluster) = &turn.cluster else { continue };
        match kinds.get(&identity(cluster)) {
            Some(Ok(kinds)) => turn.kinds = Some(Arc::clone(kinds)),
            Some(Err(error)) => turn.cluster_error(Finding::of(error)),
            None => {}
        }
    }
}

/// Everything that was listed.
#[derive(Debug, Default)]
pub(crate) struct Live {
    listings: HashMap<Listing, Listed>,
}

impl Live {
    /// The values at these paths.
    pub(crate) fn of(places: impl Iterator<Item = (Listing, Listed)>) -> Self {
        Self { listings: places.collect() }
    }

    /// The LIST that covers a kind in a namespace.
    pub(crate) fn listing(&self, cluster: ClusterId, gvk: &Gvk, namespace: Option<&str>) -> Option<&Listed> {
        let exact = Listing { cluster, gvk: gvk.clone(), namespace: namespace.map(str::to_owned) };
        self.listings.get(&exact).or_else(|| self.listings.get(&Listing { namespace: None, ..exact }))
    }

    /// The LIST that covers a kind in a namespace, in whatever version it was asked for.
    pub(crate) fn of_kind(&self, cluster: ClusterId, gvk: &Gvk, namespace: Option<&str>) -> Option<&Listed> {
        let covers = |listing: &Listing| {
            listing.cluster == cluster
                && (&listing.gvk.group, &listing.gvk.kind) == (&gvk.group, &gvk.kind)
                && (listing.namespace.is_none() || listing.namespace.as_deref() == namespace)
        };
        self.listings.iter().find(|(listing, _)| covers(listing)).map(|(_, listed)| listed)
    }

    /// Every listed object, with its cluster.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (ClusterId, &Object)> {
        let listed =
            self.listings.iter().filter_map(|(listing, listed)| Some((listing.cluster, listed.as_ref().ok()?)));
        listed.flat_map(|(cluster, objects)| objects.values().map(move |object| (cluster, &**object)))
    }
}

/// Every kind that any target names, by cluster, with its namespaces.
pub(crate) fn wanted(turns: &[Turn]) -> BTreeMap<(ClusterId, Gvk), BTreeSet<Option<String>>> {
    let mut wanted: BTreeMap<(ClusterId, Gvk), BTreeSet<Option<String>>> = BTreeMap::new();
    for turn in turns {
        let (Some(cluster), Some(kinds), Some(target)) = (&turn.cluster, &turn.kinds, &turn.target) else { continue };
        for object in target.iter() {
            if let Place::Listed(gvk, namespace) = place(object, kinds) {
                wanted.entry((identity(cluster), gvk)).or_default().insert(namespace);
            }
        }
    }
    wanted
}

/// The clusters of all applications.
pub(crate) fn clusters(turns: &[Turn]) -> HashMap<ClusterId, Arc<dyn Cluster>> {
    let clusters = turns.iter().filter_map(|turn| turn.cluster.as_ref());
    clusters.map(|cluster| (identity(cluster), Arc::clone(cluster))).collect()
}

/// Lists every kind and namespace that any target names.
pub(crate) async fn list(turns: &[Turn], request: &Request, progress: &Progress) -> Live {
    let (clusters, wanted) = (clusters(turns), wanted(turns));
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
    let mut live = Live::default();
    while let Some((cluster, gvk, listed)) = lists.next().await {
        for (namespace, listed) in listed {
            live.listings.insert(Listing { cluster, gvk: gvk.clone(), namespace }, listed);
        }
    }
    live
}

async fn list_kind(
    cluster: &dyn Cluster,
    gvk: &Gvk,
    namespaces: BTreeSet<Option<String>>,
    concurrency: usize,
) -> Vec<(Option<String>, Listed)> {
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

async fn list_place(cluster: &dyn Cluster, gvk: &Gvk, namespace: Option<String>) -> Listed {
    let request = ListRequest { gvk: gvk.clone(), namespace, metadata_only: false };
    let objects = cluster.list(&request).await?;
    Ok(objects.into_iter().map(|object| (object.key(), Arc::new(object))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::KindFacts;
    use serde_json::json;

    fn kinds() -> Kinds {
        let mut kinds = Kinds::new("v1.36.0");
        for (api_version, kind, plural, scope) in [
            ("apps/v1", "Deployment", "deployments", Scope::Namespaced),
            ("v1", "Namespace", "namespaces", Scope::Cluster),
        ] {
            kinds.add(KindFacts {
                gvk: Gvk::from_api_version(api_version, kind),
                plural: plural.to_owned(),
                scope,
                verbs: vec!["list".to_owned()],
            });
        }
        kinds.unavailable.insert("metrics.example.com/v1".to_owned(), "503".to_owned());
        kinds
    }

    fn object(api_version: &str, kind: &str, namespace: &str) -> Object {
        let value = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": namespace}});
        Object::new(value).expect("an object")
    }

    /// A kind that cannot be looked up is hidden, never missing: else a broken API would read as drift.
    #[test]
    fn where_an_object_is_looked_up() {
        let kinds = kinds();
        assert_eq!(
            place(&object("apps/v1", "Deployment", "shop"), &kinds),
            Place::Listed(Gvk::from_api_version("apps/v1", "Deployment"), Some("shop".to_owned()))
        );
        assert_eq!(
            place(&object("v1", "Namespace", ""), &kinds),
            Place::Listed(Gvk::from_api_version("v1", "Namespace"), None)
        );
        assert_eq!(place(&object("shop.example.com/v1", "Till", "shop"), &kinds), Place::NotServed);
        for hidden in [
            object("apps/v1beta1", "Deployment", "shop"),
            object("metrics.example.com/v1", "Gauge", "shop"),
            object("metrics.example.com/v2", "Gauge", "shop"),
            object("apps/v1", "Deployment", ""),
        ] {
            assert!(matches!(place(&hidden, &kinds), Place::Hidden(_)), "{hidden:?}");
        }
    }
}
