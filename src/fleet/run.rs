//! One run, at its end: the value that the exit code and every report are functions of.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::condition::Condition;
use crate::app::{Destination, Lineage};
use crate::cluster::Requests;
use crate::finding::{Finding, Severity};
use crate::fleet::census::RemovedApplication;
use crate::object::Key;
use crate::source::PathHistory;
use crate::status::health::{Health, HealthStatus, ResourceHealth};
use crate::status::since::{is_recent, since, since_of_field};
use crate::status::{FieldDrift, ResourceDrift, ResourceState};
use crate::sync::plan::Plan;
use crate::sync::{Operation, OperationPhase};

/// Whether an application is what git says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SyncStatus {
    /// Every resource is in sync.
    Synced,
    /// At least one is changed, missing or extra.
    OutOfSync,
    /// It could not be compared, or not in full.
    Unknown,
}

/// One source of an application, as it was fetched and rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRun {
    /// The repository, without credentials.
    pub repo_url: String,
    /// The path in it, or the chart.
    pub path: String,
    /// The revision that the manifest names.
    pub target_revision: String,
    /// The full commit hash, chart's version or artifact's digest it became; empty for a working tree outside of git, or when it could not be found.
    pub revision: String,
    /// The same of the last sync; empty when there was none, or nothing is known of it.
    pub last_synced_revision: String,
    /// How it was fetched: `gix`, `git`, `cache`, `local`, `working tree`, `helm repository`, `registry`; empty when nobody could.
    pub fetched_by: String,
    /// Whether a working tree differs from `revision`.
    pub dirty: bool,
    /// Which tool rendered it: `Directory`, `Helm` … empty when nothing was.
    pub tool: String,
}

/// How well an application works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationHealth {
    /// The worst of its resources.
    pub status: HealthStatus,
    /// Each resource that git has, hooks left out, in stable order.
    pub resources: Vec<ResourceHealth>,
}

impl ApplicationHealth {
    /// The health of a resource that was compared, too.
    pub fn of(&self, drift: &ResourceDrift) -> Option<&Health> {
        let wanted = (&drift.gvk.group, &drift.gvk.kind, &drift.namespace, &drift.name);
        let place = self.resources.binary_search_by(|resource| {
            (&resource.gvk.group, &resource.gvk.kind, &resource.namespace, &resource.name).cmp(&wanted)
        });
        place.ok().and_then(|place| self.resources[place].health.as_ref())
    }
}

/// A rollback that is in effect: `trueup reconcile` leaves the application alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBack {
    /// The entry of the history.
    pub entry: u64,
    /// The revision of its first source.
    pub revision: String,
    /// The target of the manifest's first source: a branch, a tag; empty for the default branch.
    pub follows: String,
    /// The revision that this is now; empty where it is not known.
    pub now: String,
}

/// One application, compared.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplicationRun {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`; empty when the manifest has none.
    pub namespace: String,
    /// The project.
    pub project: String,
    /// The ApplicationSet and the Application that it comes from.
    pub lineage: Lineage,
    /// Where it belongs.
    pub destination: Destination,
    /// The cluster it was compared with: a server's URL, a folder.
    pub cluster: String,
    /// Its sources.
    pub sources: Vec<SourceRun>,
    /// Errors and warnings about it.
    pub conditions: Vec<Condition>,
    /// Its resources, in stable order.
    pub resources: Vec<ResourceDrift>,
    /// Its resources whose drift is younger than the run was asked for (`--older-than`).
    pub recent: Vec<ResourceDrift>,
    /// The resources that differed before, each since when a run that writes the record first saw it.
    pub first_seen: BTreeMap<Key, Timestamp>,
    /// What stands in its namespace and belongs to no application, where that was asked for. No drift.
    pub orphans: Vec<Key>,
    /// The commits since the last sync, the newest first, by what they touched: a file, or a source's path. Only of
    /// what drifted because git moved.
    pub history: BTreeMap<String, PathHistory>,
    /// Its health, where that was asked for.
    pub health: Option<ApplicationHealth>,
    /// The plan of a sync.
    pub plan: Option<Plan>,
    /// The result of a sync.
    pub operation: Option<Operation>,
    /// Why a reconciliation leaves its drift, where it does.
    pub left: Option<String>,
    /// The rollback that is in effect, or that this run makes.
    pub rolled_back: Option<RolledBack>,
    /// Whether somebody wants it gone (`trueup delete`).
    pub is_going: bool,
    /// Whether it was deleted, and nothing is left of it.
    pub is_deleted: bool,
}

impl ApplicationRun {
    /// Whether it is what git says; an error anywhere makes it unknown. One that was to be deleted, and was not, is never
    /// synced, even where nothing of it is left but its record.
    pub fn sync(&self) -> SyncStatus {
        let has_failed = |operation: &Operation| operation.phase != OperationPhase::Succeeded;
        match sync_status(&self.conditions, &self.resources) {
            SyncStatus::Synced if !self.recent.is_empty() => SyncStatus::OutOfSync,
            SyncStatus::Synced if self.is_going && self.operation.as_ref().is_some_and(has_failed) => {
                SyncStatus::OutOfSync
            }
            status => status,
        }
    }

    /// Whether it is known to work, or somebody has paused it on purpose; also where nobody asked.
    pub fn is_well(&self) -> bool {
        self.health.as_ref().is_none_or(|health| health.status <= HealthStatus::Suspended)
    }

    /// Since when a resource differs from git, as far as that is known.
    pub fn since(&self, resource: &ResourceDrift) -> Option<Timestamp> {
        let known = since(resource, self.git_changed(resource));
        let seen = self.seen(resource);
        // A manager that writes again is no reason to call a difference younger.
        known.into_iter().chain(seen).min()
    }

    /// Since when a field does.
    pub fn since_of_field(&self, resource: &ResourceDrift, field: &FieldDrift) -> Option<Timestamp> {
        since_of_field(field, self.git_changed(resource)).or_else(|| self.seen(resource))
    }

    fn seen(&self, resource: &ResourceDrift) -> Option<Timestamp> {
        self.first_seen.get(&resource.key()).copied().filter(|_| resource.is_drift())
    }

    /// The oldest of the commits behind a resource, if all of them are known.
    fn git_changed(&self, resource: &ResourceDrift) -> Option<Timestamp> {
        let history = self.history_of(resource).filter(|history| !history.is_cut)?;
        let times: Option<Vec<Timestamp>> = history.commits.iter().map(|commit| commit.time.parse().ok()).collect();
        times?.into_iter().min()
    }

    /// Puts aside the resources whose drift has stood for less than this.
    fn put_recent_aside(&mut self, limit: Duration, now: Timestamp) {
        let resources = std::mem::take(&mut self.resources);
        let is_young = |resource: &ResourceDrift| resource.is_drift() && is_recent(self.since(resource), limit, now);
        let (recent, resources) = resources.into_iter().partition(is_young);
        (self.recent, self.resources) = (recent, resources);
    }

    /// The commits behind a resource: those that touched its file, or its source's path where it has no file.
    pub fn history_of(&self, resource: &ResourceDrift) -> Option<&PathHistory> {
        let file = resource.origin.as_ref().and_then(|origin| self.history.get(&*origin.file));
        file.or_else(|| self.sources.iter().find_map(|source| self.history.get(&source.path)))
    }

    /// Whether an error is among its conditions.
    pub fn has_error(&self) -> bool {
        has_error(&self.conditions)
    }

    /// How many resources are in this state.
    pub fn count(&self, state: ResourceState) -> usize {
        self.resources.iter().filter(|resource| resource.state == state).count()
    }
}

/// Whether one of the conditions leaves the comparison in doubt.
pub(crate) fn has_error(conditions: &[Condition]) -> bool {
    conditions.iter().any(Condition::blocks_comparison)
}

/// Whether an application is what git says, by its conditions and its resources.
pub(crate) fn sync_status(conditions: &[Condition], resources: &[ResourceDrift]) -> SyncStatus {
    let unknown = resources.iter().any(|resource| resource.state == ResourceState::Unknown);
    if has_error(conditions) || unknown {
        SyncStatus::Unknown
    } else if resources.iter().any(ResourceDrift::is_drift) {
        SyncStatus::OutOfSync
    } else {
        SyncStatus::Synced
    }
}

/// One run, at its end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// Every application, in the order of the input.
    pub applications: Vec<ApplicationRun>,
    /// Applications that their ApplicationSet or parent no longer has.
    pub removals: Vec<RemovedApplication>,
    /// Warnings outside of any application: unreadable manifests, bad selectors, remarks of clusters.
    pub findings: Vec<Finding>,
    /// Requests to all clusters together.
    pub requests: Requests,
}

impl Run {
    /// The same run with applications that are to go, or went.
    pub(crate) fn with_removals(mut self, removals: Vec<RemovedApplication>) -> Self {
        let open = removals.iter().filter(|removal| !removal.is_removed);
        self.findings.extend(open.map(RemovedApplication::finding));
        Self { removals, ..self }
    }

    /// How many resources of all applications are in this state.
    pub fn count(&self, state: ResourceState) -> usize {
        self.applications.iter().map(|application| application.count(state)).sum()
    }

    /// How many applications have this status, those left out of which nothing is left.
    pub fn count_applications(&self, status: SyncStatus) -> usize {
        self.applications.iter().filter(|application| !application.is_deleted && application.sync() == status).count()
    }

    /// Every error and warning of the run: those outside of applications first.
    pub fn all_findings(&self) -> impl Iterator<Item = &Finding> {
        let of_applications = self.applications.iter().flat_map(|application| &application.conditions);
        self.findings.iter().chain(of_applications.map(|condition| &condition.finding))
    }

    /// Every error of the run.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.all_findings().filter(|finding| finding.severity == Severity::Error)
    }

    /// Whether anything is changed, missing, or extra and not tolerated.
    pub fn has_drift(&self) -> bool {
        let is_left = self.removals.iter().any(|removal| !removal.is_removed);
        is_left || self.applications.iter().flat_map(|application| &application.resources).any(ResourceDrift::is_drift)
    }

    /// Leaves the drift out that has stood for less than this: it counts for no exit code. Where its age is not known, it stays.
    pub fn put_recent_aside(&mut self, limit: Duration, now: Timestamp) {
        self.applications.iter_mut().for_each(|application| application.put_recent_aside(limit, now));
    }

    /// How many resources were left out like that.
    pub fn count_recent(&self) -> usize {
        self.applications.iter().map(|application| application.recent.len()).sum()
    }

    /// Whether every application works, as far as that was asked for.
    pub fn is_well(&self) -> bool {
        self.applications.iter().all(ApplicationRun::is_well)
    }

    /// Whether the answer could not be found, or not in full.
    pub fn has_error(&self) -> bool {
        self.errors().next().is_some() || self.count(ResourceState::Unknown) > 0
    }
}
