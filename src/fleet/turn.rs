//! One application's way through the stages, and the run that they all become.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::condition::{Condition, ConditionKind};
use super::list::Live;
use super::run::{ApplicationHealth, ApplicationRun, Run, SourceRun};
use super::{Request, World};
use crate::app::source::SourceBlock;
use crate::app::{Application, InvalidApplication, Source, SourceForm};
use crate::cluster::Cluster;
use crate::finding::{Finding, Severity};
use crate::object::annotations::SKIP_RECONCILE;
use crate::object::{Gap, GroupKind, Key, Kinds, Object};
use crate::source::{Checkout, PathHistory};
use crate::status::ResourceDrift;
use crate::status::compare::Baseline;
use crate::status::health::HealthStatus;
use crate::status::tracking::Tracking;
use crate::sync::Operation;
use crate::sync::plan::{Neighbours, Plan, Unread};
use crate::sync::state::{Identity, LastAttempt, Place, State, StateError, SyncedSource};

/// The project that allows everything, unless somebody narrowed it.
const DEFAULT_PROJECT: &str = "default";

/// Where the members of an application's ApplySet may be, as its parent and the record in it say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Members {
    /// Whether there are no others; not where somebody edited what says so, or where it says nothing.
    pub(crate) is_certain: bool,
    pub(crate) kinds: BTreeSet<GroupKind>,
    pub(crate) namespaces: BTreeSet<String>,
}

/// What is known of one application so far.
pub(crate) struct Turn {
    pub(crate) application: Arc<Application>,
    /// Which application its manifest says it is, whatever it is rolled back to.
    identity: Identity,
    pub(crate) checkouts: Vec<Option<Arc<Checkout>>>,
    pub(crate) sources: Vec<SourceRun>,
    pub(crate) cluster: Option<Arc<dyn Cluster>>,
    pub(crate) kinds: Option<Arc<Kinds>>,
    /// The objects that should be; nothing when they could not be found.
    pub(crate) target: Option<Arc<Vec<Object>>>,
    /// What of git could not be read, and may hold objects that the cluster has.
    pub(crate) gaps: Vec<Gap>,
    /// What the applications of this run have on the same cluster.
    pub(crate) neighbours: Arc<Neighbours>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) resources: Vec<ResourceDrift>,
    /// The record of the last sync, if there was one.
    pub(crate) baseline: Option<Arc<Baseline>>,
    /// The commits since then, by file.
    pub(crate) history: BTreeMap<String, PathHistory>,
    /// Its health, where that is asked for.
    pub(crate) health: Option<ApplicationHealth>,
    /// What was listed, for who plans a sync.
    pub(crate) live: Option<Arc<Live>>,
    /// The live objects of its extras.
    pub(crate) surplus: Vec<Arc<Object>>,
    /// What a sync will do.
    pub(crate) plan: Option<Plan>,
    /// Whether the plan must not be carried out: the conditions say why.
    pub(crate) is_refused: bool,
    /// What a sync did.
    pub(crate) operation: Option<Operation>,
    /// Why a reconciliation leaves its drift, where it does.
    pub(crate) left: Option<String>,
    /// Where its members may be; nothing before its first sync.
    pub(crate) members: Option<Arc<Members>>,
    /// Kinds of its members that could not be looked at.
    pub(crate) unseen: BTreeSet<GroupKind>,
    /// Kinds that could not be listed where its extras may be.
    pub(crate) unlisted: BTreeSet<GroupKind>,
    /// Its objects that another application of this run has in git, or owns in the cluster.
    pub(crate) shared: BTreeSet<Key>,
    /// Why each source, by its position, could not be fetched or rendered.
    pub(crate) source_errors: BTreeMap<usize, Finding>,
    /// Why its cluster was not found, or does not answer.
    pub(crate) cluster_error: Option<Finding>,
    /// The last attempt that is on record.
    pub(crate) last_attempt: LastAttempt,
    /// What is known of its syncs, its record aside, or why nothing is; for who plans one.
    pub(crate) state: Option<Result<State, StateError>>,
    /// The entry of its history that it is taken back to.
    pub(crate) rollback: Option<u64>,
    /// The entry that it was taken back to, and that it is left at until somebody syncs it.
    pub(crate) rolled_back_to: Option<u64>,
    /// Its hooks, while it is being deleted.
    pub(crate) hooks: Vec<Object>,
    /// Whether somebody wants it gone.
    pub(crate) is_going: bool,
    /// Whether nothing is left of it.
    pub(crate) is_deleted: bool,
    /// What git says now, while the target is what it said before.
    git: Option<Arc<Vec<Object>>>,
    /// The conditions as they were when it was rendered.
    rendered: Vec<Condition>,
}

impl Turn {
    /// How the application's own objects are distinguished from others.
    pub(crate) fn tracking(&self, request: &Request) -> Tracking {
        Tracking {
            instance_name: self.application.instance_name(&request.argocd_namespace),
            label_key: request.label_key(),
            installation_id: request.settings.tracking.installation_id.clone(),
            applyset_id: self.place(request).applyset_id(),
        }
    }

    /// Where the application keeps its state.
    pub(crate) fn place(&self, request: &Request) -> Place {
        let place = Place::of(&self.application, &request.argocd_namespace, request.state_namespace.as_deref());
        Place { identity: Some(self.identity.clone()), accepts_move: request.accept_move, ..place }
    }

    /// The sources of the last sync, as the record has them.
    pub(crate) fn synced_sources(&self) -> &[SyncedSource] {
        match &self.state {
            Some(Ok(state)) => &state.sources,
            Some(Err(_)) | None => &[],
        }
    }

    /// The blocks of its sources.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = SourceBlock> {
        let form = self.application.source_form;
        self.application.sources.iter().map(move |source| SourceBlock::of(source, form))
    }

    /// Takes other sources in place of those of the manifest; none of them is fetched yet.
    pub(crate) fn set_sources(&mut self, sources: Vec<Source>, form: SourceForm) {
        self.sources = sources.iter().map(source_run).collect();
        self.checkouts = vec![None; sources.len()];
        let application = Arc::make_mut(&mut self.application);
        (application.sources, application.source_form) = (sources, form);
    }

    /// The revisions of the last sync.
    pub(crate) fn last_revisions(&self) -> Option<Vec<String>> {
        self.baseline.as_ref().map(|baseline| baseline.revisions.clone())
    }

    /// Takes another target in place of what git says now.
    pub(crate) fn set_target(&mut self, target: Arc<Vec<Object>>) {
        let now = self.target.replace(target);
        self.git = self.git.take().or(now);
    }

    /// Makes what git says now the target again.
    pub(crate) fn restore_target(&mut self) {
        if let Some(target) = self.git.take() {
            self.target = Some(target);
        }
    }

    /// Keeps the conditions as they are: what comes after is reported again when it is compared again.
    pub(crate) fn keep_conditions(&mut self) {
        self.rendered.clone_from(&self.conditions);
    }

    /// Forgets what was compared, to be compared again; what a sync had to say stays.
    pub(crate) fn begin_again(&mut self) {
        self.resources.clear();
        self.surplus.clear();
        self.unseen.clear();
        self.history.clear();
        let of_sync = self.conditions.extract_if(.., |condition| condition.kind.is_of_sync()).collect::<Vec<_>>();
        self.conditions.clone_from(&self.rendered);
        self.conditions.extend(of_sync);
    }

    /// The server of its cluster, as the manifest has it, or as it was found.
    pub(crate) fn server(&self) -> &str {
        match self.application.destination.server.as_str() {
            "" => self.cluster.as_ref().map_or("", |cluster| cluster.name()),
            server => server,
        }
    }

    /// Keeps an error or a warning about this application, under its name.
    pub(crate) fn condition(&mut self, kind: ConditionKind, finding: Finding) {
        let condition = Condition { kind, finding: finding.about(&self.application.name) };
        if !self.conditions.contains(&condition) {
            self.conditions.push(condition);
        }
    }

    /// What of git could not be read, with what is on record of where objects came from.
    pub(crate) fn unread(&self) -> Unread<'_> {
        Unread::of(&self.gaps, self.baseline.as_deref())
    }

    /// Keeps that the application's cluster was not found or does not answer.
    pub(crate) fn cluster_error(&mut self, finding: Finding) {
        self.cluster_error.get_or_insert_with(|| finding.clone());
        self.condition(ConditionKind::ComparisonError, finding);
    }

    /// Keeps an error about one source, which is named by its place when there are several.
    pub(crate) fn source_error(&mut self, position: usize, finding: Finding) {
        self.source_errors.entry(position).or_insert_with(|| finding.clone());
        let finding = if self.sources.len() > 1 { finding.about(&format!("source {}", position + 1)) } else { finding };
        self.condition(ConditionKind::ComparisonError, finding);
    }
}

/// Takes out the applications whose annotation says that nobody is to process them, and says so.
pub(crate) fn leave_alone(request: &mut Request) {
    let findings = &mut request.findings;
    request.applications.retain(|application| match application {
        Ok(application) if application.skips_reconcile() => {
            let message = format!("{}: not compared, because of the annotation `{SKIP_RECONCILE}`", application.name);
            let help = "remove the annotation to compare it";
            findings.push(Finding::warning("trueup::fleet::skipped", message).with_help(help));
            false
        }
        _ => true,
    });
}

/// Takes every application that can be compared; the others keep their place in the order.
pub(crate) fn begin(request: &mut Request) -> (Vec<Turn>, Vec<(usize, InvalidApplication)>) {
    let mut turns = Vec::new();
    let mut invalid = Vec::new();
    for (position, application) in std::mem::take(&mut request.applications).into_iter().enumerate() {
        match application {
            Ok(application) => turns.push(turn(application)),
            Err(application) => invalid.push((position, *application)),
        }
    }
    (turns, invalid)
}

fn turn(application: Application) -> Turn {
    let sources: Vec<SourceRun> = application.sources.iter().map(source_run).collect();
    let conditions = application.findings.iter().cloned().map(of_manifest);
    Turn {
        checkouts: vec![None; sources.len()],
        conditions: conditions.chain(unchecked_project(&application)).collect(),
        identity: Identity::of(&application),
        application: Arc::new(application),
        sources,
        cluster: None,
        kinds: None,
        target: None,
        gaps: Vec::new(),
        neighbours: Arc::default(),
        resources: Vec::new(),
        baseline: None,
        history: BTreeMap::new(),
        health: None,
        live: None,
        surplus: Vec::new(),
        plan: None,
        is_refused: false,
        operation: None,
        left: None,
        members: None,
        unseen: BTreeSet::new(),
        unlisted: BTreeSet::new(),
        shared: BTreeSet::new(),
        source_errors: BTreeMap::new(),
        cluster_error: None,
        last_attempt: LastAttempt::None,
        state: None,
        rollback: None,
        rolled_back_to: None,
        hooks: Vec::new(),
        is_going: false,
        is_deleted: false,
        git: None,
        rendered: Vec::new(),
    }
}

fn of_manifest(finding: Finding) -> Condition {
    let kind =
        if finding.severity == Severity::Error { ConditionKind::InvalidSpecError } else { ConditionKind::SpecWarning };
    Condition { kind, finding }
}

/// A word about a project whose rules nobody holds the application against: Argo CD may forbid what is planned here.
fn unchecked_project(application: &Application) -> Option<Condition> {
    if application.project == DEFAULT_PROJECT {
        return None;
    }
    let message =
        format!("project `{}` is not checked: the application can do what the project forbids", application.project);
    let finding = Finding::warning("trueup::app::project_unchecked", message).with_help(
        "check its `sourceRepos`, `destinations` and resource lists yourself; this version does not read AppProjects",
    );
    Some(Condition { kind: ConditionKind::ProjectWarning, finding: finding.about(&application.name) })
}

fn source_run(source: &Source) -> SourceRun {
    SourceRun {
        repo_url: source.repo_url.to_string(),
        path: source.path.clone().or_else(|| source.chart.clone()).unwrap_or_default(),
        target_revision: source.target_revision.clone(),
        revision: String::new(),
        last_synced_revision: String::new(),
        fetched_by: String::new(),
        dirty: false,
        tool: String::new(),
    }
}

/// The run at its end, where the health of applications may have been asked for: one that cannot be judged is of unknown
/// health then, as in Argo CD.
pub(crate) fn end_judged(
    turns: Vec<Turn>,
    invalid: Vec<(usize, InvalidApplication)>,
    request: Request,
    world: &World,
) -> Run {
    let is_judged = request.health.is_some();
    let mut run = end(turns, invalid, request.findings, world);
    for application in run.applications.iter_mut().filter(|_| is_judged) {
        let unknown = || ApplicationHealth { status: HealthStatus::Unknown, resources: Vec::new() };
        application.health.get_or_insert_with(unknown);
    }
    run
}

/// The run at its end: every application in the order of the input, those whose manifests are wrong among them.
pub(crate) fn end(
    turns: Vec<Turn>,
    invalid: Vec<(usize, InvalidApplication)>,
    mut findings: Vec<Finding>,
    world: &World,
) -> Run {
    for cluster in world.clusters.found() {
        let remark = |(subject, remark): (String, String)| {
            let message = format!("cluster {}: {subject}", cluster.name());
            Finding::warning("trueup::cluster::remark", message).with_cause(remark)
        };
        findings.extend(cluster.remarks().into_iter().map(remark));
    }
    let mut applications: Vec<ApplicationRun> = turns.into_iter().map(application_run).collect();
    for (position, application) in invalid {
        applications.insert(position.min(applications.len()), invalid_run(application));
    }
    Run { applications, findings, requests: world.clusters.requests() }
}

fn application_run(mut turn: Turn) -> ApplicationRun {
    turn.resources.sort_by(|left, right| order(left).cmp(&order(right)));
    let application = Arc::unwrap_or_clone(turn.application);
    ApplicationRun {
        cluster: turn.cluster.map(|cluster| cluster.name().to_owned()).unwrap_or_default(),
        name: application.name,
        namespace: application.namespace,
        project: application.project,
        destination: application.destination,
        sources: turn.sources,
        conditions: turn.conditions,
        resources: turn.resources,
        history: turn.history,
        health: turn.health,
        plan: turn.plan,
        operation: turn.operation,
        left: turn.left,
        is_going: turn.is_going,
        is_deleted: turn.is_deleted,
    }
}

fn order(drift: &ResourceDrift) -> (&str, &str, &str, &str) {
    (&drift.gvk.group, &drift.gvk.kind, &drift.namespace, &drift.name)
}

/// An application whose manifest is wrong could not be compared, and is reported like one.
fn invalid_run(application: InvalidApplication) -> ApplicationRun {
    ApplicationRun {
        name: application.shown_name(),
        namespace: application.namespace,
        project: application.project.unwrap_or_default(),
        destination: application.destination,
        cluster: String::new(),
        sources: Vec::new(),
        conditions: application.findings.into_iter().map(of_manifest).collect(),
        resources: Vec::new(),
        history: BTreeMap::new(),
        health: None,
        plan: None,
        operation: None,
        left: None,
        is_going: false,
        is_deleted: false,
    }
}
