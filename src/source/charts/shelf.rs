//! The part of the cache that charts and indexes are kept in.
//!
//! In: an archive in a file. Out: its files in a folder that is named by the archive's digest, so that an archive that two
//! repositories have is unpacked once, and one that was published again is another one.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::cache::{Cache, CachedKind};
use super::super::error::SourceError;
use super::super::task::Task;
use super::archive::{self, ArchiveFault, Bounds, Packing};
use crate::storage::{seal, unseal};

/// The file that an index is kept in, with its seal.
const INDEX: &str = "index";

/// The cache, as the work on one repository uses it.
pub(super) struct Shelf<'task> {
    cache: &'task Cache,
    task: &'task Task,
    turns: Mutex<HashMap<String, ArchiveLock>>,
}

/// Held while an archive is fetched, so that others who want the same one wait for it.
type ArchiveLock = Arc<Mutex<()>>;

impl<'task> Shelf<'task> {
    pub(super) fn of(cache: &'task Cache, task: &'task Task) -> Self {
        Self { cache, task, turns: Mutex::default() }
    }

    /// The error for something that the disk did not take.
    pub(super) fn unusable(&self, error: &io::Error) -> SourceError {
        self.cache.unusable(error)
    }

    /// The lock for fetching each archive.
    pub(super) fn turn(&self, archive: &str) -> ArchiveLock {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(archive.to_owned()).or_default())
    }

    /// The folder with an archive's files, if they are here; they stay until the run ends.
    pub(super) fn find(&self, sha256: &str) -> Result<Option<PathBuf>, SourceError> {
        let found = self.cache.folder(CachedKind::Chart, &key(sha256), &self.task.limits);
        found.map_err(|error| self.task.lock_error(self.cache, error))
    }

    /// A file for an archive, which is gone when it is dropped.
    pub(super) fn new_file(&self) -> Result<tempfile::NamedTempFile, SourceError> {
        self.cache.new_file().map_err(|error| self.unusable(&error))
    }

    /// Unpacks an archive and keeps its files; `what` is what an error calls it.
    pub(super) fn keep(
        &self,
        archive: &tempfile::NamedTempFile,
        packing: Packing,
        sha256: &str,
        what: &str,
    ) -> Result<PathBuf, SourceError> {
        let disk = |error: io::Error| self.unusable(&error);
        let folder = self.cache.new_tree().map_err(disk)?;
        let over = || self.task.limits.over();
        let packed = archive.reopen().map_err(disk)?;
        let bytes = archive::unpack(packed, packing, folder.path(), Bounds::default(), &over).map_err(|fault| {
            let what = what.to_owned();
            match fault {
                ArchiveFault::Refused(reason) => SourceError::ArchiveRefused { what, reason },
                ArchiveFault::Damaged(cause) => SourceError::ArchiveDamaged { what, cause },
                ArchiveFault::Disk(error) => self.unusable(&error),
                ArchiveFault::Stopped => {
                    SourceError::TimedOut { url: self.task.url.to_string(), after: self.task.limits.timeout }
                }
            }
        })?;
        self.cache.keep(CachedKind::Chart, &key(sha256), folder, bytes).map_err(disk)
    }

    /// An index as it was kept, for a server to say whether it still holds.
    pub(super) fn index(&self, url: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let kept = self.cache.file(CachedKind::Chart, &Cache::index_key(url), INDEX, &self.task.limits);
        let kept = kept.map_err(|error| self.task.lock_error(self.cache, error))?;
        Ok(kept.and_then(|kept| unseal(url, &kept).map(<[u8]>::to_vec)))
    }

    /// Keeps an index. A disk that does not take it costs time the next time, and nothing else.
    pub(super) fn keep_index(&self, url: &str, bytes: &[u8]) {
        let _ = self.cache.keep_file(CachedKind::Chart, &Cache::index_key(url), INDEX, &seal(url, bytes));
    }
}

fn key(sha256: &str) -> String {
    format!("sha256-{sha256}")
}
