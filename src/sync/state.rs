//! What a sync leaves about itself in the cluster: the parent of the ApplySet, with history, attempt and record.
//!
//! In: the parent as it was read, what is attempted, what came of it. Out: the parent written: once before the first
//! write, once at the end. A killed run leaves a truthful record.
//!
//! Rules: KEP-3659; docs/design.md, "State lives in the cluster".

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::cluster::{Cluster, ClusterError};
use crate::object::{GroupKind, Object};
use crate::status::compare::{Baseline, BaselineFault};

/// Where an application keeps its state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The parent's name: `trueup-<application>`.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The application it belongs to, as tracking names it: a parent of another one is not touched.
    pub application: String,
}

/// What a sync is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The full commit hash of each source.
    pub revisions: Vec<String>,
    /// When it began.
    pub started: Timestamp,
    /// Who runs it.
    pub by: String,
    /// How many steps the plan has.
    pub steps: usize,
    /// The kinds that it writes; the parent names them before the first of them is written.
    pub kinds: BTreeSet<GroupKind>,
    /// The namespaces that it writes to.
    pub namespaces: BTreeSet<String>,
}

/// One source, as it was synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncedSource {
    /// The repository, without credentials.
    pub repo_url: String,
    /// The path in it, or the chart.
    pub path: String,
    /// What the manifest asked for.
    pub target_revision: String,
    /// The full commit hash.
    pub revision: String,
}

/// One sync of the whole application that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Counts up.
    pub id: u64,
    /// When it began.
    pub started: Timestamp,
    /// When it was done.
    pub deployed: Timestamp,
    /// Who ran it.
    pub by: String,
    /// Its sources.
    pub sources: Vec<SyncedSource>,
}

/// What is known of an application's syncs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The record of the last sync.
    pub baseline: Option<Baseline>,
    /// The successful syncs, oldest first.
    pub history: Vec<HistoryEntry>,
    /// What was attempted last, and how that ended; without an end, the run was killed.
    pub attempt: Option<Attempt>,
    /// The entry of the history that the application was rolled back to, until somebody syncs it again.
    pub rolled_back_to: Option<u64>,
}

/// Why the state cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum StateError {
    /// It cannot be believed.
    #[error(transparent)]
    Fault(#[from] BaselineFault),
    /// The cluster does not answer.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl State {
    /// When the last attempt began: it tells whether somebody synced meanwhile.
    pub fn last_started(&self) -> Option<Timestamp> {
        self.attempt.as_ref().map(|attempt| attempt.started)
    }

    /// Whether the last attempt did not succeed, or was killed.
    pub fn was_interrupted(&self) -> bool {
        todo!()
    }

    /// Reads the state of an application; an empty one when there is none.
    pub async fn read(cluster: &dyn Cluster, place: &Place) -> Result<Self, StateError> {
        let _ = (cluster, place);
        todo!()
    }

    /// Writes what is attempted, before anything else is written.
    pub async fn begin(&mut self, cluster: &dyn Cluster, place: &Place, attempt: Attempt) -> Result<(), StateError> {
        let _ = (cluster, place, attempt);
        todo!()
    }

    /// Writes how it ended: the record and the history of a whole sync that succeeded, the words of one that failed.
    pub async fn finish(&mut self, cluster: &dyn Cluster, place: &Place, ended: Ended) -> Result<(), StateError> {
        let _ = (cluster, place, ended);
        todo!()
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Whether it succeeded.
    pub succeeded: bool,
    /// In words.
    pub message: String,
    /// The record of what is now in the cluster; nothing keeps the one before.
    pub baseline: Option<Baseline>,
    /// Its sources, for the history of a whole sync that succeeded.
    pub sources: Option<Vec<SyncedSource>>,
    /// How many entries the history keeps.
    pub history_limit: u64,
}

/// The parent as the objects that hold it; one, or several when it is large.
pub fn parents(state: &State, place: &Place) -> Vec<Object> {
    let _ = (state, place);
    todo!()
}
