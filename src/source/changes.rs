//! Which files changed in a checkout of this machine: since a revision, or between two commits.
//!
//! In: a folder in a working tree, and revisions. Out: the paths from its root, the files that were removed and renamed among
//! them, with the URLs that the checkout stands for. A revision that is not there, as in a shallow clone, is an error: nobody
//! knows what changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice;

use super::working_tree;
use crate::secret::RepoUrl;

/// Why it is not known what changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangesError {
    /// No checkout is there.
    #[error("{} is not in the working tree of a git repository", .0.display())]
    NoRepository(PathBuf),
    /// The revision is unknown here.
    #[error("revision `{0}` not found in this checkout; a shallow clone does not have it")]
    Revision(String),
    /// Git's words.
    #[error("the changes cannot be read: {0}")]
    Unreadable(String),
}

/// What changed in a checkout.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedFiles {
    /// The root of the working tree, links resolved.
    pub root: PathBuf,
    /// The URLs of its remotes.
    pub urls: Vec<RepoUrl>,
    /// Every file that is not as it was, from the root.
    pub files: Vec<String>,
}

/// The files that differ between a revision and the working tree as it is, what git does not track among them.
pub fn changed_since(folder: &Path, revision: &str) -> Result<ChangedFiles, ChangesError> {
    let (repository, mut changed) = opened(folder)?;
    let unreadable = |error: &dyn std::fmt::Display| ChangesError::Unreadable(error.to_string());
    let head = repository.head_tree_id_or_empty().map_err(|error| unreadable(&error))?;
    let mut files = between_trees(&repository, tree(&repository, revision)?, head.detach())?;
    let status = repository.status(gix::progress::Discard).map_err(|error| unreadable(&error))?;
    let submodules = gix::status::Submodule::Given { ignore: gix::submodule::config::Ignore::Dirty, check_dirty: true };
    let status = status.untracked_files(gix::status::UntrackedFiles::Files).index_worktree_submodules(submodules);
    for item in status.into_iter([":/".into()]).map_err(|error| unreadable(&error))? {
        let item = item.map_err(|error| unreadable(&error))?;
        files.insert(item.location().to_str_lossy().into_owned());
    }
    changed.files = files.into_iter().collect();
    Ok(changed)
}

/// The files that differ between commits, for each pair of them.
pub fn changed_between(folder: &Path, ranges: &[(String, String)]) -> Result<ChangedFiles, ChangesError> {
    let (repository, mut changed) = opened(folder)?;
    let mut files = BTreeSet::new();
    for (from, to) in ranges {
        files.extend(between_trees(&repository, tree(&repository, from)?, tree(&repository, to)?)?);
    }
    changed.files = files.into_iter().collect();
    Ok(changed)
}

/// The checkout that a folder is in.
pub fn checkout_of(folder: &Path) -> Option<ChangedFiles> {
    opened(folder).ok().map(|(_, changed)| changed)
}

fn opened(folder: &Path) -> Result<(gix::Repository, ChangedFiles), ChangesError> {
    let none = || ChangesError::NoRepository(folder.to_owned());
    let folder = folder.canonicalize().map_err(|_error| none())?;
    let (root, urls) = working_tree::remotes(&folder).map_err(|_error| none())?;
    let repository = working_tree::open(&root).ok_or_else(none)?;
    Ok((repository, ChangedFiles { root, urls, files: Vec::new() }))
}

fn tree(repository: &gix::Repository, revision: &str) -> Result<gix::ObjectId, ChangesError> {
    let unknown = || ChangesError::Revision(revision.to_owned());
    if revision.is_empty() {
        return Err(ChangesError::Unreadable("a branch was created or deleted".to_owned()));
    }
    let found = repository.rev_parse_single(revision).map_err(|_error| unknown())?;
    let commit = found.object().ok().and_then(|object| object.peel_to_commit().ok()).ok_or_else(unknown)?;
    commit.tree_id().map(gix::Id::detach).map_err(|_error| unknown())
}

fn between_trees(
    repository: &gix::Repository,
    from: gix::ObjectId,
    to: gix::ObjectId,
) -> Result<BTreeSet<String>, ChangesError> {
    let unreadable = |error: &dyn std::fmt::Display| ChangesError::Unreadable(error.to_string());
    let found = |id| repository.find_tree(id).map_err(|error| unreadable(&error));
    let (from, to) = (found(from)?, found(to)?);
    let changes = repository.diff_tree_to_tree(&from, &to, None).map_err(|error| unreadable(&error))?;
    let mut files = BTreeSet::new();
    for change in changes.iter().filter(|change| !change.entry_mode().is_tree()) {
        // Of a file that was renamed, both names count.
        for place in [change.source_location(), change.location()] {
            files.insert(place.to_str_lossy().into_owned());
        }
    }
    Ok(files)
}
