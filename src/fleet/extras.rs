//! Looks for extras: objects in the cluster that belong to an application and are no longer in git.
//!
//! In: the turns, what was listed for their targets. Out: extras among each turn's resources. The kinds that git names
//! were listed already. Of the others, those that the parent of the application's ApplySet names are swept (their metadata
//! only): members are of no other kinds. All of them are swept just for applications that Argo CD tracks something of, for
//! those whose parent cannot be believed, and for those of which git holds nothing any more: an application that was never
//! synced has no extras. What the last sync recorded, git dropped, and nobody could look for, is unknown.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use super::Request;
use super::condition::ConditionKind;
use super::list::{ClusterId, Live, identity, silence_of};
use super::turn::{Members, Turn};
use crate::app::settings::Exclusions;
use crate::cluster::{Cluster, ClusterError, ListRequest};
use crate::finding::Finding;
use crate::object::{Gap, GroupKind, Gvk, Key, KindFacts, Kinds, Object, Scope};
use crate::progress::{Progress, Stage};
use crate::render::gap_finding;
use crate::status::ResourceDrift;
use crate::status::compare::{Baseline, extra, unseen_extra};
use crate::status::tracking::{Mark, TrackedBy, Tracking, extras, is_labelled_by_trueup, is_tracked};
use crate::sync::plan::is_created_by_option;

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
        let mut found = extras(claimed, &in_git, &search.tracking);
        found.retain(|live| search.is_its_own(live, turn.baseline.as_deref()));
        found.retain(|live| !is_created_by_option(&turn.application, &live.key()));
        let unread = turn.unread();
        let gaps: Vec<Option<Gap>> = found.iter().map(|live| unread.gap_of(&live.key()).cloned()).collect();
        let extras: Vec<_> = found
            .iter()
            .zip(&gaps)
            .map(|(live, gap)| match gap {
                Some(gap) => git_may_have(live, gap),
                None => extra(live, turn.baseline.as_deref()),
            })
            .collect();
        turn.surplus = found.into_iter().map(|live| Arc::new(live.clone())).collect();
        turn.resources.extend(extras);
        gaps.iter().flatten().for_each(|gap| turn.condition(ConditionKind::Incomplete, gap_finding(gap)));
        let swept = swept.get(&search.cluster).filter(|_| search.reach != Reach::Nowhere);
        turn.unlisted = swept.map(|swept| swept.forbidden.keys().cloned().collect()).unwrap_or_default();
        let findings = swept.into_iter().flat_map(Swept::findings);
        findings.for_each(|(kind, finding)| turn.condition(kind, finding));
        tell_unseen(turn, &in_git, search.cluster, live, swept);
    }
}

/// A live object that git does not render and may still have: it is not said to be gone from git.
fn git_may_have(live: &Object, gap: &Gap) -> ResourceDrift {
    unseen_extra(&live.key(), live.gvk().version, format!("git may still have it: {gap}"))
}

/// What was brought by us, git dropped, and nobody could look for: it may be there, or not. Its kind stays in the record.
fn tell_unseen(turn: &mut Turn, in_git: &BTreeSet<Key>, cluster: ClusterId, live: &Live, swept: Option<&Swept>) {
    let Some(kinds) = turn.kinds.clone() else { return };
    let why = |kind: &GroupKind, namespace: Option<&str>| match kinds.preferred(kind) {
        None => silence_of(&kinds, &kind.group),
        Some(facts) => match live.of_kind(cluster, &facts.gvk, namespace.filter(|namespace| !namespace.is_empty())) {
            Some(Ok(_)) => None,
            Some(Err(error)) => Some(error.to_string()),
            None => swept.filter(|swept| swept.hides(kind, namespace)).map(|_| NOT_LISTED.to_owned()),
        },
    };
    let members = turn.members.iter().flat_map(|members| &members.kinds);
    let unseen: BTreeSet<GroupKind> = members.filter(|kind| why(kind, None).is_some()).cloned().collect();
    let recorded = turn.baseline.iter().flat_map(|baseline| baseline.keys()).filter(|key| !in_git.contains(*key));
    let hidden = recorded.filter_map(|key| {
        let why = why(&key.group_kind(), Some(&key.namespace))?;
        let version = kinds.preferred(&key.group_kind()).map(|facts| facts.gvk.version.clone()).unwrap_or_default();
        Some(unseen_extra(key, version, format!("git dropped it, and whether it is gone is not known: {why}")))
    });
    let hidden: Vec<_> = hidden.collect();
    turn.resources.extend(hidden);
    turn.unseen = unseen;
}

/// Why an object is not seen that this account has no right to list.
const NOT_LISTED: &str = "this account may not list its kind";

/// Where one application's extras may be.
struct Search {
    cluster: ClusterId,
    tracking: Tracking,
    namespaces: BTreeSet<String>,
    /// Which kinds that git does not name are looked at, too.
    reach: Reach,
}

impl Search {
    /// Whether what carries the application's mark is its own. A copy by hand, or a backup's in another namespace, has our label,
    /// too: members are what trueup labelled, or recorded, where the parent says that members are. Without a record nothing tells.
    fn is_its_own(&self, live: &Object, baseline: Option<&Baseline>) -> bool {
        if is_tracked(live, &self.tracking) != Some(TrackedBy::ThisApplication(Mark::ApplySet)) {
            return true;
        }
        let is_in_reach = live.namespace().is_empty() || self.namespaces.contains(live.namespace());
        let is_recorded = baseline.is_none_or(|baseline| baseline.of(&live.key()).is_some());
        is_in_reach && (is_recorded || is_labelled_by_trueup(live))
    }
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
    namespaces.extend(turn.members.iter().flat_map(|members| members.namespaces.iter().cloned()));
    namespaces.remove("");
    let mut search = Search { cluster, tracking: turn.tracking(request), namespaces, reach: Reach::Nowhere };
    let is_claimed = |owner: &str| listed.of_owner(cluster, owner).next().is_some();
    let is_marked = is_claimed(&search.tracking.instance_name);
    search.reach = match &turn.members {
        _ if is_marked => Reach::Everywhere,
        Some(members) if members.is_certain => Reach::Members(Arc::clone(members)),
        Some(_) => Reach::Everywhere,
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
    /// Each kind that may not be listed, with the namespaces; none is the whole cluster.
    forbidden: BTreeMap<GroupKind, BTreeSet<Option<String>>>,
    failed: Option<ClusterError>,
}

impl Swept {
    /// Whether a kind could not be listed in a namespace, or in any.
    fn hides(&self, kind: &GroupKind, namespace: Option<&str>) -> bool {
        let hidden = self.forbidden.get(kind);
        hidden.is_some_and(|places| {
            namespace.is_none_or(|namespace| {
                places.iter().any(|place| place.as_deref().is_none_or(|place| place == namespace))
            })
        })
    }

    fn findings(&self) -> impl Iterator<Item = (ConditionKind, Finding)> {
        let forbidden = (!self.forbidden.is_empty())
            .then(|| (ConditionKind::ExtrasUnseenWarning, forbidden(self.forbidden.keys())));
        let failed = self.failed.as_ref().map(|error| (ConditionKind::ComparisonError, Finding::of(error)));
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
                swept.forbidden.entry(wanted.gvk.group_kind()).or_default().insert(wanted.namespace);
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
    let facts: Vec<&KindFacts> = match &search.reach {
        Reach::Nowhere => Vec::new(),
        Reach::Everywhere => kinds.iter().collect(),
        Reach::Members(members) => members.kinds.iter().filter_map(|kind| kinds.preferred(kind)).collect(),
    };
    let facts =
        facts.into_iter().filter(|facts| facts.is_listable() && !exclusions.excludes(&facts.gvk.group_kind(), server));
    let places = facts.flat_map(|facts| places(facts, &search.namespaces));
    places.filter(|(gvk, namespace)| live.of_kind(search.cluster, gvk, namespace.as_deref()).is_none()).collect()
}

fn places(facts: &KindFacts, namespaces: &BTreeSet<String>) -> Vec<(Gvk, Option<String>)> {
    match facts.scope {
        Scope::Cluster => vec![(facts.gvk.clone(), None)],
        Scope::Namespaced => namespaces.iter().map(|namespace| (facts.gvk.clone(), Some(namespace.clone()))).collect(),
    }
}

fn forbidden<'a>(kinds: impl ExactSizeIterator<Item = &'a GroupKind>) -> Finding {
    let kinds_of = |count| if count == 1 { "1 kind".to_owned() } else { format!("{count} kinds") };
    let message = format!("this account may not list {}, so nothing is said of such extras", kinds_of(kinds.len()));
    let names: Vec<String> = kinds.map(ToString::to_string).collect();
    Finding::warning("trueup::status::unseen", message)
        .with_cause(names.join(", "))
        .with_help("let the account list them, or leave it: all other kinds were looked at")
}
