//! Asks a repository whether it answers: the smallest question that its credentials have to answer.
//!
//! In: a task. Out: nothing, or why there is no answer. Of git the references, of a Helm repository its index, of a registry its
//! tags; nothing is checked out.

use super::charts::{self, SourceOrigin};
use super::error::SourceError;
use super::fetch;
use super::local;
use super::location::Location;
use super::reach::{self, Ends};
use super::task::Task;

/// Asks, on a thread that may block.
pub(super) fn check(task: &mut Task) -> Result<(), SourceError> {
    let shared = task.shared.clone();
    let wanted = task.wanted.first().cloned().unwrap_or_default();
    if shared.working_trees.find(&task.url).is_some() {
        return Ok(());
    }
    match SourceOrigin::of(&task.url, &wanted, &shared.settings.keyring) {
        SourceOrigin::Git => {}
        kind => {
            if let Some(path) = reach::local_path(&task.url) {
                reach::check(&path, Ends::InAFolder, &wanted, &shared.settings)?;
            }
            return charts::check(task, kind);
        }
    }
    match Location::of(&task.url)? {
        Location::Local(path) => {
            reach::check(&path, Ends::InGit, &wanted, &shared.settings)?;
            local::open(&path).map(|_| ())
        }
        Location::Http | Location::Ssh | Location::GitDaemon => fetch::ask_for_references(task),
    }
}
