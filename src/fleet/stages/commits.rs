//! Looks for the commits behind a drift: those that touched a resource's file since the last sync.
//!
//! In: what was observed of an application, and its resources. Out: its commits, the newest first, by what they touched: a file,
//! or a source's path. Only what drifted because git moved is asked for, one question for each source.

use std::collections::BTreeSet;

use crate::fleet::World;
use crate::fleet::application::{Commits, Observed};
use crate::secret::RepoUrl;
use crate::source::{HistoryWanted, locate};
use crate::status::{ResourceDrift, ResourceState};

pub(crate) async fn find(observed: &Observed, resources: &[&ResourceDrift], world: &World) -> Commits {
    let mut commits = Commits::new();
    for (url, wanted) in questions(observed, resources) {
        // The drift itself is reported either way; without commits, that is all that is missing.
        if let Ok(history) = world.sources.history(&url, wanted, &world.cancel).await {
            commits.extend(history.paths);
        }
    }
    commits
}

fn questions(observed: &Observed, resources: &[&ResourceDrift]) -> Vec<(RepoUrl, HistoryWanted)> {
    let Some(baseline) = &observed.record.baseline else { return Vec::new() };
    let moved: Vec<_> = resources
        .iter()
        .filter(|resource| resource.state != ResourceState::InSync && resource.has_git_moved())
        .collect();
    if moved.is_empty() {
        return Vec::new();
    }
    let files: BTreeSet<&str> = moved.iter().filter_map(|resource| Some(&*resource.origin.as_ref()?.file)).collect();
    let revisions = observed.revisions();
    let sources = observed.application.sources.iter().zip(revisions.iter().zip(&baseline.revisions));
    sources
        // A chart's archive has no history.
        .filter(|(source, _)| source.chart.is_none() && !source.repo_url.with_credentials().starts_with("oci://"))
        .filter(|(_, (until, since))| !since.is_empty() && !until.is_empty() && since != until)
        .map(|(source, (until, since))| {
            let url = locate(source.repo_url.with_credentials(), &observed.application.folder);
            // The folder too: what is gone from git, or rendered by a tool, has no file of its own.
            let path = source.path.clone().unwrap_or_default();
            let paths = files.iter().map(|file| (*file).to_owned()).chain([path]).collect();
            (url, HistoryWanted { since: since.clone(), until: until.clone(), paths })
        })
        .collect()
}
