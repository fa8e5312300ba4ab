//! Repositories of this machine: read from their object database, by no program.
//!
//! In: a folder. Out: its references and its commits' files. Bare repositories, checkouts and linked worktrees alike.

use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::bstr::ByteSlice;

use super::error::{SourceCause, SourceError};
use super::revision::{GitReference, GitReferences};

/// Opens a repository for reading; nothing when the folder is there but is no repository.
pub(super) fn open(path: &Path) -> Result<Option<gix::Repository>, SourceError> {
    if !path.is_dir() {
        return Err(SourceError::RepositoryGone { url: path.display().to_string(), cause: None });
    }
    // Isolated: a repository that is only read needs no user configuration.
    match gix::open_opts(path, gix::open::Options::isolated()) {
        Ok(repository) => Ok(Some(repository)),
        Err(error) if looks_like_a_repository(path) => {
            Err(SourceError::LocalUnreadable { path: path.to_owned(), cause: SourceCause::of(&error) })
        }
        Err(_) => match root_above(path) {
            Some(root) => {
                let cause = SourceCause::saying(format!("the root of the repository is {}", root.display()));
                Err(SourceError::LocalUnreadable { path: path.to_owned(), cause })
            }
            None => Ok(None),
        },
    }
}

fn looks_like_a_repository(path: &Path) -> bool {
    path.join(".git").exists() || (path.join("objects").is_dir() && path.join("refs").is_dir())
}

/// The repository that a folder lies in, if it lies in one.
fn root_above(path: &Path) -> Option<PathBuf> {
    path.ancestors().skip(1).find(|above| above.join(".git").exists()).map(Path::to_owned)
}

/// Every reference, annotated tags followed.
pub(super) fn references(repository: &gix::Repository) -> Result<GitReferences, SourceCause> {
    let mut found = Vec::new();
    if let Ok(head) = repository.head_id() {
        found.push(GitReference { name: "HEAD".to_owned(), commit: head.detach() });
    }
    let platform = repository.references().map_err(|error| SourceCause::of(&error))?;
    for reference in platform.all().map_err(|error| SourceCause::of(&error))? {
        // One broken reference is no reason to do without the others.
        let Ok(mut reference) = reference else { continue };
        let name = reference.name().as_bstr().to_str_lossy().into_owned();
        if let Ok(commit) = reference.peel_to_id() {
            found.push(GitReference { name, commit: commit.detach() });
        }
    }
    Ok(GitReferences(found))
}

/// The candidates for a short hash.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ShortHash {
    /// One commit begins with it.
    Commit(ObjectId),
    /// So many commits begin with it.
    Unclear(usize),
    /// None does.
    Unknown,
}

/// Looks for the commit that a short hash means.
pub(super) fn short_hash(repository: &gix::Repository, hash: &str) -> Result<ShortHash, SourceCause> {
    let Ok(prefix) = gix::hash::Prefix::from_hex(hash) else { return Ok(ShortHash::Unknown) };
    let mut candidates = std::collections::HashSet::new();
    let found =
        repository.objects.lookup_prefix(prefix, Some(&mut candidates)).map_err(|error| SourceCause::of(&error))?;
    if found.is_none() {
        return Ok(ShortHash::Unknown);
    }
    candidates.retain(|id| repository.find_header(*id).is_ok_and(|header| header.kind() == gix::objs::Kind::Commit));
    let mut commits = candidates.into_iter();
    Ok(match (commits.next(), commits.len()) {
        (None, _) => ShortHash::Unknown,
        (Some(commit), 0) => ShortHash::Commit(commit),
        (Some(_), others) => ShortHash::Unclear(others + 1),
    })
}
