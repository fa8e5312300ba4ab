//! The work on one repository: its settings, its credentials, the files of one revision.
//!
//! In: a URL and what is wanted of it. Out: checkouts, in the order asked. A working tree stands in where the user
//! named one; a local repository is read where it is; any other is fetched into the cache, once for all that is wanted.

use std::cell::RefCell;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use gix::ObjectId;

use crate::finding::Finding;
use crate::secret::RepoUrl;

use super::access::PassFiles;
use super::access::Web;
use super::access::{ServerAccess, Trust};
use super::cache::{Cache, CacheLockError, CachedKind};
use super::checkout::{Checkout, FetchedBy, Wanted};
use super::error::{SourceCause, SourceError};
use super::limits::FetchLimits;
use super::local::{self, ShortHash};
use super::revision::{self, GitReferences};
use super::settings::SourceSettings;
use super::tree::{self, TreeError};
use super::working_tree::WorkingTrees;

/// State that all repositories of a run share.
#[derive(Debug)]
pub(super) struct SharedFetch {
    pub(super) settings: SourceSettings,
    pub(super) working_trees: WorkingTrees,
    pub(super) cache: OnceLock<Cache>,
}

impl SharedFetch {
    /// The cache, made ready at its first use: a run on working trees needs none.
    pub(super) fn cache(&self) -> Result<&Cache, SourceError> {
        if let Some(cache) = self.cache.get() {
            return Ok(cache);
        }
        let cache = Cache::open(self.settings.cache_dir.as_deref(), self.settings.cache_bytes)?;
        // Two threads may come here at once: one cache is taken, the other dropped.
        Ok(self.cache.get_or_init(|| cache))
    }
}

/// The work on one repository.
pub(super) struct Task {
    pub(super) shared: Arc<SharedFetch>,
    pub(super) url: RepoUrl,
    pub(super) trust: Trust,
    /// The project of the applications that ask, where that makes a difference.
    pub(super) project: String,
    /// The settings of the repository's Secret, in files.
    pub(super) files: Option<Arc<TaskFiles>>,
    /// All of one kind.
    pub(super) wanted: Vec<Wanted>,
    pub(super) references: Option<Arc<GitReferences>>,
    pub(super) limits: FetchLimits,
    pub(super) runtime: tokio::runtime::Handle,
    /// How many submodules it is below what the user asked for.
    pub(super) depth: usize,
    /// Whether what is wanted is from the past.
    pub(super) when: When,
}

/// Files of a Secret that go with the task.
#[derive(Debug)]
pub(super) struct TaskFiles {
    pub(super) written: PassFiles,
    _kept: Vec<tempfile::TempPath>,
}

/// Which time a task is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Now: a working tree stands in for its repository, as it is.
    Now,
    /// A commit of the past: a working tree's repository is asked for it.
    Past,
}

/// A revision's files, whole or but for its submodules.
pub(super) struct WrittenRevision {
    pub(super) checkout: Checkout,
    pub(super) unfinished: Option<Unfinished>,
}

/// Files that wait for their submodules.
pub(super) struct Unfinished {
    pub(super) folder: tempfile::TempDir,
    pub(super) key: String,
    pub(super) written: tree::WrittenTree,
}

/// The error for a thread that died, which is a fault of ours.
pub(super) fn crashed(url: &RepoUrl) -> SourceError {
    SourceError::FetchFailed {
        url: url.to_string(),
        help: "please report this as a bug of trueup".to_owned(),
        cause: SourceCause::saying("the thread that fetched it died"),
    }
}

impl Task {
    /// The repository's address, and what opens it.
    pub(super) fn access(&self) -> Result<ServerAccess, SourceError> {
        let settings = &self.shared.settings;
        let access = ServerAccess::to(&self.url, &settings.credentials, self.trust).ok_or_else(|| {
            SourceError::UrlRefused { url: self.url.to_string(), reason: "it is not a URL that git reads" }
        })?;
        let pass = settings.keyring.git(self.url.with_credentials(), &self.project);
        if pass.client_certificate.is_some() || pass.authorities.is_some() || pass.proxy.is_some() {
            // What makes no client for us makes none for gix, which could not say whose fault it is.
            Web::new(&pass, &self.url.to_string(), &self.limits, &self.runtime)?;
        }
        access
            .with(pass)
            .into_app(&self.url, (&settings.keyring, &self.limits, &self.runtime))
            .map(|access| access.with_files(self.files.as_ref().map(|files| files.written.clone())))
    }

    /// Writes down what the repository's Secret says, where only we, and programs for us, can read it.
    pub(super) fn write_files(&mut self, cache: &Cache) -> Result<(), SourceError> {
        let pass = self.shared.settings.keyring.git(self.url.with_credentials(), &self.project);
        let kept = RefCell::new(Vec::new());
        let written = pass.write(|_name, content| {
            let mut file = cache.new_file()?;
            file.write_all(content.as_bytes())?;
            let path = file.into_temp_path();
            let place = path.to_path_buf();
            kept.borrow_mut().push(path);
            Ok(place)
        });
        let written = written.map_err(|error| cache.unusable(&error))?;
        self.files = Some(Arc::new(TaskFiles { written, _kept: kept.into_inner() }));
        Ok(())
    }

    pub(super) fn long_hash(
        &self,
        repository: &gix::Repository,
        hash: &str,
        references: &GitReferences,
    ) -> Result<ObjectId, SourceError> {
        let url = self.url.to_string();
        match local::short_hash(repository, hash).map_err(|cause| SourceError::Damaged { url: url.clone(), cause })? {
            ShortHash::Commit(id) => Ok(id),
            ShortHash::Unclear(count) => Err(SourceError::ShortHashUnclear { url, revision: hash.to_owned(), count }),
            ShortHash::Unknown => Err(revision::revision_gone(&url, hash, references)),
        }
    }

    /// Writes the files of an object that is here, where they are not yet.
    pub(super) fn write(
        &self,
        repository: &gix::Repository,
        id: ObjectId,
        by: FetchedBy,
        warnings: Vec<Finding>,
    ) -> Result<WrittenRevision, SourceError> {
        let cache = self.shared.cache()?;
        let commit = tree::commit_of(repository, id).map_err(|error| self.tree_error(cache, error, id))?;
        let key = Cache::tree_key(&self.url, &commit.to_string(), self.shared.settings.submodules);
        let mut checkout = Checkout { root: PathBuf::new(), revision: commit.to_string(), by, dirty: false, warnings };
        if let Some(root) =
            cache.folder(CachedKind::Tree, &key, &self.limits).map_err(|error| self.lock_error(cache, error))?
        {
            checkout.root = root;
            return Ok(WrittenRevision { checkout, unfinished: None });
        }
        let folder = cache.new_tree().map_err(|error| cache.unusable(&error))?;
        let written = tree::write(repository, commit, folder.path(), &|| self.limits.over())
            .map_err(|error| self.tree_error(cache, error, id))?;
        Ok(WrittenRevision { checkout, unfinished: Some(Unfinished { folder, key, written }) })
    }

    fn tree_error(&self, cache: &Cache, error: TreeError, id: ObjectId) -> SourceError {
        let url = self.url.to_string();
        match error {
            TreeError::Damaged(cause) => SourceError::Damaged { url, cause },
            TreeError::NotACommit(kind) => SourceError::NotACommit { url, revision: id.to_string(), kind },
            TreeError::Disk(error) => cache.unusable(&error),
            TreeError::Refused(error) => error,
            TreeError::Stopped => SourceError::TimedOut { url, after: self.limits.timeout },
        }
    }

    pub(super) fn lock_error(&self, cache: &Cache, error: CacheLockError) -> SourceError {
        match error {
            CacheLockError::Busy => SourceError::TimedOut { url: self.url.to_string(), after: self.limits.timeout },
            CacheLockError::Disk(error) => cache.unusable(&error),
        }
    }
}
