//! Looks for the commits behind a drift: those that touched a resource's file since the last sync.
//!
//! In: compared turns with a baseline of another revision. Out: each turn's commits by file. Only what drifted because
//! git moved is asked for, one question for each source.

use std::collections::BTreeSet;

use crate::fleet::World;
use crate::fleet::turn::Turn;
use crate::secret::RepoUrl;
use crate::source::{HistoryWanted, locate};
use crate::status::ResourceState;

pub(crate) async fn find(turns: &mut [Turn], world: &World) {
    for turn in turns {
        for (url, wanted) in questions(turn) {
            // The drift itself is reported either way; without commits, that is all that is missing.
            if let Ok(history) = world.sources.history(&url, wanted, &world.cancel).await {
                turn.history.extend(history.paths);
            }
        }
    }
}

fn questions(turn: &Turn) -> Vec<(RepoUrl, HistoryWanted)> {
    let moved: Vec<_> = turn
        .resources
        .iter()
        .filter(|resource| resource.state != ResourceState::InSync && resource.has_git_moved())
        .collect();
    if turn.baseline.is_none() || moved.is_empty() {
        return Vec::new();
    }
    let files: BTreeSet<&str> = moved.iter().filter_map(|resource| Some(&*resource.origin.as_ref()?.file)).collect();
    let sources = turn.sources.iter().zip(&turn.application.sources);
    sources
        // A chart's archive has no history.
        .filter(|(_, source)| source.chart.is_none() && !source.repo_url.with_credentials().starts_with("oci://"))
        .filter(|(run, _)| {
            let (since, until) = (&run.last_synced_revision, &run.revision);
            !since.is_empty() && !until.is_empty() && since != until
        })
        .map(|(run, source)| {
            let url = locate(source.repo_url.with_credentials(), &turn.application.folder);
            // The folder too: what is gone from git, or rendered by a tool, has no file of its own.
            let paths = files.iter().map(|file| (*file).to_owned()).chain([run.path.clone()]).collect();
            (url, HistoryWanted { since: run.last_synced_revision.clone(), until: run.revision.clone(), paths })
        })
        .collect()
}
