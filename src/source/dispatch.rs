//! Fetches one repository, on a thread that may block.
//!
//! In: a [`Task`]: a URL and the revisions that are wanted. Out: checkouts, in the order asked. A working tree stands in
//! where the user named one; a local repository is read where it is; any other is fetched into the cache, once for all that is wanted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cache::CachedKind;
use super::checkout::{Checkout, FetchResult, FetchedBy, Wanted};
use super::error::{SourceCause, SourceError};
use super::fetch::FetchAnswer;
use super::location::Location;
use super::reach::{self, Ends};
use super::revision::{self, GitReferences, Resolved};
use super::task::{Task, Unfinished, When, WrittenRevision, crashed};
use super::{charts, fetch, local, submodules, tree, working_tree};
use crate::finding::{Code, Finding};

impl Task {
    /// Fetches everything; returns the references too, so that they are listed once a run.
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
            Location::Http | Location::Ssh | Location::GitDaemon => self.fetched(),
        }
    }

    /// Fetches from a server. Submodules follow when the repository is no longer locked: one may be the repository itself.
    fn fetched(&mut self) -> Result<Vec<FetchResult>, SourceError> {
        let answers = fetch::all(self)?;
        let finish =
            |answer: FetchAnswer| answer.and_then(|written| self.finish(written)).map(Arc::new).map_err(Arc::new);
        let answers = answers.into_iter().map(finish).collect();
        self.shared.cache()?.shrink();
        Ok(answers)
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
        Ok(self.as_it_is(&root, Some(&Finding::warning(Code::SourcePlainFolder, message))))
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
}
