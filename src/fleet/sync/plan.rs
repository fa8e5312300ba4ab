//! Plans every application: what its wish or policy lets be done, in order, and whether the server would take it.
//!
//! In: compared turns. Out: a plan for each that may be synced, or what is said in its place. An application that could not
//! be compared in full is not synced: what is unknown must not be written over.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use crate::cluster::{ClusterError, ObjectName, Reason};
use crate::finding::Finding;
use crate::finding::codes::NOT_PERMITTED;
use crate::fleet::applyset::marked;
use crate::fleet::condition::{Condition, ConditionKind};
use crate::fleet::stages::compare::{self, Seen, find_live};
use crate::fleet::stages::last_render;
use crate::fleet::stages::last_render::{PastTarget, PastUnknown, Said};
use crate::fleet::stages::list::identity;
use crate::fleet::stages::owners;
use crate::fleet::sync::delete;
use crate::fleet::sync::{SyncRequest, Wish};
use crate::fleet::turn::Turn;
use crate::fleet::{Request, World};
use crate::object::annotations::{is_hook, is_skipped};
use crate::object::{Gvk, Key, Object};
use crate::status::compare::Baseline;
use crate::status::{Moved, ResourceDrift, ResourceState};
use crate::sync::decide::{Decision, LastSync, Policy, Scope, decide};
use crate::sync::dry_run::{Complaint, ComplaintKind, Extent, dry_run};
use crate::sync::plan::{self, Plan, PlanInput, PlanRefused, Surplus, Wanted};
use crate::sync::state::State;

pub(crate) async fn plan(turns: &mut [Turn], request: &Request, wanted: &SyncRequest, world: &World) {
    stream::iter(turns.iter_mut().map(|turn| plan_one(turn, request, wanted, world)))
        .buffer_unordered(request.concurrency.max(1))
        .collect::<()>()
        .await;
}

/// Plans one application; what forbids it becomes a condition.
pub(crate) async fn plan_one(turn: &mut Turn, request: &Request, wanted: &SyncRequest, world: &World) {
    turn.plan = None;
    turn.is_refused = false;
    if turn.cluster.is_none() || turn.target.is_none() {
        return;
    }
    if let (Wish::Delete(_), Err(finding)) = (wanted.wish, delete::refuse_unseen(turn)) {
        return turn.condition(ConditionKind::SyncError, finding);
    }
    if refuse_incomplete(turn, wanted) {
        return;
    }
    let state = turn.state.as_ref().map(|state| match state {
        Ok(State { doubt: Some(doubt), .. }) => Err(doubt),
        state => state.as_ref(),
    });
    let decision = match state {
        Some(Ok(state)) => decided(turn, wanted, state),
        Some(Err(error)) => {
            let finding = Finding::of(error);
            // What was a warning to who compares is an error to who syncs, and said once.
            turn.conditions.retain(|condition| condition.kind != ConditionKind::BaselineWarning);
            return turn.condition(ConditionKind::SyncError, finding);
        }
        // Without the cluster's kinds nothing was read, and nothing can be planned.
        None => return,
    };
    let scope = match decision {
        Decision::Nothing => return,
        Decision::Leave(why) => {
            turn.left = Some(why);
            return;
        }
        Decision::Sync(scope) => scope,
        Decision::HealToLastSync(scope) => {
            if !go_back(turn, request, world).await {
                return;
            }
            scope
        }
    };
    let planned = match wanted.wish {
        Wish::Delete(how) => delete::planned(turn, how, request, wanted).await,
        _ => planned(turn, scope, request, wanted).await,
    };
    match planned {
        Ok(mut plan) => {
            let complaints = dry_run_findings(turn, &mut plan, wanted, request).await;
            for warning in &plan.warnings {
                turn.condition(ConditionKind::SyncWarning, Finding::warning("trueup::sync::odd", warning));
            }
            turn.plan = Some(plan);
            turn.is_refused = !complaints.is_empty();
            for finding in complaints {
                turn.condition(ConditionKind::SyncError, finding);
            }
        }
        Err(findings) => findings.into_iter().for_each(|finding| turn.condition(ConditionKind::SyncError, finding)),
    }
}

/// Whether the application must not be written to at all.
fn refuse_incomplete(turn: &mut Turn, wanted: &SyncRequest) -> bool {
    // What git may still have is left alone, and all the rest is known.
    let unread = turn.unread();
    let is_held = |resource: &ResourceDrift| {
        let is_surplus = || turn.surplus.iter().any(|live| live.key() == resource.key());
        resource.state == ResourceState::Unknown && unread.gap_of(&resource.key()).is_some() && is_surplus()
    };
    let unknown = turn.resources.iter().find(|resource| resource.state == ResourceState::Unknown && !is_held(resource));
    if unknown.is_some() || turn.conditions.iter().any(Condition::blocks_sync) {
        if let Some(resource) = unknown {
            let message = format!("not synced: `{}/{}` could not be compared", resource.gvk.kind, resource.name);
            let finding = Finding::error("trueup::sync::unknown", message)
                .with_help("see `trueup diff`; an object in an unknown state is not overwritten")
                .with_cause(resource.note.clone().unwrap_or_default());
            turn.condition(ConditionKind::SyncError, finding);
        }
        return true;
    }
    let is_shared = !turn.shared.is_empty();
    if is_shared && !wanted.flags.allow_shared {
        let finding =
            Finding::error("trueup::sync::shared", "not synced: another application owns some of its objects")
                .with_help("keep each object in one application; `--allow-shared` syncs it anyway");
        turn.condition(ConditionKind::SyncError, finding);
    }
    is_shared && !wanted.flags.allow_shared
}

/// The scope that the request or the policy allows.
fn decided(turn: &Turn, wanted: &SyncRequest, state: &State) -> Decision {
    let of_manifest = Policy::of(&turn.application.sync_policy);
    match wanted.wish {
        Wish::Delete(_) => Decision::Sync(Scope { whole: true, apply: true, prune: true }),
        Wish::Sync { prune } | Wish::Rollback { prune, .. } => {
            Decision::Sync(Scope { whole: true, apply: true, prune: prune || of_manifest.prune })
        }
        Wish::Reconcile { self_heal, auto_prune } => {
            if let Some(id) = state.rolled_back_to {
                return Decision::Leave(format!(
                    "it was rolled back to {id}; `trueup sync` or `trueup rollback --clear` resumes syncing"
                ));
            }
            let policy = Policy {
                prune: auto_prune || of_manifest.prune,
                self_heal: self_heal || of_manifest.self_heal,
                allow_empty: wanted.flags.allow_empty || of_manifest.allow_empty,
                ..of_manifest
            };
            decide(policy, &turn.resources, last_sync(turn, state))
        }
    }
}

/// The last sync that succeeded.
fn last_sync(turn: &Turn, state: &State) -> LastSync {
    match &turn.baseline {
        _ if state.was_cut_short() => LastSync::CutShort,
        None => LastSync::None,
        Some(_) if state.was_interrupted() => LastSync::None,
        Some(baseline) if is_as_synced(turn, baseline) => LastSync::SameRevision,
        Some(_) => LastSync::OtherRevision,
    }
}

/// Whether git and the manifest say what they said at the last sync. Where the record does not have the sources of then, what
/// differs from the cluster has to be what was applied.
fn is_as_synced(turn: &Turn, baseline: &Baseline) -> bool {
    if !turn.sources.iter().map(|source| &source.revision).eq(&baseline.revisions) {
        return false;
    }
    last_render::has_sources_of_last_sync(turn).unwrap_or_else(|| {
        let targets: HashMap<Key, &Object> =
            turn.target.iter().flat_map(|target| target.iter()).map(|object| (object.key(), object)).collect();
        let drifted = turn.resources.iter().filter(|resource| resource.is_drift());
        drifted.filter(|resource| resource.state != ResourceState::Extra).all(|resource| {
            let target = targets.get(&resource.key());
            target.is_some_and(|target| baseline.is_as_applied(target) == Some(true))
        })
    })
}

/// Makes the target what git said at the last sync, and compares again; whether that is known.
async fn go_back(turn: &mut Turn, request: &Request, world: &World) -> bool {
    let then = last_render::target(turn, request, world).await;
    let kept = then.map_err(|why| (None, why)).and_then(|then| healed_to(turn, &then));
    let kept = match kept {
        Ok(kept) => kept,
        Err((object, why)) => {
            let what = object.map(|key| format!("of `{key}` ")).unwrap_or_default();
            let message = format!("not healed: the target {what}of the last sync is not known; nothing was written");
            let finding = Finding::error("trueup::sync::past", message)
                .with_cause(why.to_string())
                .with_help("`trueup sync` applies what git and the manifest say now and records it");
            turn.condition(ConditionKind::SyncError, finding);
            return false;
        }
    };
    let (surplus, unseen) = (std::mem::take(&mut turn.surplus), std::mem::take(&mut turn.unseen));
    let extras: Vec<ResourceDrift> = turn
        .resources
        .extract_if(.., |resource| surplus.iter().any(|live: &Arc<Object>| live.key() == resource.key()))
        .collect();
    turn.set_target(Arc::new(kept));
    turn.begin_again();
    let Some(live) = turn.live.clone() else { return false };
    let turns = std::slice::from_mut(turn);
    crate::fleet::stages::last_sync::mark(turns, request);
    compare::compare(turns, &live, request, world).await;
    turn.resources.extend(extras);
    (turn.surplus, turn.unseen) = (surplus, unseen);
    true
}

/// The target that an application is reverted to: that of the last sync of all that it still has. Refused where that is not
/// known of something that changed in the cluster.
fn healed_to(turn: &Turn, then: &PastTarget) -> Result<Vec<Object>, (Option<Key>, PastUnknown)> {
    let changed = turn.resources.iter().filter(|resource| {
        resource.is_drift() && resource.state != ResourceState::Extra && resource.moved != Moved::Git
    });
    let mut keys = changed.map(ResourceDrift::key);
    if let Some(key) = keys.find(|key| matches!(then.said(key), Said::Unknown)) {
        return Err((Some(key), then.why_unknown()));
    }
    // What git has dropped since is not applied again: it is surplus still.
    let now: HashSet<Key> = turn.target.iter().flat_map(|target| target.iter()).map(Object::key).collect();
    Ok(then.certain().filter(|object| now.contains(&object.key())).cloned().collect())
}

async fn planned(turn: &Turn, scope: Scope, request: &Request, wanted: &SyncRequest) -> Result<Plan, Vec<Finding>> {
    let (Some(cluster), Some(kinds), Some(target)) = (&turn.cluster, &turn.kinds, &turn.target) else {
        return Err(Vec::new());
    };
    let tracking = turn.tracking(request);
    let (targets, surplus) = (targets(turn, target, &tracking.applyset_id, request)?, surplus(turn));
    let namespace = namespace(turn).await.map_err(|error| vec![Finding::of(&error)])?;
    let revisions: Vec<String> = turn.sources.iter().map(|source| source.revision.clone()).collect();
    let revisions = if scope.whole { revisions } else { turn.last_revisions().unwrap_or(revisions) };
    let input = PlanInput {
        application: &turn.application,
        scope,
        flags: wanted.flags,
        cluster: cluster.name(),
        tracking: &tracking,
        revisions: &revisions,
        wanted: &targets,
        surplus: &surplus,
        unread: turn.unread(),
        neighbours: &turn.neighbours,
        kinds,
        namespace: namespace.as_ref(),
        baseline: turn.baseline.as_deref(),
        now: wanted.started,
    };
    match plan::plan(&input) {
        Ok(plan) => Ok(plan),
        Err(PlanRefused::Shared(shared)) => {
            let named = owners::named(shared, cluster.as_ref(), &turn.place(request).namespace).await;
            Err(vec![Finding::of(&PlanRefused::Shared(named))])
        }
        Err(refused) => Err(vec![Finding::of(&refused)]),
    }
}

/// Every target with its live object, and how the two differ.
fn targets(turn: &Turn, target: &[Object], applyset_id: &str, request: &Request) -> Result<Vec<Wanted>, Vec<Finding>> {
    let (Some(cluster), Some(kinds), Some(live)) = (&turn.cluster, &turn.kinds, &turn.live) else {
        return Err(Vec::new());
    };
    let seen = Seen {
        live: Arc::clone(live),
        kinds: Arc::clone(kinds),
        cluster: identity(cluster),
        tracking: turn.tracking(request),
        baseline: None,
        neighbours: Arc::clone(&turn.neighbours),
    };
    let mut drifts: HashMap<Key, &ResourceDrift> =
        turn.resources.iter().map(|resource| (resource.key(), resource)).collect();
    let mut conditions = Vec::new();
    let mut wanted = Vec::new();
    for object in target.iter().filter(|object| !is_skipped(object)) {
        // An object that only has `generateName` is none that could be found.
        let live = if object.name().is_empty() { Ok(None) } else { find_live(object, &seen, &mut conditions) };
        let Ok(live) = live else { continue };
        wanted.push(Wanted {
            target: Arc::new(marked(object, applyset_id)),
            live: live.cloned(),
            drift: if is_hook(object) { None } else { drifts.remove(&object.key()).cloned() },
        });
    }
    // Every hook's kind was listed, too: one that is hidden must not be made over something unseen.
    if conditions.is_empty() { Ok(wanted) } else { Err(conditions.into_iter().map(|(_, finding)| finding).collect()) }
}

/// Live objects of the application that are not rendered; where git may still have it, its state is unknown.
pub(crate) fn surplus(turn: &Turn) -> Vec<Surplus> {
    let is_extra = |resource: &&ResourceDrift| matches!(resource.state, ResourceState::Extra | ResourceState::Unknown);
    let extras = turn.resources.iter().filter(is_extra);
    let with_live = |drift: &ResourceDrift| {
        let live = turn.surplus.iter().find(|live| live.key() == drift.key())?;
        Some(Surplus { live: Arc::clone(live), drift: drift.clone() })
    };
    extras.filter_map(with_live).collect()
}

/// The destination's namespace; nothing where there is none. An account that cannot read it is taken to have one.
async fn namespace(turn: &Turn) -> Result<Option<Object>, ClusterError> {
    let name = turn.application.destination.namespace.clone();
    let Some(cluster) = turn.cluster.as_ref().filter(|_| !name.is_empty()) else { return Ok(None) };
    let gvk = Gvk::from_api_version("v1", "Namespace");
    match cluster.get(&ObjectName { gvk, namespace: None, name: name.clone() }).await {
        Err(ClusterError::Forbidden { .. }) => {
            let unseen = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            Ok(Object::new(unseen).ok())
        }
        found => found,
    }
}

/// From so many steps on, asking about each costs as much as the sync itself.
const LARGE: usize = 200;

/// Of a large application of which nothing is there yet, nothing can be broken: of each kind one object is asked about. A
/// plan that somebody looks at first is asked about in full.
fn extent(turn: &Turn, plan: &Plan, wanted: &SyncRequest) -> Extent {
    let is_first = turn.baseline.is_none() && plan.steps.iter().all(|step| step.seen.is_none());
    if is_first && plan.steps.len() > LARGE && !wanted.is_shown { Extent::OneOfEachKind } else { Extent::Every }
}

/// The server's complaints about the plan, as errors.
async fn dry_run_findings(turn: &Turn, plan: &mut Plan, wanted: &SyncRequest, request: &Request) -> Vec<Finding> {
    let Some(cluster) = &turn.cluster else { return Vec::new() };
    let complaints = dry_run(plan, extent(turn, plan, wanted), cluster.as_ref(), request.concurrency).await;
    let mut findings = Vec::new();
    let mut without_namespace: BTreeMap<String, (Reason, Vec<String>)> = BTreeMap::new();
    for Complaint { subject, kind } in complaints {
        match kind {
            ComplaintKind::NoNamespace { namespace, reason } => {
                without_namespace.entry(namespace).or_insert((reason, Vec::new())).1.push(subject);
            }
            kind => findings.push(finding_of(&subject, kind)),
        }
    }
    let destination = &turn.application.destination.namespace;
    let of_namespaces = without_namespace
        .into_iter()
        .map(|(namespace, (reason, subjects))| no_namespace(&namespace, reason, &subjects, namespace == *destination));
    of_namespaces.chain(findings).collect()
}

/// One finding for a namespace that is not there, however many objects want to live in it.
fn no_namespace(namespace: &str, reason: Reason, subjects: &[String], is_destination: bool) -> Finding {
    let (what, help) = match reason {
        Reason::NamespaceTerminating => ("is being deleted", "sync again when it is deleted".to_owned()),
        _ if is_destination => {
            ("does not exist", "`CreateNamespace=true` in `spec.syncPolicy.syncOptions` creates it".to_owned())
        }
        _ => ("does not exist", format!("add a manifest of Namespace `{namespace}` to git, or create it")),
    };
    Finding::error("trueup::sync::namespace", format!("namespace `{namespace}` {what}; nothing was written"))
        .with_cause(needed_by(subjects))
        .with_help(help)
}

fn needed_by(subjects: &[String]) -> String {
    let named: Vec<String> = subjects.iter().take(NAMED).map(|subject| format!("`{subject}`")).collect();
    match subjects.len().saturating_sub(NAMED) {
        0 => format!("needed by {}", named.join(", ")),
        more => format!("needed by {} and {more} more", named.join(", ")),
    }
}

/// How many objects one finding names.
const NAMED: usize = 3;

/// The help for a refusal: only where the object itself is wrong, git is.
fn remedy(reason: Reason) -> &'static str {
    match reason {
        Reason::Invalid | Reason::Immutable => "correct it in git; `trueup render` shows what was sent",
        Reason::Denied => {
            "an admission webhook or policy of the cluster denies it: change the object, or ask the cluster's \
             administrator"
        }
        Reason::Quota => "raise the quota of the namespace, or request less",
        Reason::NotServed => "install the CRD of its kind first, or add it to git",
        Reason::Conflict | Reason::AlreadyExists | Reason::NotFound => "it changed in the meantime: run it again",
        Reason::NoNamespace | Reason::NamespaceTerminating => "create the namespace first",
        Reason::Forbidden | Reason::Other => "the server's message says why; `trueup render` shows what was sent",
    }
}

fn finding_of(subject: &str, kind: ComplaintKind) -> Finding {
    match kind {
        ComplaintKind::NoNamespace { namespace, reason } => {
            no_namespace(&namespace, reason, &[subject.to_owned()], false)
        }
        ComplaintKind::MustBeRecreated(words) => {
            Finding::error("trueup::sync::immutable", format!("`{subject}` must be recreated; nothing was written"))
                .with_cause(words)
                .with_help("`--force`, or its sync option `Force=true`, deletes it first")
        }
        ComplaintKind::NotPermitted(words) => Finding::error(
            NOT_PERMITTED,
            format!("this account is not allowed to write `{subject}`; nothing was written"),
        )
        .with_cause(words)
        .with_help("the role for a sync is in examples/cronjob/reconcile/rbac.yaml"),
        ComplaintKind::Refused(reason, words) => {
            Finding::error("trueup::sync::refused", format!("the server refuses `{subject}`; nothing was written"))
                .with_cause(words)
                .with_help(remedy(reason))
        }
        ComplaintKind::Kept(words) => Finding::error(
            "trueup::sync::kept",
            format!(
                "the server refuses to delete `{subject}`; nothing was \
                 written"
            ),
        )
        .with_cause(words)
        .with_help("remove what protects it, or keep it with `Prune=false` or `Delete=false`"),
        ComplaintKind::NoAnswer(error) => Finding::of(&*error),
    }
}
