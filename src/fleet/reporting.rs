//! What is reported of an application, by the stage that it came to.

use std::collections::BTreeMap;

use super::application::{Built, Commits, Compared, Fetched, FetchedSource, Left, Listed, OnCluster, Purpose, Record};
use super::condition::{Condition, ConditionKind, Conditions};
use super::run::{ApplicationHealth, ApplicationRun, RolledBack, SourceRun};
use crate::app::source::SourceKind;
use crate::app::{InvalidApplication, Source};
use crate::cluster::Cluster;
use crate::finding::{Finding, Severity};
use crate::source::Checkout;
use crate::status::ResourceDrift;

/// A value that a run may end with.
pub(crate) trait Reported {
    fn report(self) -> ApplicationRun;
}

impl Left {
    /// Its report so far.
    pub(crate) fn shown(&self) -> ApplicationRun {
        let cluster = self.cluster.as_deref().map_or("", Cluster::name).to_owned();
        run_of(&self.fetched, &self.tools, cluster)
    }
}

impl Reported for Left {
    fn report(self) -> ApplicationRun {
        self.shown()
    }
}

impl Reported for Built {
    fn report(self) -> ApplicationRun {
        run_of(&self.fetched, &self.tools, String::new())
    }
}

impl Reported for Listed {
    fn report(self) -> ApplicationRun {
        run_of(&self.fetched, &self.tools, self.cluster().name().to_owned())
    }
}

impl Reported for Compared {
    fn report(self) -> ApplicationRun {
        let run = compared_run(&self);
        with_resources(run, self.resources, self.commits)
    }
}

/// A compared application as it is reported, before anything is done with it.
pub(crate) fn shown(compared: &Compared) -> ApplicationRun {
    with_resources(compared_run(compared), compared.resources.clone(), compared.commits.clone())
}

/// All of it but its resources.
fn compared_run(compared: &Compared) -> ApplicationRun {
    let mut run = run_of(&compared.fetched, &compared.tools, compared.cluster().name().to_owned());
    for (source, revision) in run.sources.iter_mut().zip(compared.record.revisions().unwrap_or_default()) {
        source.last_synced_revision = revision;
    }
    let rolled_back = run.rolled_back.take().or_else(|| rolled_back(&compared.record, &run.sources));
    let conditions = compared.all_conditions().into_vec();
    let first_seen = compared.record.state.as_ref().map(|state| state.seen.clone()).unwrap_or_default();
    ApplicationRun { conditions, rolled_back, first_seen, orphans: compared.orphans.clone(), ..run }
}

fn with_resources(run: ApplicationRun, mut resources: Vec<ResourceDrift>, history: Commits) -> ApplicationRun {
    resources.sort_by(|left, right| order(left).cmp(&order(right)));
    ApplicationRun { resources, history, ..run }
}

/// The rollback that is in effect, by the record.
fn rolled_back(record: &Record, sources: &[SourceRun]) -> Option<RolledBack> {
    let state = record.state.as_ref().ok()?;
    let id = state.rolled_back_to?;
    let entry = state.history.iter().find(|entry| entry.id == id);
    let first = sources.first();
    Some(RolledBack {
        entry: id,
        revision: entry.and_then(|entry| entry.sources.first()).map(|of| of.revision.clone()).unwrap_or_default(),
        follows: first.map(|source| source.target_revision.clone()).unwrap_or_default(),
        now: first.map(|source| source.revision.clone()).unwrap_or_default(),
    })
}

/// An application, and how healthy it is.
pub(crate) struct WithHealth<T> {
    pub(crate) of: T,
    /// Nothing where nobody asked.
    pub(crate) health: Option<ApplicationHealth>,
    /// The errors and warnings of judging it.
    pub(crate) conditions: Conditions,
}

impl<T: Reported> Reported for WithHealth<T> {
    fn report(self) -> ApplicationRun {
        let run = self.of.report();
        let mut conditions = Conditions::of(&run.name);
        run.conditions.into_iter().for_each(|condition| conditions.push(condition));
        ApplicationRun { conditions: conditions.and(&self.conditions).into_vec(), health: self.health, ..run }
    }
}

/// The fields that every stage knows.
fn run_of(fetched: &Fetched, tools: &[Option<SourceKind>], cluster: String) -> ApplicationRun {
    let application = &fetched.application;
    ApplicationRun {
        name: application.name.clone(),
        namespace: application.namespace.clone(),
        project: application.project.clone(),
        lineage: application.lineage.clone(),
        destination: application.destination.clone(),
        cluster,
        sources: sources_of(fetched, tools),
        conditions: fetched.conditions.clone().into_vec(),
        resources: Vec::new(),
        recent: Vec::new(),
        first_seen: BTreeMap::new(),
        orphans: Vec::new(),
        history: Commits::new(),
        health: None,
        plan: None,
        operation: None,
        left: None,
        rolled_back: match &fetched.purpose {
            Purpose::RollBack(to) => Some(RolledBack::clone(to)),
            Purpose::Keep | Purpose::Delete => None,
        },
        is_going: fetched.purpose == Purpose::Delete,
        is_deleted: false,
    }
}

/// Each source, as it was fetched and rendered.
pub(crate) fn sources_of(fetched: &Fetched, tools: &[Option<SourceKind>]) -> Vec<SourceRun> {
    let sources = fetched.application.sources.iter().zip(&fetched.sources).enumerate();
    let run = |(place, (source, fetched)): (usize, (&Source, &FetchedSource))| {
        let tool = tools.get(place).copied().flatten();
        source_run(source, fetched.checkout().map(|checkout| &**checkout), tool)
    };
    sources.map(run).collect()
}

fn source_run(source: &Source, checkout: Option<&Checkout>, tool: Option<SourceKind>) -> SourceRun {
    SourceRun {
        repo_url: source.repo_url.to_string(),
        path: source.path.clone().or_else(|| source.chart.clone()).unwrap_or_default(),
        target_revision: source.target_revision.clone(),
        revision: checkout.map(|checkout| checkout.revision.clone()).unwrap_or_default(),
        last_synced_revision: String::new(),
        fetched_by: checkout.map(|checkout| checkout.by.as_str().to_owned()).unwrap_or_default(),
        dirty: checkout.is_some_and(|checkout| checkout.dirty),
        tool: tool.map_or("", SourceKind::as_str).to_owned(),
    }
}

fn order(drift: &ResourceDrift) -> (&str, &str, &str, &str) {
    (&drift.gvk.group, &drift.gvk.kind, &drift.namespace, &drift.name)
}

/// A finding of a manifest.
pub(crate) fn of_manifest(finding: Finding) -> Condition {
    let kind =
        if finding.severity == Severity::Error { ConditionKind::InvalidSpecError } else { ConditionKind::SpecWarning };
    Condition { kind, finding }
}

/// An application whose manifest is wrong could not be compared, and is reported like one.
pub(crate) fn invalid_run(application: InvalidApplication) -> ApplicationRun {
    ApplicationRun {
        name: application.shown_name(),
        namespace: application.namespace,
        project: application.project.unwrap_or_default(),
        lineage: application.lineage,
        destination: application.destination,
        cluster: String::new(),
        sources: Vec::new(),
        conditions: application.findings.into_iter().map(of_manifest).collect(),
        resources: Vec::new(),
        recent: Vec::new(),
        first_seen: BTreeMap::new(),
        orphans: Vec::new(),
        history: BTreeMap::new(),
        health: None,
        plan: None,
        operation: None,
        left: None,
        rolled_back: None,
        is_going: false,
        is_deleted: false,
    }
}
