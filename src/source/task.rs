//! Fetches one repository, on a thread that may block.
//!
//! In: a URL and what is wanted of it. Out: checkouts, in the order asked. A working tree stands in where the user
//! named one; a local repository is read where it is; any other is fetched into the cache, once for all that is wanted.

use std::cell::RefCell;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use gix::ObjectId;

use crate::finding::Finding;
use crate::secret::RepoUrl;

use super::cache::{Cache, CacheLockError, CachedKind};
use super::charts;
use super::checkout::{Checkout, FetchedBy, Wanted};
use super::credentials::{ServerAccess, Trust};
use super::error::{SourceCause, SourceError};
use super::fetch;
use super::limits::FetchLimits;
use super::local::{self, ShortHash};
use super::location::Location;
use super::pass_files::PassFiles;
use super::reach::{self, Ends};
use super::revision::{self, GitReferences, Resolved};
use super::settings::SourceSettings;
use super::sources::FetchResult;
use super::submodules;
use super::tree::{self, TreeError};
use super::web::Web;
use super::working_tree::{self, WorkingTrees};

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
    unfinished: Option<Unfinished>,
}

struct Unfinished {
    folder: tempfile::TempDir,
    key: String,
    written: tree::WrittenTree,
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
    /// Does the work; hands back the references too, so that they are listed once a run.
    pub(super) fn run(mut self) -> (Vec<FetchResult>, Option<Arc<GitReferences>>) {
        let answers = self.all().unwrap_or_else(|error| {
            let error = Arc::new(error);
            self.wanted.iter().map(|_| Err(error.clone())).collect()
        });
        (answers, self.references)
    }

    fn all(&mut self) -> Result<Vec<FetchResult>, SourceError> {
        let shared = self.shared.clone();
        if let Some(first) = self.wanted.first() {
            match charts::SourceOrigin::of(&self.url, first, &shared.settings.keyring) {
                charts::SourceOrigin::Git => {}
                kind => {
                    if shared.working_trees.find(&self.url).is_none()
                        && let Some(path) = reach::local_path(&self.url)
                    {
                        reach::check(&path, Ends::InAFolder, first, &shared.settings)?;
                    }
                    return charts::all(self, kind);
                }
            }
        }
        match (shared.working_trees.find(&self.url), self.when) {
            (Some(root), When::Now) => Ok(self.as_it_is(root, None)),
            (Some(root), When::Past) => self.local(root),
            (None, _) => self.not_overridden(),
        }
    }

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

    /// The one revision that a submodule is at: the folder with its files.
    pub(super) fn one(mut self) -> Result<PathBuf, SourceError> {
        match self.not_overridden()?.pop() {
            Some(Ok(checkout)) => Ok(checkout.root.clone()),
            Some(Err(error)) => Err(Arc::try_unwrap(error).unwrap_or_else(|_| crashed(&self.url))),
            None => Err(crashed(&self.url)),
        }
    }

    fn not_overridden(&mut self) -> Result<Vec<FetchResult>, SourceError> {
        match Location::of(&self.url)? {
            Location::Local(path) => self.local_as_asked(&path),
            Location::Http | Location::Ssh | Location::GitDaemon => fetch::all(self),
        }
    }

    fn as_it_is(&self, root: &Path, warning: Option<&Finding>) -> Vec<FetchResult> {
        let mut checkout = working_tree::checkout(root);
        checkout.warnings.extend(warning.cloned());
        let checkout = Arc::new(checkout);
        self.wanted.iter().map(|_| Ok(checkout.clone())).collect()
    }

    /// Sources that a manifest names, which may not be trusted: all of what is wanted has the same holder.
    fn local_as_asked(&mut self, path: &Path) -> Result<Vec<FetchResult>, SourceError> {
        let shared = self.shared.clone();
        let wanted = self.wanted.first().cloned().unwrap_or_default();
        // Before it is looked at: what is not read is not even said to be there.
        reach::check(path, Ends::InGit, &wanted, &shared.settings)?;
        if let Some(repository) = local::open(path)? {
            reach::check_objects(&repository, path, &wanted, &shared.settings)?;
            return self.commits_of(path, &repository);
        }
        reach::check(path, Ends::InAFolder, &wanted, &shared.settings)?;
        self.plain_folder(path)
    }

    /// The name that the user gave.
    fn local(&mut self, path: &Path) -> Result<Vec<FetchResult>, SourceError> {
        match local::open(path)? {
            Some(repository) => self.commits_of(path, &repository),
            None => self.plain_folder(path),
        }
    }

    fn commits_of(&mut self, path: &Path, repository: &gix::Repository) -> Result<Vec<FetchResult>, SourceError> {
        let unreadable = |cause| SourceError::LocalUnreadable { path: path.to_owned(), cause };
        let references = match &self.references {
            Some(known) => known.clone(),
            None => Arc::new(local::references(repository).map_err(unreadable)?),
        };
        self.references = Some(references.clone());
        let check_out = |wanted: &Wanted| -> Result<Checkout, SourceError> {
            let (id, warnings) = match revision::resolve(&self.url.to_string(), wanted, &references)? {
                Resolved::To(id, warnings) => (id, warnings),
                Resolved::ShortHash(hash) => (self.long_hash(repository, &hash, &references)?, Vec::new()),
            };
            if !repository.has_object(id) {
                return Err(revision::revision_gone(&self.url.to_string(), &wanted.revision, &references));
            }
            self.finish(self.write(repository, id, FetchedBy::Local, warnings)?)
        };
        Ok(self.wanted.iter().map(|wanted| check_out(wanted).map(Arc::new).map_err(Arc::new)).collect())
    }

    /// A folder that is no repository has one revision: its files.
    fn plain_folder(&self, path: &Path) -> Result<Vec<FetchResult>, SourceError> {
        if self.wanted.iter().any(|wanted| !matches!(wanted.revision.as_str(), "" | "HEAD")) {
            let cause = SourceCause::saying("it is not a git repository, so it has no revisions");
            return Err(SourceError::LocalUnreadable { path: path.to_owned(), cause });
        }
        let root = path
            .canonicalize()
            .map_err(|error| SourceError::LocalUnreadable { path: path.to_owned(), cause: SourceCause::of(&error) })?;
        // Whoever reads below it, now or later, meets no link that leads out.
        tree::refuse_links_that_leave(&root, &root)?;
        let message = format!("`{}` is not a git repository; its files are used as they are", path.display());
        Ok(self.as_it_is(&root, Some(&Finding::warning("trueup::source::plain_folder", message))))
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

    /// Fetches the submodules and puts the files in their place. No repository may be locked any more: a submodule may be
    /// the repository that it is in.
    pub(super) fn finish(&self, written: WrittenRevision) -> Result<Checkout, SourceError> {
        let WrittenRevision { mut checkout, unfinished } = written;
        if let Some(Unfinished { folder, key, written }) = unfinished {
            if self.shared.settings.submodules {
                submodules::fetch_into(self, folder.path(), &written.submodules)?;
            }
            let cache = self.shared.cache()?;
            checkout.root =
                cache.keep(CachedKind::Tree, &key, folder, written.bytes).map_err(|error| cache.unusable(&error))?;
        }
        Ok(checkout)
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
