//! Looks for extras: objects in the cluster that belong to an application and are no longer in git.
//!
//! In: observed applications. Out: the [`Extras`] of each. The kinds that git names
//! were listed already. Of the others, an application that trueup tracks needs those that the parent of its ApplySet names: members
//! are of no other kinds. Every other application may have extras of any kind: one that Argo CD tracks, one that was never synced,
//! one whose parent cannot be believed. For these, the metadata of all kinds is listed for the whole cluster, once for all of them.
//! Where Argo CD tracks something that git names, its marks count in every namespace; where it does not, in the application's own
//! alone, because another installation's application may have the same name.
//!
//! The answer depends on the application and the cluster alone, not on the other applications of the run. What the last sync
//! recorded, git dropped, and nobody could look for, is unknown.
//!
//! Rules: Argo CD looks for its marks in the whole cluster (gitops-engine pkg/cache/cluster.go `GetManagedLiveObjs`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::project;
use super::sweep::{Area, KindsToList, Swept, sweep};
use crate::cluster::ClusterError;
use crate::finding::{Code, Finding};
use crate::fleet::Request;
use crate::fleet::application::{Extras, Observed};
use crate::fleet::condition::ConditionKind;
use crate::fleet::live::{ClusterId, identity, silence_of};
use crate::object::{Gap, GroupKind, Key, KindFacts, Object, Scope};
use crate::progress::Progress;
use crate::render::gap_finding;
use crate::status::ResourceDrift;
use crate::status::compare::{Baseline, extra, unseen_extra};
use crate::status::tracking::{
    Mark, TrackedBy, Tracking, argo_cd_application, extras, is_labelled_by_argo_cd, is_labelled_by_trueup, is_tracked,
};
use crate::sync::plan::is_created_by_option;

/// The extras of each application, in order. All of them have the same listing.
pub(crate) async fn find(observed: &[Observed], request: &Request, progress: &Progress) -> Vec<Extras> {
    let Some(live) = observed.first().map(|one| Arc::clone(&one.live)) else { return Vec::new() };
    let listed = Claims::of(live.objects(), request);
    let searches = searches(observed, &listed, request);
    let areas = observed.iter().zip(&searches).map(|(one, search)| (&***one, &search.area));
    let owners = owners(&searches);
    let unmarked = unmarked(request);
    let is_claimed = |cluster: ClusterId, object: &Object| match is_tracked(object, &unmarked) {
        Some(TrackedBy::Other(owner)) => owners.contains(&(cluster, owner.as_str())),
        _ => false,
    };
    let swept = sweep(areas, &live, request.concurrency, is_claimed, progress).await;
    let names = swept.iter().flat_map(|(cluster, swept)| swept.objects.iter().map(move |object| (*cluster, object)));
    let names = Claims::of(names, request);
    let of_application = |(observed, search): (&Observed, &Search)| {
        let swept = swept.get(&search.area.cluster);
        let claimed = [&listed, &names].into_iter().flat_map(|claims| claims.of_application(search));
        let claimed: Vec<&Object> = claimed.filter(|live| search.area.covers(live, swept)).collect();
        let is_marked = search.has_evidence || claimed.iter().any(|live| !search.area.is_named_by_git(live));
        let mut extras = report(observed, search, claimed, swept);
        extras.unlisted = swept.filter(|_| is_marked).map(|swept| unlisted(swept, &search.area)).unwrap_or_default();
        extras.conditions.extend(swept.into_iter().flat_map(|swept| unseen(swept, &search.area, is_marked)));
        project::permitted(extras, observed, request)
    };
    observed.iter().zip(&searches).map(of_application).collect()
}

/// The extras.
fn report(observed: &Observed, search: &Search, claimed: Vec<&Object>, swept: Option<&Swept>) -> Extras {
    let baseline = observed.record.baseline.as_deref();
    let in_git = observed.target.iter().map(Object::key).collect();
    let mut found = extras(claimed, &in_git, &search.tracking);
    found.retain(|live| search.is_its_own(live, baseline));
    found.retain(|live| !is_created_by_option(&observed.application, &live.key()));
    let unread = observed.unread();
    let gaps: Vec<Option<Gap>> = found.iter().map(|live| unread.gap_of(&live.key()).cloned()).collect();
    let with_gaps = found.iter().zip(&gaps);
    let mut resources: Vec<ResourceDrift> = with_gaps
        .map(|(live, gap)| match gap {
            Some(gap) => git_may_have(live, gap),
            None => extra(live, baseline),
        })
        .collect();
    let (hidden, unseen) = hidden(observed, &in_git, &search.area, swept);
    resources.extend(hidden);
    Extras {
        resources,
        surplus: found.into_iter().map(|live| Arc::new(live.clone())).collect(),
        unseen,
        unlisted: BTreeSet::new(),
        conditions: gaps.iter().flatten().map(|gap| (ConditionKind::Incomplete, gap_finding(gap))).collect(),
    }
}

/// A live object that git does not render and may still have: it is not said to be gone from git.
fn git_may_have(live: &Object, gap: &Gap) -> ResourceDrift {
    unseen_extra(&live.key(), live.gvk().version, format!("git may still have it: {gap}"))
}

/// Objects that trueup applied, git dropped, and that could not be looked up; and the kinds of members of which that may be so,
/// which stay in the record.
fn hidden(
    observed: &Observed,
    in_git: &BTreeSet<Key>,
    area: &Area,
    swept: Option<&Swept>,
) -> (Vec<ResourceDrift>, BTreeSet<GroupKind>) {
    let kinds = observed.kinds();
    let why = |kind: &GroupKind, namespace: Option<&str>| match kinds.preferred(kind) {
        None => silence_of(kinds, &kind.group),
        Some(facts) if is_outside(observed, facts, namespace) => Some(NOT_MANAGED.to_owned()),
        Some(facts) => {
            let namespace_of = namespace.filter(|namespace| !namespace.is_empty());
            match observed.live.of_kind(area.cluster, &facts.gvk, namespace_of) {
                Some(Ok(_)) => None,
                Some(Err(error)) => Some(error.to_string()),
                None => swept.filter(|swept| swept.hides(area, kind, namespace)).map(|_| NOT_LISTED.to_owned()),
            }
        }
    };
    let record = &observed.record;
    let members = record.members.iter().flat_map(|members| &members.kinds);
    let unseen: BTreeSet<GroupKind> = members.filter(|kind| why(kind, None).is_some()).cloned().collect();
    let recorded = record.baseline.iter().flat_map(|baseline| baseline.keys()).filter(|key| !in_git.contains(*key));
    let hidden = recorded.filter_map(|key| {
        let why = why(&key.group_kind(), Some(&key.namespace))?;
        let version = kinds.preferred(&key.group_kind()).map(|facts| facts.gvk.version.clone()).unwrap_or_default();
        Some(unseen_extra(key, version, format!("removed from git; whether it still exists is unknown: {why}")))
    });
    (hidden.collect(), unseen)
}

/// Why an object is not seen that this account has no right to list.
const NOT_LISTED: &str = "this account cannot list its kind";

/// Why an object is not seen that is outside of what the cluster's Secret leaves to Argo CD.
const NOT_MANAGED: &str = "the cluster's Secret does not let it be managed";

/// Whether members of a kind are outside of what is managed of the cluster: in this namespace, or in any of theirs.
pub(crate) fn is_outside(observed: &Observed, facts: &KindFacts, namespace: Option<&str>) -> bool {
    let Some(limits) = observed.cluster().limits() else { return false };
    match (facts.scope, namespace) {
        (Scope::Cluster, _) => limits.hide(Scope::Cluster, ""),
        (scope, Some(namespace)) => limits.hide(scope, namespace),
        (scope, None) => {
            let mut namespaces = observed.record.members.iter().flat_map(|members| &members.namespaces);
            namespaces.any(|namespace| !namespace.is_empty() && limits.hide(scope, namespace))
        }
    }
}

/// How one application's extras are looked for.
struct Search {
    tracking: Tracking,
    area: Area,
    /// Whether anything says that there may be extras: a mark, a record of a sync, or that git has nothing any more.
    has_evidence: bool,
}

impl Search {
    /// Whether what carries the application's mark is its own. A copy by hand, or a backup's in another namespace, has the same
    /// labels: members are what trueup labelled, or recorded, where the parent says that members are. Without a record nothing
    /// tells. In a namespace that is not the application's, a label counts only where Argo CD put it there.
    fn is_its_own(&self, live: &Object, baseline: Option<&Baseline>) -> bool {
        let is_in_reach = self.area.is_own_namespace(live.namespace());
        match is_tracked(live, &self.tracking) {
            Some(TrackedBy::ThisApplication(Mark::ApplySet)) => {
                let is_recorded = baseline.is_none_or(|baseline| baseline.of(&live.key()).is_some());
                is_in_reach && (is_recorded || is_labelled_by_trueup(live))
            }
            Some(TrackedBy::ThisApplication(Mark::Label)) => {
                let key = self.tracking.label_key.as_deref();
                is_in_reach || key.is_some_and(|key| is_labelled_by_argo_cd(live, key))
            }
            _ => true,
        }
    }
}

/// The kinds of a cluster that can hold extras, by cluster and the name that exclusions know it by.
type AllKinds = HashMap<(ClusterId, String), Arc<KindsToList>>;

fn searches(observed: &[Observed], listed: &Claims<'_>, request: &Request) -> Vec<Search> {
    let mut all_kinds = AllKinds::new();
    observed.iter().map(|one| search(one, listed, request, &mut all_kinds)).collect()
}

fn search(observed: &Observed, listed: &Claims<'_>, request: &Request, all_kinds: &mut AllKinds) -> Search {
    let (cluster, target) = (identity(&observed.connection.cluster), &observed.target);
    let (kinds, members) = (observed.kinds(), observed.record.members.as_ref());
    let in_git = target.iter().map(|object| (object.gvk().group_kind(), object.namespace().to_owned())).collect();
    let mut namespaces: BTreeSet<String> = target.iter().map(|object| object.namespace().to_owned()).collect();
    namespaces.insert(observed.application.destination.namespace.clone());
    namespaces.extend(members.iter().flat_map(|members| members.namespaces.iter().cloned()));
    namespaces.remove("");
    let tracking = observed.tracking(request);
    let to_list = |facts: Vec<&KindFacts>| -> KindsToList {
        let is_looked_for = |kind: &GroupKind| !request.settings.exclusions.excludes(kind, observed.server());
        let facts = facts.into_iter().filter(|facts| facts.is_listable());
        let kinds = facts.map(|facts| (facts.gvk.group_kind(), facts.clone()));
        kinds.filter(|(kind, _)| is_looked_for(kind)).collect()
    };
    let mut area =
        Area { cluster, in_git, kinds: Arc::default(), namespaces, is_whole_cluster: false, is_any_namespace: false };
    let is_marked = listed.are_any_in(&area, &tracking);
    area.is_any_namespace = is_marked;
    if let Some(members) = members.filter(|members| members.is_certain && !is_marked) {
        let of_members = members.kinds.iter().filter_map(|kind| kinds.preferred(kind));
        area.kinds = Arc::new(to_list(of_members.collect()));
    } else {
        let all = all_kinds.entry((cluster, observed.server().to_owned()));
        let all = all.or_insert_with(|| Arc::new(to_list(kinds.iter().collect())));
        (area.kinds, area.is_whole_cluster) = (Arc::clone(all), true);
    }
    let has_evidence = is_marked || members.is_some() || target.is_empty();
    Search { tracking, area, has_evidence }
}

/// The marks that the applications of a run are known by, by cluster.
fn owners(searches: &[Search]) -> HashSet<(ClusterId, &str)> {
    let marks = searches.iter().flat_map(|search| {
        let names = [search.tracking.instance_name.as_str(), search.tracking.applyset_id.as_str()];
        names.map(|name| (search.area.cluster, name))
    });
    marks.collect()
}

/// Of no application: every claim is another's then, and says whose.
fn unmarked(request: &Request) -> Tracking {
    Tracking {
        instance_name: String::new(),
        label_key: request.label_key(),
        installation_id: None,
        applyset_id: String::new(),
    }
}

/// Objects that some application calls its own, by cluster and by the name or the `ApplySet` they carry: each object is
/// looked at once, however many applications there are.
struct Claims<'live> {
    by_owner: HashMap<(ClusterId, String), Vec<&'live Object>>,
    /// Objects that carry an `ApplySet` label and Argo CD's mark as well, by the name in that.
    by_argo_cd_too: HashMap<(ClusterId, String), Vec<&'live Object>>,
}

impl<'live> Claims<'live> {
    fn of(objects: impl Iterator<Item = (ClusterId, &'live Object)>, request: &Request) -> Self {
        let unmarked = unmarked(request);
        let mut claims = Self { by_owner: HashMap::new(), by_argo_cd_too: HashMap::new() };
        for (cluster, object) in objects {
            let Some(TrackedBy::Other(owner)) = is_tracked(object, &unmarked) else { continue };
            let too = argo_cd_application(object, unmarked.label_key.as_deref()).filter(|name| *name != owner);
            if let Some(name) = too {
                claims.by_argo_cd_too.entry((cluster, name.to_owned())).or_default().push(object);
            }
            claims.by_owner.entry((cluster, owner)).or_default().push(object);
        }
        claims
    }

    fn of_application(&self, search: &Search) -> impl Iterator<Item = &'live Object> {
        let owners = [&search.tracking.instance_name, &search.tracking.applyset_id];
        owners.into_iter().flat_map(|owner| claimed_by(&self.by_owner, search.area.cluster, owner))
    }

    /// Whether Argo CD marks anything that is of a kind and in a namespace that git names as the application's own.
    fn are_any_in(&self, area: &Area, tracking: &Tracking) -> bool {
        let claims = [&self.by_owner, &self.by_argo_cd_too].into_iter();
        let mut marked = claims.flat_map(|claims| claimed_by(claims, area.cluster, &tracking.instance_name));
        marked.any(|live| area.is_named_by_git(live))
    }
}

fn claimed_by<'live>(
    claims: &HashMap<(ClusterId, String), Vec<&'live Object>>,
    cluster: ClusterId,
    owner: &str,
) -> impl Iterator<Item = &'live Object> {
    claims.get(&(cluster, owner.to_owned())).into_iter().flatten().copied()
}

/// The kinds of an application's area that could not be listed everywhere.
fn unlisted(swept: &Swept, area: &Area) -> BTreeSet<GroupKind> {
    swept.unseen_in(area).map(|(kind, _, _)| kind).chain(swept.narrow_in(area)).cloned().collect()
}

/// The kinds of an application's area that could not be listed, as conditions. Where nothing says that there are extras, an account
/// that cannot list everything is no news.
fn unseen(swept: &Swept, area: &Area, is_marked: bool) -> Vec<(ConditionKind, Finding)> {
    // What git names was listed for the comparison, which has reported it.
    let is_reported = |kind: &GroupKind, place: Option<&str>| match place {
        None => area.in_git.contains(&(kind.clone(), String::new())),
        Some(namespace) => area.in_git.contains(&(kind.clone(), namespace.to_owned())),
    };
    let unseen = || swept.unseen_in(area).filter(|(kind, place, _)| !is_reported(kind, *place));
    let is_forbidden = |error: &ClusterError| matches!(error, ClusterError::Forbidden { .. });
    let nowhere: BTreeSet<&GroupKind> =
        unseen().filter(|(_, _, error)| is_forbidden(error)).map(|(kind, _, _)| kind).collect();
    let narrow: BTreeSet<&GroupKind> = swept.narrow_in(area).filter(|kind| !nowhere.contains(kind)).collect();
    let failed: BTreeMap<&GroupKind, &ClusterError> =
        unseen().filter(|(_, _, error)| !is_forbidden(error)).map(|(kind, _, error)| (kind, error)).collect();
    let mut conditions = Vec::new();
    if is_marked && (!nowhere.is_empty() || !narrow.is_empty()) {
        conditions.push((ConditionKind::ExtrasUnseenWarning, not_allowed(&nowhere, &narrow)));
    }
    if let Some((kind, error)) = failed.first_key_value() {
        let finding = if is_marked { Finding::of(*error) } else { not_answered(kind, error, failed.len()) };
        conditions.push((
            if is_marked { ConditionKind::ComparisonError } else { ConditionKind::ExtrasUnseenWarning },
            finding,
        ));
    }
    conditions
}

fn not_allowed(nowhere: &BTreeSet<&GroupKind>, narrow: &BTreeSet<&GroupKind>) -> Finding {
    let parts = [
        (!nowhere.is_empty()).then(|| format!("cannot list {}", counted(nowhere.len()))),
        (!narrow.is_empty())
            .then(|| format!("can list {} only in the application's own namespaces", counted(narrow.len()))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let message = format!("this account {}, so extras elsewhere are not reported", parts.join(" and "));
    let names: Vec<String> = nowhere.iter().chain(narrow).map(ToString::to_string).collect();
    Finding::warning(UNSEEN, message)
        .with_cause(names.join(", "))
        .with_help("let the account list them, or leave it: all other kinds were looked at")
}

fn not_answered(kind: &GroupKind, error: &ClusterError, count: usize) -> Finding {
    let message = format!("{} could not be listed, so such extras are not reported", counted(count));
    Finding::warning(UNSEEN, message).with_cause(format!("{kind}: {error}"))
}

const UNSEEN: Code = Code::StatusUnseen;

fn counted(count: usize) -> String {
    if count == 1 { "1 kind".to_owned() } else { format!("{count} kinds") }
}
