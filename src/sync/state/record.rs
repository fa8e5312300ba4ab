//! What is on record of an application: its attempts, its history, its objects.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::error::{StateError, StateFault};
use super::lineage::RecordedLineage;
use super::sources::SyncedSource;
use crate::object::annotations::CONTAINS_APPLICATIONS;
use crate::object::{GroupKind, Key, Object};
use crate::status::compare::Baseline;
use crate::sync::execute::OperationPhase;

/// The steps of a sync before it starts.
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
    /// The kinds that it writes; the parent names them before the first of them is written. Of an attempt that was read
    /// they are among those of the parent.
    pub kinds: BTreeSet<GroupKind>,
    /// The namespaces that it writes to; as with the kinds.
    pub namespaces: BTreeSet<String>,
}

/// How the last attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptEnd {
    /// When.
    pub at: Timestamp,
    /// How.
    pub phase: OperationPhase,
    /// In words.
    pub message: String,
}

/// When the last attempt was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LastAttempt {
    /// There was none.
    #[default]
    None,
    /// It began, and ended unless it goes on or was killed.
    Began {
        /// When.
        at: Timestamp,
        /// When it ended.
        ended: Option<Timestamp>,
    },
}

impl LastAttempt {
    /// Whether it goes on, or was killed: what is live may be another thing in a moment.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Began { ended: None, .. })
    }
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

/// The history of an application's syncs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The record of the last sync.
    pub baseline: Option<Baseline>,
    /// The successful syncs, oldest first.
    pub history: Vec<HistoryEntry>,
    /// The sources that the record of the last sync was rendered from; empty where an older version wrote it.
    pub sources: Vec<SyncedSource>,
    /// The last attempt.
    pub attempt: Option<Attempt>,
    /// How that ended. An attempt without an end was killed, unless somebody has the lock: then it goes on.
    pub ended: Option<AttemptEnd>,
    /// The entry of the history that the application was rolled back to, until somebody syncs it again.
    pub rolled_back_to: Option<u64>,
    /// The resources that differ from git, each since when a run that writes the record first saw it.
    pub seen: BTreeMap<Key, Timestamp>,
    /// Why it may be that of another application of the name: who writes refuses it.
    pub doubt: Option<StateError>,
    /// The parts that could not be read.
    pub faults: Vec<StateFault>,
    /// The kinds that members may have, as the parent has them.
    pub(super) kinds: BTreeSet<GroupKind>,
    /// The namespaces that members may be in, as the parent has them, its own aside.
    pub(super) namespaces: BTreeSet<String>,
    /// The hash of the record that the sources belong to.
    pub(super) record: String,
    /// The parent as the cluster has it.
    pub(super) parent: Option<Object>,
}

impl State {
    /// Which ApplicationSet and Application the application came from at its last sync.
    pub fn lineage(&self) -> Option<RecordedLineage> {
        self.parent.as_ref().and_then(RecordedLineage::read)
    }

    /// Whether the application contained others then.
    pub fn had_children(&self) -> bool {
        self.parent.as_ref().is_some_and(|parent| parent.annotation(CONTAINS_APPLICATIONS).is_some())
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// How: a success is what the history has, and what narrows the kinds and namespaces.
    pub phase: OperationPhase,
    /// In words, which hold nothing of a Secret.
    pub message: String,
    /// The record of what is now in the cluster; nothing keeps the one before.
    pub baseline: Option<Baseline>,
    /// Members that git no longer has and that were left in the cluster: held, or not asked for.
    pub left: Vec<Key>,
    /// Kinds of members that could not be looked at: of these, too, something may be left.
    pub unseen: BTreeSet<GroupKind>,
    /// Its sources, of a whole sync that succeeded.
    pub sources: Option<Vec<SyncedSource>>,
    /// Whether that sync is an entry of the history.
    pub is_entry: bool,
    /// How many entries the history keeps.
    pub history_limit: u64,
}
