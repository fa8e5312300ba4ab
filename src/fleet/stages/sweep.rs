//! Lists the metadata of the kinds that may hold extras: once for each kind, for all applications of a run.
//!
//! In: the [`Area`] of each application, what was listed for its targets. Out: a [`Swept`] for each cluster, with the objects that
//! some application of the run calls its own, and what could not be listed. A kind that is looked for everywhere takes one LIST of
//! the whole cluster, or one for each namespace of an application where that is forbidden.
//!
//! What an application gets of it depends on its own area alone, whatever others of the run had listed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use crate::cluster::{Cluster, ClusterError, ListRequest};
use crate::fleet::application::Rendered;
use crate::fleet::live::{ClusterId, Live};
use crate::object::{GroupKind, KindFacts, Object, Scope};
use crate::progress::{Progress, Stage};

/// Kinds by group and name, each in the version that is listed.
pub(crate) type KindsToList = BTreeMap<GroupKind, KindFacts>;

/// Where one application's extras may be.
pub(crate) struct Area {
    pub(crate) cluster: ClusterId,
    /// Each kind that git names, with the namespace; empty for cluster-scoped kinds. All of these were listed for the comparison.
    pub(crate) in_git: BTreeSet<(GroupKind, String)>,
    /// The kinds that are looked for.
    pub(crate) kinds: Arc<KindsToList>,
    /// The application's own namespaces: its destination's, those that git names, and those of its ApplySet.
    pub(crate) namespaces: BTreeSet<String>,
    /// Whether its kinds are listed for the whole cluster, and shared.
    pub(crate) is_whole_cluster: bool,
    /// Whether extras may be in namespaces that are not the application's own.
    pub(crate) is_any_namespace: bool,
}

impl Area {
    /// Whether git names the kind of a live object in its namespace.
    pub(crate) fn is_named_by_git(&self, live: &Object) -> bool {
        self.in_git.contains(&(live.gvk().group_kind(), live.namespace().to_owned()))
    }

    /// Whether a namespace is the application's own; what is cluster-scoped is in all of them.
    pub(crate) fn is_own_namespace(&self, namespace: &str) -> bool {
        namespace.is_empty() || self.namespaces.contains(namespace)
    }

    /// Whether the application's search would find this object, were it the only one of the run.
    pub(crate) fn covers(&self, live: &Object, swept: Option<&Swept>) -> bool {
        let kind = live.gvk().group_kind();
        let is_narrow = || swept.is_some_and(|swept| swept.narrow.contains(&kind));
        let is_in_reach = || self.is_own_namespace(live.namespace()) || (self.is_any_namespace && !is_narrow());
        self.is_named_by_git(live) || (self.kinds.contains_key(&kind) && is_in_reach())
    }
}

/// The objects that a sweep of one cluster listed, and the kinds that it could not list.
#[derive(Default)]
pub(crate) struct Swept {
    pub(crate) objects: Vec<Object>,
    /// Kinds that this account can list only in the namespaces of an application.
    narrow: BTreeSet<GroupKind>,
    /// Each kind that could not be listed, by namespace, and why; no namespace is the whole cluster.
    unseen: BTreeMap<(GroupKind, Option<String>), ClusterError>,
}

impl Swept {
    /// Whether a kind is forbidden in a namespace of an application, or in any of them.
    pub(crate) fn hides(&self, area: &Area, kind: &GroupKind, namespace: Option<&str>) -> bool {
        self.unseen_in(area).any(|(hidden, place, error)| {
            hidden == kind
                && matches!(error, ClusterError::Forbidden { .. })
                && namespace.is_none_or(|namespace| place.is_none_or(|place| place == namespace))
        })
    }

    /// The kinds in an application's area that could not be listed.
    pub(crate) fn unseen_in(&self, area: &Area) -> impl Iterator<Item = (&GroupKind, Option<&str>, &ClusterError)> {
        let unseen = self.unseen.iter().map(|((kind, place), error)| (kind, place.as_deref(), error));
        unseen.filter(|(kind, place, _)| {
            area.kinds.get(kind).is_some_and(|facts| match (place, facts.scope) {
                (None, Scope::Cluster) => true,
                (None, Scope::Namespaced) => area.is_whole_cluster,
                (Some(namespace), _) => area.namespaces.contains(*namespace),
            })
        })
    }

    /// The kinds of an application's area that were listed in its own namespaces only.
    pub(crate) fn narrow_in(&self, area: &Area) -> impl Iterator<Item = &GroupKind> {
        self.narrow.iter().filter(|kind| area.is_any_namespace && area.kinds.contains_key(*kind))
    }
}

/// One kind that is to be listed.
struct Wanted {
    cluster: Arc<dyn Cluster>,
    facts: KindFacts,
    is_whole_cluster: bool,
    /// Whether any of these applications has extras in namespaces that are not its own.
    is_any_namespace: bool,
    /// The namespaces of the applications that look for it in theirs alone.
    namespaces: BTreeSet<String>,
    /// The namespaces of the others, for when the whole cluster is forbidden.
    instead: BTreeSet<String>,
}

/// Lists what is in the areas and was not listed yet. Only objects that `is_claimed` accepts are kept.
pub(crate) async fn sweep<'a>(
    areas: impl Iterator<Item = (&'a Rendered, &'a Area)>,
    live: &Live,
    concurrency: usize,
    is_claimed: impl Fn(ClusterId, &Object) -> bool,
    progress: &Progress,
) -> HashMap<ClusterId, Swept> {
    let wanted = wanted(areas);
    progress
        .expect(Stage::List, wanted.iter().map(|((id, _), wanted)| wanted.namespaces_to_list(*id, live).len()).sum());
    let mut kinds = stream::iter(wanted.into_iter().map(|((id, _), wanted)| async move {
        let listed = wanted.list(id, live, concurrency, progress).await;
        (id, wanted.facts, listed)
    }))
    .buffer_unordered(concurrency.max(1));
    let mut swept: HashMap<ClusterId, Swept> = HashMap::new();
    while let Some((id, facts, listed)) = kinds.next().await {
        let swept = swept.entry(id).or_default();
        let kind = facts.gvk.group_kind();
        for (namespace, listed) in listed {
            match listed {
                Ok(objects) => swept.objects.extend(objects.into_iter().filter(|object| is_claimed(id, object))),
                Err(ClusterError::Forbidden { .. }) if namespace.is_none() && facts.scope == Scope::Namespaced => {
                    swept.narrow.insert(kind.clone());
                }
                // Its objects went with it.
                Err(ClusterError::Vanished { .. }) => {}
                Err(error) => {
                    swept.unseen.insert((kind.clone(), namespace), error);
                }
            }
        }
    }
    swept
}

fn wanted<'a>(areas: impl Iterator<Item = (&'a Rendered, &'a Area)>) -> BTreeMap<(ClusterId, GroupKind), Wanted> {
    let mut wanted: BTreeMap<(ClusterId, GroupKind), Wanted> = BTreeMap::new();
    for (rendered, area) in areas {
        let cluster = &rendered.connection.cluster;
        for (kind, facts) in area.kinds.iter() {
            let wanted = wanted.entry((area.cluster, kind.clone())).or_insert_with(|| Wanted {
                cluster: Arc::clone(cluster),
                facts: facts.clone(),
                is_whole_cluster: false,
                is_any_namespace: false,
                namespaces: BTreeSet::new(),
                instead: BTreeSet::new(),
            });
            wanted.is_whole_cluster |= area.is_whole_cluster || facts.scope == Scope::Cluster;
            wanted.is_any_namespace |= area.is_any_namespace || facts.scope == Scope::Cluster;
            let namespaces = if area.is_whole_cluster { &mut wanted.instead } else { &mut wanted.namespaces };
            namespaces.extend(area.namespaces.iter().cloned());
        }
    }
    wanted
}

type ListedMetadata = (Option<String>, Result<Vec<Object>, ClusterError>);

impl Wanted {
    async fn list(&self, id: ClusterId, live: &Live, concurrency: usize, progress: &Progress) -> Vec<ListedMetadata> {
        let is_listed = |namespace: Option<&str>| matches!(live.of_kind(id, &self.facts.gvk, namespace), Some(Ok(_)));
        let mut listed = Vec::new();
        let mut namespaces = self.namespaces.clone();
        if self.is_whole_cluster {
            let is_known = |namespace: &String| is_listed(Some(namespace));
            if is_listed(None) || (!self.is_any_namespace && self.instead.iter().chain(&self.namespaces).all(is_known))
            {
                return listed;
            }
            let whole = self.list_place(None).await;
            let is_forbidden = matches!(whole, Err(ClusterError::Forbidden { .. }));
            let is_seen = whole.is_ok();
            listed.push((None, whole));
            if is_seen || self.facts.scope == Scope::Cluster {
                return listed;
            }
            if is_forbidden {
                namespaces.extend(self.instead.iter().cloned());
            }
        }
        namespaces.retain(|namespace| !is_listed(Some(namespace)));
        let lists = namespaces.into_iter().map(|namespace| async move {
            let listed = self.list_place(Some(namespace.clone())).await;
            if !self.is_whole_cluster {
                progress.done(Stage::List, self.facts.gvk.kind.clone());
            }
            (Some(namespace), listed)
        });
        listed.extend(stream::iter(lists).buffer_unordered(concurrency.max(1)).collect::<Vec<_>>().await);
        listed
    }

    /// The namespaces that are listed for a kind that nobody looks for in the whole cluster.
    fn namespaces_to_list(&self, id: ClusterId, live: &Live) -> Vec<&String> {
        let is_listed = |namespace: &str| matches!(live.of_kind(id, &self.facts.gvk, Some(namespace)), Some(Ok(_)));
        let namespaces = self.namespaces.iter().filter(|_| !self.is_whole_cluster);
        namespaces.filter(|namespace| !is_listed(namespace)).collect()
    }

    async fn list_place(&self, namespace: Option<String>) -> Result<Vec<Object>, ClusterError> {
        let request = ListRequest { gvk: self.facts.gvk.clone(), namespace, metadata_only: true };
        self.cluster.list(&request).await
    }
}
