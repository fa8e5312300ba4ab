//! Brings a source's repository here.
//!
//! In: a URL and the revisions that applications ask for. Out: [`Checkout`]s: a folder with exactly that revision's files,
//! confined, and who brought it. One fetch per repository and run.

use std::path::PathBuf;

use crate::secret::RepoUrl;

/// What brought a revision here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FetchedBy {
    /// gix, in this process.
    Gix,
    /// The `git` program, because gix could not.
    GitProgram,
    /// Nothing: the revision was in the cache.
    Cache,
    /// Nothing: the repository is a local one.
    Local,
    /// Nothing: a working tree given by the user, as it is.
    WorkingTree,
}

/// A folder with one revision's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The folder; every path handed out lies in it, links resolved.
    pub root: PathBuf,
    /// The full commit hash; empty for a working tree that is no git repository.
    pub revision: String,
    /// Who brought it.
    pub by: FetchedBy,
}

/// A revision that an application asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// The repository.
    pub url: RepoUrl,
    /// Branch, tag, reference, hash, semver constraint; empty means `HEAD`.
    pub revision: String,
    /// Only tags with this prefix are looked at, for a constraint.
    pub tag_prefix: String,
}
