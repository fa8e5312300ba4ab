//! Plans every application: what its wish or policy lets be done, in order, and whether the server would take it.
//!
//! In: compared applications. Out: a plan for each that may be synced, or what is said in its place. An application that could not
//! be compared in full is not synced: what is unknown must not be written over.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::planned::{PlanOutcome, Planned};
use super::{SyncRequest, Wish, delete, permit, window};
use crate::app::appset::RolloutPlace;
use crate::cluster::{ClusterError, ObjectName, Reason};
use crate::finding::{Code, Finding};
use crate::fleet::application::{Commits, Compared, Extras, Listed, Observed, OnCluster, Rendered};
use crate::fleet::applyset::marked;
use crate::fleet::condition::{Condition, ConditionKind, Conditions};
use crate::fleet::stages::last_render::{PastTarget, PastUnknown, Said};
use crate::fleet::stages::{compare, last_render, owners, project};
use crate::fleet::{Request, World};
use crate::object::annotations::{is_hook, is_skipped};
use crate::object::{Gvk, Key, Object};
use crate::status::compare::Baseline;
use crate::status::{Moved, ResourceDrift, ResourceState};
use crate::sync::decide::{Decision, LastSync, Policy, Scope, decide};
use crate::sync::dry_run::{Complaint, ComplaintKind, Extent, dry_run};
use crate::sync::plan::{self, Plan, PlanInput, PlanRefused, Surplus, Wanted};
use crate::sync::state::State;

/// Plans one application; what forbids it becomes a condition.
pub(crate) async fn plan(compared: Compared, request: &Request, wanted: &SyncRequest, world: &World) -> Planned {
    let mut conditions = Conditions::of(&compared.application.name);
    let permitted = permit::refuse(&compared, request, wanted).map_err(NotPlanned::For);
    let decision = match permitted.and_then(|()| decision(&compared, wanted)) {
        Ok(decision) => decision,
        Err(refused) => return refused.planned(compared, conditions),
    };
    let (compared, git, scope) = match decision {
        Decision::Nothing => return nothing(compared, conditions, PlanOutcome::Nothing),
        Decision::Leave(why) => return nothing(compared, conditions, PlanOutcome::Left(why)),
        Decision::Sync(scope) => (compared, None, scope),
        Decision::HealToLastSync(scope) => {
            let kept = match last_render::target(&compared, request, world).await {
                Ok(then) => healed_to(&compared, &then),
                Err(why) => Err((None, why)),
            };
            match kept {
                Ok(kept) => {
                    let (compared, git) = healed(compared, kept, request, world).await;
                    (compared, Some(Box::new(git)), scope)
                }
                Err((object, why)) => {
                    conditions.add(ConditionKind::SyncError, not_healed(object, &why));
                    return nothing(compared, conditions, PlanOutcome::Nothing);
                }
            }
        }
    };
    let planned = match wanted.wish {
        Wish::Delete(how) => delete::planned(&compared, how, request, wanted).await,
        _ => planned(&compared, scope, request, wanted).await.map(PlanOutcome::Execute),
    };
    let outcome = match planned {
        Ok(outcome) => asked(outcome, &compared, &mut conditions, (request, wanted)).await,
        Err(findings) => {
            conditions.add_all(findings.into_iter().map(|finding| (ConditionKind::SyncError, finding)));
            PlanOutcome::Nothing
        }
    };
    let outcome = within_windows(outcome, &compared, &mut conditions, (request, wanted));
    Planned { compared, git, outcome, conditions }
}

/// The plan, unless a sync window forbids what it does. What only records that all is in sync needs no window.
fn within_windows(
    outcome: PlanOutcome,
    compared: &Compared,
    conditions: &mut Conditions,
    (request, wanted): (&Request, &SyncRequest),
) -> PlanOutcome {
    match outcome {
        PlanOutcome::Execute(plan) if !plan.steps.is_empty() => {
            match window::refusal(&compared.application, request, wanted) {
                None => PlanOutcome::Execute(plan),
                Some(finding) => {
                    conditions.add(ConditionKind::SyncError, finding);
                    PlanOutcome::Refused(plan)
                }
            }
        }
        outcome => outcome,
    }
}

fn nothing(compared: Compared, conditions: Conditions, outcome: PlanOutcome) -> Planned {
    Planned { compared, git: None, outcome, conditions }
}

/// The plan after the server was asked whether it would take it.
async fn asked(
    outcome: PlanOutcome,
    compared: &Compared,
    conditions: &mut Conditions,
    (request, wanted): (&Request, &SyncRequest),
) -> PlanOutcome {
    let (mut plan, why) = match outcome {
        PlanOutcome::Execute(plan) => (plan, None),
        PlanOutcome::Absent(plan, why) => (plan, Some(why)),
        outcome => return outcome,
    };
    let mut complaints = dry_run_findings(compared, &mut plan, wanted, request).await;
    complaints.extend(permit::refuse_prunes(compared, &plan, request, wanted));
    for warning in &plan.warnings {
        conditions.add(ConditionKind::SyncWarning, Finding::warning(Code::SyncOdd, warning));
    }
    let is_refused = !complaints.is_empty();
    conditions.add_all(complaints.into_iter().map(|finding| (ConditionKind::SyncError, finding)));
    match why {
        _ if is_refused => PlanOutcome::Refused(plan),
        Some(why) => PlanOutcome::Absent(plan, why),
        None => PlanOutcome::Execute(plan),
    }
}

/// Why an application is not planned at all.
enum NotPlanned {
    /// Another condition says why.
    Reported,
    For(Finding),
    /// Its record cannot be read.
    NoRecord(Finding),
    /// Its project forbids it.
    Forbidden(Vec<Finding>),
}

impl NotPlanned {
    fn planned(self, mut compared: Compared, mut conditions: Conditions) -> Planned {
        match self {
            Self::Reported => {}
            Self::For(finding) => conditions.add(ConditionKind::SyncError, finding),
            Self::Forbidden(findings) => {
                // What was a warning to who compares is an error to who syncs.
                let loaded = &mut compared.observed.listed.rendered.built.fetched.loaded;
                loaded.conditions = loaded.conditions.clone().without_code(Code::ProjectViolation);
                conditions.add_all(findings.into_iter().map(|finding| (ConditionKind::SyncError, finding)));
            }
            Self::NoRecord(finding) => {
                // What was a warning to who compares is an error to who syncs, and said once.
                compared.observed.conditions = compared.observed.conditions.without(ConditionKind::BaselineWarning);
                compared.conditions = compared.conditions.without(ConditionKind::BaselineWarning);
                conditions.add(ConditionKind::SyncError, finding);
            }
        }
        nothing(compared, conditions, PlanOutcome::Nothing)
    }
}

/// The steps that the request or the policy allows, where the application may be written to at all.
fn decision(compared: &Compared, wanted: &SyncRequest) -> Result<Decision, NotPlanned> {
    if let Wish::Delete(_) = wanted.wish {
        delete::refuse_unseen(compared).map_err(NotPlanned::For)?;
    }
    refuse_forbidden(compared, wanted)?;
    refuse_incomplete(compared, wanted)?;
    match &compared.record.state {
        Ok(State { doubt: Some(doubt), .. }) => Err(NotPlanned::NoRecord(Finding::of(doubt))),
        Ok(state) => Ok(decided(compared, wanted, state)),
        Err(error) => Err(NotPlanned::NoRecord(Finding::of(error))),
    }
}

/// Whether its project forbids something of it. To delete an application needs no permission.
fn refuse_forbidden(compared: &Compared, wanted: &SyncRequest) -> Result<(), NotPlanned> {
    if compared.violations.is_empty() || matches!(wanted.wish, Wish::Delete(_)) {
        return Ok(());
    }
    Err(NotPlanned::Forbidden(project::refusals(&compared.violations)))
}

/// Whether the application must not be written to at all.
fn refuse_incomplete(compared: &Compared, wanted: &SyncRequest) -> Result<(), NotPlanned> {
    // What git may still have is left alone, and all the rest is known.
    let unread = compared.unread();
    let is_held = |resource: &ResourceDrift| {
        let is_surplus = || compared.surplus.iter().any(|live| live.key() == resource.key());
        resource.state == ResourceState::Unknown && unread.gap_of(&resource.key()).is_some() && is_surplus()
    };
    let mut resources = compared.resources.iter();
    if let Some(resource) = resources.find(|resource| resource.state == ResourceState::Unknown && !is_held(resource)) {
        let message = format!("not synced: `{}/{}` could not be compared", resource.gvk.kind, resource.name);
        let finding = Finding::error(Code::SyncUnknown, message)
            .with_help("see `trueup diff`; an object in an unknown state is not overwritten")
            .with_cause(resource.note.clone().unwrap_or_default());
        return Err(NotPlanned::For(finding));
    }
    if compared.all_conditions().iter().any(Condition::blocks_sync) {
        return Err(NotPlanned::Reported);
    }
    if !compared.shared.is_empty() && !wanted.flags.allow_shared {
        let finding = Finding::error(Code::SyncShared, "not synced: another application owns some of its objects")
            .with_help("keep each object in one application; `--allow-shared` syncs it anyway");
        return Err(NotPlanned::For(finding));
    }
    Ok(())
}

/// The scope that the request or the policy allows.
fn decided(compared: &Compared, wanted: &SyncRequest, state: &State) -> Decision {
    let of_manifest = Policy::of(&compared.application.sync_policy);
    match wanted.wish {
        Wish::Delete(_) => Decision::Sync(Scope { whole: true, apply: true, prune: true }),
        Wish::Sync { prune } | Wish::Rollback { prune, .. } => {
            Decision::Sync(Scope { whole: true, apply: true, prune: prune || of_manifest.prune })
        }
        Wish::Reconcile { self_heal, auto_prune } => {
            let rollout = compared.application.lineage.rollout;
            if rollout == RolloutPlace::NoStep {
                return Decision::Leave("no step of the rollout of its ApplicationSet matches it".to_owned());
            }
            let is_rolled_out = matches!(rollout, RolloutPlace::Step(_));
            if let Some(id) = state.rolled_back_to {
                return Decision::Leave(format!(
                    "it was rolled back to {id}; `trueup sync` or `trueup rollback --clear` resumes syncing"
                ));
            }
            let policy = Policy {
                // A rollout syncs its applications itself.
                automated: of_manifest.automated || is_rolled_out,
                prune: auto_prune || of_manifest.prune,
                self_heal: self_heal || of_manifest.self_heal,
                allow_empty: wanted.flags.allow_empty || of_manifest.allow_empty,
            };
            decide(policy, &compared.resources, last_sync(compared, state))
        }
    }
}

/// The last sync that succeeded.
fn last_sync(compared: &Compared, state: &State) -> LastSync {
    match &compared.record.baseline {
        _ if state.was_cut_short() => LastSync::CutShort,
        None => LastSync::None,
        Some(_) if state.was_interrupted() => LastSync::None,
        Some(baseline) if is_as_synced(compared, baseline) => LastSync::SameRevision,
        Some(_) => LastSync::OtherRevision,
    }
}

/// Whether git and the manifest say what they said at the last sync. Where the record does not have the sources of then, what
/// differs from the cluster has to be what was applied.
fn is_as_synced(compared: &Compared, baseline: &Baseline) -> bool {
    if compared.revisions() != baseline.revisions {
        return false;
    }
    last_render::has_sources_of_last_sync(compared).unwrap_or_else(|| {
        let targets: HashMap<Key, &Object> = compared.target.iter().map(|object| (object.key(), object)).collect();
        let drifted = compared.resources.iter().filter(|resource| resource.is_drift());
        drifted.filter(|resource| resource.state != ResourceState::Extra).all(|resource| {
            let target = targets.get(&resource.key());
            target.is_some_and(|target| baseline.is_as_applied(target) == Some(true))
        })
    })
}

fn not_healed(object: Option<Key>, why: &PastUnknown) -> Finding {
    let what = object.map(|key| format!("of `{key}` ")).unwrap_or_default();
    let message = format!("not healed: the target {what}of the last sync is not known; nothing was written");
    Finding::error(Code::SyncPast, message)
        .with_cause(why.to_string())
        .with_help("`trueup sync` applies what git and the manifest say now and records it")
}

/// The application compared with what its last sync applied, and what git has now. Its extras stay: what git has dropped since is
/// surplus still.
async fn healed(compared: Compared, kept: Vec<Object>, request: &Request, world: &World) -> (Compared, Rendered) {
    let Compared { observed, resources, surplus, unseen, unlisted, .. } = compared;
    let is_extra = |resource: &ResourceDrift| surplus.iter().any(|live| live.key() == resource.key());
    let resources = resources.into_iter().filter(is_extra).collect();
    let extras = Extras { resources, surplus, unseen, unlisted, conditions: Vec::new() };
    let Observed { listed: Listed { rendered: git, live }, record, conditions } = observed;
    let listed = Listed { rendered: git.clone().with_target(kept), live };
    let observed = Observed { listed, record, conditions };
    let differences = compare::compare_alone(&observed, request, world).await;
    (Compared::of(observed, differences, extras, Commits::new()), git)
}

/// The target that an application is reverted to: that of the last sync of all that it still has. Refused where that is not
/// known of something that changed in the cluster.
fn healed_to(compared: &Compared, then: &PastTarget) -> Result<Vec<Object>, (Option<Key>, PastUnknown)> {
    let changed = compared.resources.iter().filter(|resource| {
        resource.is_drift() && resource.state != ResourceState::Extra && resource.moved != Moved::Git
    });
    let mut keys = changed.map(ResourceDrift::key);
    if let Some(key) = keys.find(|key| matches!(then.said(key), Said::Unknown)) {
        return Err((Some(key), then.why_unknown()));
    }
    // What git has dropped since is not applied again: it is surplus still.
    let now: HashSet<Key> = compared.target.iter().map(Object::key).collect();
    Ok(then.certain().filter(|object| now.contains(&object.key())).cloned().collect())
}

async fn planned(
    compared: &Compared,
    scope: Scope,
    request: &Request,
    wanted: &SyncRequest,
) -> Result<Plan, Vec<Finding>> {
    let tracking = compared.tracking(request);
    let (targets, surplus) = (targets(compared, &tracking.applyset_id)?, surplus(compared));
    let namespace = namespace(compared).await.map_err(|error| vec![Finding::of(&error)])?;
    let revisions = Some(compared.revisions()).filter(|_| scope.whole);
    let revisions = revisions.or_else(|| compared.record.revisions()).unwrap_or_else(|| compared.revisions());
    let input = PlanInput {
        application: &compared.application,
        scope,
        flags: wanted.flags,
        cluster: compared.cluster().name(),
        tracking: &tracking,
        revisions: &revisions,
        wanted: &targets,
        surplus: &surplus,
        unread: compared.unread(),
        neighbours: &compared.peers.neighbours,
        kinds: compared.kinds(),
        namespace: namespace.as_ref(),
        baseline: compared.record.baseline.as_deref(),
        now: wanted.started,
    };
    match plan::plan(&input) {
        Ok(plan) => Ok(plan),
        Err(PlanRefused::Shared(shared)) => {
            let named = owners::named(shared, compared.cluster(), &compared.place(request).namespace).await;
            Err(vec![Finding::of(&PlanRefused::Shared(named))])
        }
        Err(refused) => Err(vec![Finding::of(&refused)]),
    }
}

/// Every target with its live object, and how the two differ.
fn targets(compared: &Compared, applyset_id: &str) -> Result<Vec<Wanted>, Vec<Finding>> {
    let view = compared.view();
    let mut drifts: HashMap<Key, &ResourceDrift> =
        compared.resources.iter().map(|resource| (resource.key(), resource)).collect();
    let mut conditions = Vec::new();
    let mut wanted = Vec::new();
    for object in compared.target.iter().filter(|object| !is_skipped(object)) {
        // An object that only has `generateName` is none that could be found.
        let live = if object.name().is_empty() { Ok(None) } else { view.find(object, &mut conditions) };
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
pub(crate) fn surplus(compared: &Compared) -> Vec<Surplus> {
    let is_extra = |resource: &&ResourceDrift| matches!(resource.state, ResourceState::Extra | ResourceState::Unknown);
    let extras = compared.resources.iter().filter(is_extra);
    let with_live = |drift: &ResourceDrift| {
        let live = compared.surplus.iter().find(|live| live.key() == drift.key())?;
        Some(Surplus { live: Arc::clone(live), drift: drift.clone() })
    };
    extras.filter_map(with_live).collect()
}

/// The destination's namespace; nothing where there is none. An account that cannot read it is taken to have one.
async fn namespace(compared: &Compared) -> Result<Option<Object>, ClusterError> {
    let name = compared.application.destination.namespace.clone();
    if name.is_empty() {
        return Ok(None);
    }
    let gvk = Gvk::from_api_version("v1", "Namespace");
    match compared.cluster().get(&ObjectName { gvk, namespace: None, name: name.clone() }).await {
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
fn extent(compared: &Compared, plan: &Plan, wanted: &SyncRequest) -> Extent {
    let is_first = compared.record.baseline.is_none() && plan.steps.iter().all(|step| step.seen.is_none());
    if is_first && plan.steps.len() > LARGE && !wanted.is_shown { Extent::OneOfEachKind } else { Extent::Every }
}

/// The server's complaints about the plan, as errors.
async fn dry_run_findings(
    compared: &Compared,
    plan: &mut Plan,
    wanted: &SyncRequest,
    request: &Request,
) -> Vec<Finding> {
    let extent = extent(compared, plan, wanted);
    let complaints = dry_run(plan, extent, compared.cluster(), request.concurrency).await;
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
    let destination = &compared.application.destination.namespace;
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
    Finding::error(Code::SyncNamespace, format!("namespace `{namespace}` {what}; nothing was written"))
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
            Finding::error(Code::SyncImmutable, format!("`{subject}` must be recreated; nothing was written"))
                .with_cause(words)
                .with_help("`--force`, or its sync option `Force=true`, deletes it first")
        }
        ComplaintKind::NotPermitted(words) => Finding::error(
            Code::SyncNotPermitted,
            format!("this account is not allowed to write `{subject}`; nothing was written"),
        )
        .with_cause(words)
        .with_help("the role for a sync is in examples/cronjob/reconcile/rbac.yaml"),
        ComplaintKind::Refused(reason, words) => {
            Finding::error(Code::SyncRefused, format!("the server refuses `{subject}`; nothing was written"))
                .with_cause(words)
                .with_help(remedy(reason))
        }
        ComplaintKind::Kept(words) => Finding::error(
            Code::SyncKept,
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
