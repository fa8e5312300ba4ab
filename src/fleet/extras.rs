//! Looks for extras: objects in the cluster that belong to an application and are no longer in git.
//!
//! In: the turns, what was listed for their targets. Out: extras among each turn's resources. The kinds that git names
//! were listed already. Of the others, those that the parent of the application's ApplySet names are swept (their metadata
//! only): members are of no other kinds. All of them are swept just for applications that Argo CD tracks something of, and
//! for those of which git holds nothing any more: an application that was never synced has no extras.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use super::Request;
use super::list::{ClusterId, Live, identity};
use super::turn::{Members, Turn};
use crate::app::settings::Exclusions;
use crate::cluster::{Cluster, ClusterError, ListRequest};
use crate::finding::Finding;
use crate::object::{Gvk, KindFacts, Kinds, Object, Scope};
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
        let extras: Vec<_> = found.iter().map(|live| extra(live, turn.baseline.as_deref())).collect();
        turn.surplus = found.into_iter().map(|live| Arc::new(live.clone())).collect();
        turn.resources.extend(extras);
        if let Some(swept) = swept.get(&search.cluster).filter(|_| search.reach != Reach::Nowhere) {
            swept.findings().for_each(|(kind, finding)| turn.condition(kind, finding));
        }
    }
}

/// Where one application's extras may be.
struct Search {
    cluster: ClusterId,
    tracking: Tracking,
    namespaces: BTreeSet<String>,
    /// Which kinds that git does not name are looked at, too.
    reach: Reach,
}

/// Which kinds that git does not name are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reach {
    /// None: the application has nothing in the cluster.
    Nowhere,
    /// Those that the parent of its ApplySet names, in the namespaces that it names: every member is among them.
    Members(Arc<Members>),
    /// All: marks of Argo CD may be on anything.
    Everywhere,
}

fn search(turn: &Turn, listed: &Claims<'_>, request: &Request) -> Option<Search> {
    let (cluster, target) = (identity(turn.cluster.as_ref()?), turn.target.as_deref()?);
    let mut namespaces: BTreeSet<String> = target.iter().map(|object| object.namespace().to_owned()).collect();
    namespaces.insert(turn.application.destination.namespace.clone());
    namespaces.remove("");
    let mut search = Search { cluster, tracking: turn.tracking(request), namespaces, reach: Reach::Nowhere };
    let is_claimed = |owner: &str| listed.of_owner(cluster, owner).next().is_some();
    let is_marked = is_claimed(&search.tracking.instance_name);
    search.reach = match &turn.members {
        _ if is_marked => Reach::Everywhere,
        Some(members) => Reach::Members(Arc::clone(members)),
        None if target.is_empty() || is_claimed(&search.tracking.applyset_id) => Reach::Everywhere,
        None => Reach::Nowhere,
    };
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
        let owners = [&search.tracking.instance_name, &search.tracking.applyset_id];
        owners.into_iter().flat_map(|owner| self.of_owner(search.cluster, owner))
    }

    fn of_owner(&self, cluster: ClusterId, owner: &str) -> impl Iterator<Item = &'live Object> {
        self.0.get(&(cluster, owner.to_owned())).into_iter().flatten().copied()
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
    let mut wanted: BTreeMap<(ClusterId, Gvk, Option<String>), Arc<dyn Cluster>> = BTreeMap::new();
    for (turn, search) in turns.iter().zip(searches) {
        let (Some(search), Some(cluster), Some(kinds)) = (search, &turn.cluster, &turn.kinds) else { continue };
        for (gvk, namespace) in unseen(search, kinds, live, (&request.settings.exclusions, turn.server())) {
            wanted.entry((search.cluster, gvk, namespace)).or_insert_with(|| Arc::clone(cluster));
        }
    }
    progress.expect(Stage::List, wanted.len());
    let mut lists = stream::iter(wanted.into_iter().map(|((id, gvk, namespace), cluster)| async move {
        let wanted = ListRequest { gvk, namespace, metadata_only: true };
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

/// Where the objects of a search may be, as far as nobody looked there yet: kinds that can be listed and are not excluded.
fn unseen(
    search: &Search,
    kinds: &Kinds,
    live: &Live,
    (exclusions, server): (&Exclusions, &str),
) -> Vec<(Gvk, Option<String>)> {
    let mut namespaces = search.namespaces.clone();
    let known = live.kinds(search.cluster);
    let facts: Vec<&KindFacts> = match &search.reach {
        Reach::Nowhere => Vec::new(),
        Reach::Everywhere => kinds.iter().filter(|facts| !known.contains(&facts.gvk.group_kind())).collect(),
        Reach::Members(members) => {
            namespaces.extend(members.namespaces.iter().cloned());
            members.kinds.iter().filter_map(|kind| kinds.preferred(kind)).collect()
        }
    };
    let facts =
        facts.into_iter().filter(|facts| facts.is_listable() && !exclusions.excludes(&facts.gvk.group_kind(), server));
    let places = facts.flat_map(|facts| places(facts, &namespaces));
    places.filter(|(gvk, namespace)| live.of_kind(search.cluster, gvk, namespace.as_deref()).is_none()).collect()
}

fn places(facts: &KindFacts, namespaces: &BTreeSet<String>) -> Vec<(Gvk, Option<String>)> {
    match facts.scope {
        Scope::Cluster => vec![(facts.gvk.clone(), None)],
        Scope::Namespaced => namespaces.iter().map(|namespace| (facts.gvk.clone(), Some(namespace.clone()))).collect(),
    }
}

fn forbidden(kinds: &BTreeSet<String>) -> Finding {
    let names: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let message = format!("this account may not list {} kinds, so nothing is said of extras among them", kinds.len());
    Finding::warning("trueup::status::unseen", message)
        .with_cause(names.join(", "))
        .with_help("let the account list them, or leave it: all other kinds were looked at")
}
