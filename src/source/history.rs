//! Which commits touched a path between two revisions.
//!
//! In: a repository, two commits and some paths. Out: for each path its commits, the newest first, and whether that is
//! all of them. Where the history is not here it is deepened, in two steps and no further.
//!
//! Rule: git-log's history simplification: a merge touched a path when the path is like that of no parent.

use std::collections::{BTreeMap, HashSet};

use gix::ObjectId;
use gix::bstr::ByteSlice;

use super::error::{SourceCause, SourceError};
use super::location::Location;
use super::task::Task;
use super::{fetch, local};

/// The most commits that are reported for one path.
const TOLD: usize = 20;
/// So many commits are looked at.
const LOOKED_AT: usize = 2_000;

/// One commit, as a report shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The full hash.
    pub hash: String,
    /// Who wrote it, by name.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
    /// When it was written (RFC 3339).
    pub time: String,
}

/// The changes of one path between two revisions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathHistory {
    /// The commits that touched it, the newest first.
    pub commits: Vec<Commit>,
    /// Whether there are more, or may be.
    pub is_cut: bool,
}

/// The changes of some paths between two revisions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Each path that was touched; where not all of the history was looked at, each that was asked for.
    pub paths: BTreeMap<String, PathHistory>,
    /// Whether not all of the history was looked at: it ended too early, or there is too much of it.
    pub is_cut: bool,
}

/// The question about a repository's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryWanted {
    /// The commit at which the paths were known; full hash.
    pub since: String,
    /// The commit at which they are looked at; full hash.
    pub until: String,
    /// Relative to the repository's root.
    pub paths: Vec<String>,
}

/// Answers on a thread that may block.
pub(super) fn history(task: &mut Task, wanted: &HistoryWanted) -> Result<History, SourceError> {
    let (Some(since), Some(until)) = (id(&wanted.since), id(&wanted.until)) else { return Ok(History::default()) };
    let walk = HistoryWalk { since, until, paths: &wanted.paths };
    let shared = task.shared.clone();
    let here = match (shared.working_trees.find(&task.url), Location::of(&task.url)?) {
        (Some(root), _) => Some(root.to_owned()),
        (None, Location::Local(path)) => Some(path),
        (None, _) => None,
    };
    let url = task.url.to_string();
    let damaged = |error: gix::Error| SourceError::Damaged { url: url.clone(), cause: SourceCause::of(&error) };
    let Some(path) = here else {
        let look = |repository: &gix::Repository| walk.of(repository).map_err(damaged);
        return fetch::deepened(task, until, look, |history| history.is_cut);
    };
    match local::open(&path)? {
        Some(repository) => walk.of(&repository).map_err(damaged),
        None => Ok(History { is_cut: true, ..History::default() }),
    }
}

fn id(hash: &str) -> Option<ObjectId> {
    ObjectId::from_hex(hash.as_bytes()).ok()
}

struct HistoryWalk<'w> {
    since: ObjectId,
    until: ObjectId,
    paths: &'w [String],
}

impl HistoryWalk<'_> {
    fn of(&self, repository: &gix::Repository) -> gix::Result<History> {
        let mut history = History::default();
        let known = repository.has_object(self.since);
        let shallow: HashSet<ObjectId> = match repository.shallow_commits()? {
            Some(commits) => commits.iter().copied().collect(),
            None => HashSet::new(),
        };
        let newest_first =
            gix::revision::walk::Sorting::ByCommitTime(gix::traverse::commit::simple::CommitTimeOrder::NewestFirst);
        let hidden = known.then_some(self.since);
        let walk = repository.rev_walk([self.until]).with_hidden(hidden).sorting(newest_first);
        history.is_cut = !known;
        for (count, found) in walk.all()?.enumerate() {
            let found = found?;
            if count == LOOKED_AT || shallow.contains(&found.id) {
                history.is_cut = true;
                break;
            }
            self.look_at(repository, found.id, &mut history)?;
        }
        if history.is_cut {
            for path in self.paths {
                history.paths.entry(path.clone()).or_default().is_cut = true;
            }
        }
        Ok(history)
    }

    fn look_at(&self, repository: &gix::Repository, id: ObjectId, history: &mut History) -> gix::Result<()> {
        let commit = repository.find_commit(id)?;
        let tree = commit.tree()?;
        let parents: Vec<gix::Tree<'_>> =
            commit.parent_ids().map(|parent| repository.find_commit(parent)?.tree()).collect::<gix::Result<_>>()?;
        for path in self.paths {
            let at = |tree: &gix::Tree<'_>| -> gix::Result<Option<ObjectId>> {
                let path = path.trim_matches('/');
                if path.is_empty() || path == "." {
                    return Ok(Some(tree.id));
                }
                Ok(tree.lookup_entry_by_path(path)?.map(|entry| entry.object_id()))
            };
            let here = at(&tree)?;
            let mut is_touched = !parents.is_empty() || here.is_some();
            for parent in &parents {
                is_touched &= at(parent)? != here;
            }
            if is_touched {
                let touched = history.paths.entry(path.clone()).or_default();
                if touched.commits.len() < TOLD {
                    touched.commits.push(read_commit(&commit)?);
                } else {
                    touched.is_cut = true;
                }
            }
        }
        Ok(())
    }
}

fn read_commit(commit: &gix::Commit<'_>) -> gix::Result<Commit> {
    let author = commit.author()?;
    let seconds = author.time()?.seconds;
    let time = jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default();
    Ok(Commit {
        hash: commit.id.to_string(),
        author: author.name.to_str_lossy().into_owned(),
        subject: commit.message()?.summary().to_str_lossy().into_owned(),
        time,
    })
}
