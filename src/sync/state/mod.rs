//! What a sync leaves about itself in the cluster: the parent of the ApplySet, with history, attempt and record.
//!
//! In: the parent as it was read, what is attempted, what came of it. Out: the parent written: once before the first
//! write ([`State::begin`]), once at the end ([`State::finish`]). A run that is killed in between leaves an attempt
//! without an end, and a parent that names every kind and namespace that may have been written to.
//!
//! Rules: KEP-3659 (kubectl pkg/cmd/apply/applyset.go); docs/record.md.

mod error;
mod lineage;
mod parent;
mod place;
mod record;
mod sources;
#[cfg(test)]
mod tests;
mod write;

pub use error::{StateError, StateFault};
pub use lineage::RecordedLineage;
pub use parent::{application_of, identity_of, parents};
pub(in crate::sync) use parent::{is_parent_of, is_part_of};
pub use place::{Identity, Place};
pub use record::{Attempt, AttemptEnd, Ended, HistoryEntry, LastAttempt, State};
pub use sources::{Block, NotKept, SyncedSource, within_room};

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::execute::OperationPhase;
use crate::cluster::Cluster;
use crate::object::{GroupKind, Key};
use crate::status::compare::Baseline;

impl State {
    /// Reads the state of an application; an empty one when there is none.
    pub async fn read(cluster: &dyn Cluster, place: &Place) -> Result<Self, StateError> {
        if place.namespace.is_empty() {
            return Err(StateError::NoNamespace);
        }
        let Some(parent) = cluster.get(&place.parent()).await? else { return Ok(Self::default()) };
        let mut parts = Vec::new();
        for name in Baseline::part_names(&parent) {
            parts.extend(cluster.get(&place.config_map(name)).await?);
        }
        Self::of(place, parent, &parts)
    }

    /// As [`Self::read`], for who writes: refused where it may be another application's.
    pub async fn read_to_write(cluster: &dyn Cluster, place: &Place) -> Result<Self, StateError> {
        let state = Self::read(cluster, place).await?;
        state.doubt.clone().map_or(Ok(state), Err)
    }

    /// When the last attempt began and ended: it tells whether somebody synced meanwhile.
    pub fn last_attempt(&self) -> LastAttempt {
        let ended = self.ended.as_ref().map(|ended| ended.at);
        self.attempt.as_ref().map_or(LastAttempt::None, |attempt| LastAttempt::Began { at: attempt.started, ended })
    }

    /// Whether the last attempt did not succeed, or was killed.
    pub fn was_interrupted(&self) -> bool {
        let succeeded = self.ended.as_ref().is_some_and(|ended| ended.phase == OperationPhase::Succeeded);
        self.attempt.is_some() && !succeeded
    }

    /// Whether the last attempt was killed, goes on, or was ended by a signal: it never came to say yes or no.
    pub fn was_cut_short(&self) -> bool {
        let is_open = self.ended.as_ref().is_none_or(|ended| ended.phase == OperationPhase::Terminated);
        self.attempt.is_some() && is_open
    }

    /// The syncs that are on record, whatever came of the last one: the revision of the first source, and when it began.
    pub fn syncs(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        let history =
            self.history.iter().map(|entry| (entry.sources.first().map(|source| &source.revision), entry.started));
        let attempt = self.attempt.iter().map(|attempt| (attempt.revisions.first(), attempt.started));
        history.chain(attempt).map(|(revision, began)| (revision.map(String::as_str).unwrap_or_default(), began))
    }

    /// The last attempt, where a run made it that began after this moment, and synced other revisions than these and than those
    /// synced before it: who began earlier has an older git.
    pub fn overtaker(&self, since: Timestamp, revisions: &[String]) -> Option<&Attempt> {
        let attempt = self.attempt.as_ref().filter(|attempt| attempt.started > since)?;
        let before = self.history.iter().rev().find(|entry| entry.started != attempt.started);
        let is_what_was =
            before.is_some_and(|entry| entry.sources.iter().map(|source| &source.revision).eq(&attempt.revisions));
        (attempt.revisions != revisions && !is_what_was).then_some(attempt)
    }

    /// The kinds that members may have, and the namespaces that they may be in beside the parent's own; nothing where there
    /// is no parent.
    pub fn members(&self) -> Option<(&BTreeSet<GroupKind>, &BTreeSet<String>)> {
        self.parent.as_ref().map(|_| (&self.kinds, &self.namespaces))
    }

    /// Writes what is attempted, before anything else is written.
    pub async fn begin(&mut self, cluster: &dyn Cluster, place: &Place, attempt: Attempt) -> Result<(), StateError> {
        let mut next = self.clone();
        next.kinds.extend(attempt.kinds.iter().cloned());
        next.namespaces.extend(attempt.namespaces.iter().filter(|name| **name != place.namespace).cloned());
        next.attempt = Some(attempt);
        next.ended = None;
        next.parent = Some(write::attempted(cluster, place, &next).await?);
        *self = next;
        Ok(())
    }

    /// Writes how it ended: the record and the history of a whole sync that succeeded, the words of one that failed.
    pub async fn finish(&mut self, cluster: &dyn Cluster, place: &Place, ended: Ended) -> Result<(), StateError> {
        let mut next = self.clone();
        next.end(place, ended);
        let parent = write::ended(cluster, place, &next).await?;
        next.record = parent::hash_of_record(parent.value().get("data"));
        next.parent = Some(parent);
        *self = next;
        Ok(())
    }

    /// Writes that the application was rolled back to an entry of its history, or no longer is.
    pub async fn set_rolled_back_to(
        &mut self,
        cluster: &dyn Cluster,
        place: &Place,
        id: Option<u64>,
    ) -> Result<(), StateError> {
        let mut next = self.clone();
        next.rolled_back_to = id;
        next.parent = Some(write::attempted(cluster, place, &next).await?);
        *self = next;
        Ok(())
    }

    /// Writes since when resources differ.
    pub async fn set_seen(
        &mut self,
        cluster: &dyn Cluster,
        place: &Place,
        seen: BTreeMap<Key, Timestamp>,
    ) -> Result<(), StateError> {
        let mut next = self.clone();
        next.seen = seen;
        next.parent = Some(write::attempted(cluster, place, &next).await?);
        *self = next;
        Ok(())
    }

    /// Takes the state away: the application is no more. The parent goes last, so that a run that is killed finds it.
    pub async fn remove(self, cluster: &dyn Cluster, place: &Place) -> Result<(), StateError> {
        let Some(parent) = self.parent else { return Ok(()) };
        write::removed(cluster, place, &parent).await
    }

    /// The state after an attempt ended so.
    fn end(&mut self, place: &Place, ended: Ended) {
        let Ended { at, phase, message, baseline, left, unseen, sources, is_entry, history_limit } = ended;
        let succeeded = phase == OperationPhase::Succeeded;
        if let (Some(baseline), true) = (&baseline, succeeded) {
            self.kinds = baseline.kinds().into_iter().chain(left.iter().map(Key::group_kind)).collect();
            if unseen.is_empty() {
                self.namespaces.clear();
            }
            self.kinds.extend(unseen);
            self.namespaces.extend(baseline.namespaces());
            self.namespaces.extend(left.into_iter().map(|key| key.namespace));
            self.namespaces.retain(|namespace| !namespace.is_empty() && *namespace != place.namespace);
        }
        if let (Some(sources), true) = (&sources, succeeded) {
            self.sources.clone_from(sources);
        }
        if let (Some(sources), true) = (sources, succeeded && is_entry) {
            let id = self.history.iter().map(|entry| entry.id).max().unwrap_or_default() + 1;
            let (started, by) =
                self.attempt.as_ref().map_or((at, String::new()), |attempt| (attempt.started, attempt.by.clone()));
            self.history.push(HistoryEntry { id, started, deployed: at, by, sources });
        }
        let limit = usize::try_from(history_limit).unwrap_or(usize::MAX);
        self.history.drain(..self.history.len().saturating_sub(limit));
        if baseline.is_some() {
            self.baseline = baseline;
            self.faults.retain(|fault| !matches!(fault, StateFault::Record { .. }));
        }
        self.ended = Some(AttemptEnd { at, phase, message });
    }
}
