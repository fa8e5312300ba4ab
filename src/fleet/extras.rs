//! Looks for extras: objects in the cluster that belong to an application and are no longer in git.
//!
//! In: the turns, what was listed for their targets. Out: extras among each turn's resources. The kinds that git names
//! were listed already; the others are swept (their metadata only) just for applications that have something in the
//! cluster, tracked by Argo CD or as an ApplySet, and for those of which git holds nothing any more: an application that
//! was never synced has no extras.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use super::Request;
use super::list::{ClusterId, Live, identity};
use super::turn::Turn;
use crate::app::settings::Exclusions;
use crate::cluster::{Cluster, ClusterError, ListRequest};
use crate::finding::Finding;
use crate::object::{KindFacts, Kinds, Object, Scope};
use crate::progress::{Progress, Stage};
use crate::status::compare::extra;
use crate::status::tracking::{TrackedBy, Tracking, extras, is_tracked};

pub(super) async fn find(turns: &mut [Turn], live: &Live, request: &Request, progress: &Progress) {
    let listed = Claims::of(live.objects(), request);
    let searches: Vec<Option<Search>> = turns.iter().map(|turn| search(turn, &listed, request)).collect();
    let swept = sweep(turns, &searches, live, request, progress).await;
    let names = swept.iter().flat_map(|(cluster, swept)| swept.objects.iter().map(move |object| (*cluster, object)));
    let names = Claims::of(names, request);
    for (turn, search) in turns.iter_mut().zip(searches) {
        let Some(search) = search else { continue };
        let target = turn.target.as_deref().map_or(&[][..], Vec::as_slice);
        let in_git = target.iter().map(Object::key).collect();
        let claimed = [&listed, &names].into_iter().flat_map(|claims| claims.of_application(&search));
        let found = extras(claimed, &in_git, &search.tracking);
        let extras: Vec<_> = found.into_iter().map(|live| extra(live, turn.baseline.as_deref())).collect();
        turn.resources.extend(extras);
        if let Some(swept) = swept.get(&search.cluster).filter(|_| search.is_wide) {
            swept.findings().for_each(|(kind, finding)| turn.condition(kind, finding));
        }
    }
}

/// Where one application's extras may be.
struct Search {
    cluster: ClusterId,
    tracking: Tracking,
    namespaces: BTreeSet<String>,
    /// Whether kinds that git does not name are looked at, too.
    is_wide: bool,
}

fn search(turn: &Turn, listed: &Claims<'_>, request: &Request) -> Option<Search> {
    let (cluster, target) = (identity(turn.cluster.as_ref()?), turn.target.as_deref()?);
    let mut namespaces: BTreeSet<String> = target.iter().map(|object| object.namespace().to_owned()).collect();
    namespaces.insert(turn.application.destination.namespace.clone());
    namespaces.remove("");
    let mut search = Search { cluster, tracking: turn.tracking(request), namespaces, is_wide: target.is_empty() };
    let is_claimed = listed.of_application(&search).next().is_some();
    search.is_wide |= is_claimed;
    Some(search)
}

/// Objects that some application calls its own, by cluster and by the name or the `ApplySet` they carry: each object is
/// looked at once, however many applications there are.
struct Claims<'live>(HashMap<(ClusterId, String), Vec<&'live Object>>);

impl<'live> Claims<'live> {
    fn of(objects: impl Iterator<Item = (ClusterId, &'live Object)>, request: &Request) -> Self {
        // Of no application: so every claim is another's, and says whose.
        let nobody = Tracking {
            instance_name: String::new(),
            label_key: request.label_key(),
            installation_id: None,
            applyset_id: String::new(),
        };
        let mut claims: HashMap<_, Vec<&Object>> = HashMap::new();
        for (cluster, object) in objects {
            if let Some(TrackedBy::Other(owner)) = is_tracked(object, &nobody) {
                claims.entry((cluster, owner)).or_default().push(object);
            }
        }
        Self(claims)
    }

    fn of_application(&self, search: &Search) -> impl Iterator<Item = &'live Object> {
        [&search.tracking.instance_name, &search.tracking.applyset_id]
            .into_iter()
            .filter_map(|owner| self.0.get(&(search.cluster, owner.clone())))
            .flatten()
            .copied()
    }
}

/// What a sweep of one cluster saw, and what it could not see.
#[derive(Default)]
struct Swept {
    objects: Vec<Object>,
    forbidden: BTreeSet<String>,
    failed: Option<ClusterError>,
}

impl Swept {
    fn findings(&self) -> impl Iterator<Item = (&'static str, Finding)> {
        let forbidden = (!self.forbidden.is_empty()).then(|| ("ExtrasUnseenWarning", forbidden(&self.forbidden)));
        let failed = self.failed.as_ref().map(|error| ("ComparisonError", Finding::of(error)));
        forbidden.into_iter().chain(failed)
    }
}

/// Lists the names of everything else, each kind and namespace once for all applications.
async fn sweep(
    turns: &[Turn],
    searches: &[Option<Search>],
    live: &Live,
    request: &Request,
    progress: &Progress,
) -> HashMap<ClusterId, Swept> {
    let mut clusters: BTreeMap<ClusterId, (&Turn, BTreeSet<&str>)> = BTreeMap::new();
    for (turn, search) in turns.iter().zip(searches) {
        if let Some(search) = search.as_ref().filter(|search| search.is_wide) {
            let (_, namespaces) = clusters.entry(search.cluster).or_insert_with(|| (turn, BTreeSet::new()));
            namespaces.extend(search.namespaces.iter().map(String::as_str));
        }
    }
    let mut wanted: Vec<(ClusterId, Arc<dyn Cluster>, ListRequest)> = Vec::new();
    for (id, (turn, namespaces)) in clusters {
        let (Some(cluster), Some(kinds)) = (&turn.cluster, &turn.kinds) else { continue };
        let requests = unlisted(kinds, live, id, (&request.settings.exclusions, turn.server()))
            .flat_map(|facts| places(facts, &namespaces));
        wanted.extend(requests.map(|request| (id, Arc::clone(cluster), request)));
    }
    progress.expect(Stage::List, wanted.len());
    let mut lists = stream::iter(wanted.into_iter().map(|(id, cluster, wanted)| async move {
        let listed = cluster.list(&wanted).await;
        progress.done(Stage::List, wanted.gvk.kind.clone());
        (id, wanted, listed)
    }))
    .buffer_unordered(request.concurrency.max(1));
    let mut swept: HashMap<ClusterId, Swept> = HashMap::new();
    while let Some((id, wanted, listed)) = lists.next().await {
        let swept = swept.entry(id).or_default();
        match listed {
            Ok(objects) => swept.objects.extend(objects),
            Err(ClusterError::Forbidden { .. }) => {
                swept.forbidden.insert(wanted.gvk.group_kind().to_string());
            }
            // Its objects went with it.
            Err(ClusterError::Vanished { .. }) => {}
            Err(error) => swept.failed = Some(error),
        }
    }
    swept
}

/// Kinds that can be listed, are not excluded, and were not listed yet.
fn unlisted<'a>(
    kinds: &'a Kinds,
    live: &Live,
    cluster: ClusterId,
    (exclusions, server): (&'a Exclusions, &'a str),
) -> impl Iterator<Item = &'a KindFacts> {
    let known = live.kinds(cluster);
    kinds.iter().filter(move |facts| {
        let kind = facts.gvk.group_kind();
        facts.is_listable() && !exclusions.excludes(&kind, server) && !known.contains(&kind)
    })
}

fn places(facts: &KindFacts, namespaces: &BTreeSet<&str>) -> Vec<ListRequest> {
    let one = |namespace| ListRequest { gvk: facts.gvk.clone(), namespace, metadata_only: true };
    match facts.scope {
        Scope::Cluster => vec![one(None)],
        Scope::Namespaced => namespaces.iter().map(|namespace| one(Some((*namespace).to_owned()))).collect(),
    }
}

fn forbidden(kinds: &BTreeSet<String>) -> Finding {
    let names: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let message = format!("this account may not list {} kinds, so nothing is said of extras among them", kinds.len());
    Finding::warning("trueup::status::unseen", message)
        .with_cause(names.join(", "))
        .with_help("let the account list them, or leave it: all other kinds were looked at")
}
