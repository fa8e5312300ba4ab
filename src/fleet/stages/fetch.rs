//! Brings every repository here: one fetch for each, whatever number of applications and revisions ask for it.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use crate::finding::Finding;
use crate::fleet::World;
use crate::fleet::condition::ConditionKind;
use crate::fleet::turn::Turn;
use crate::progress::Stage;
use crate::secret::RepoUrl;
use crate::source::{Checkout, Wanted, locate};

/// Which source of which application asks.
type Asker = (usize, usize);

pub(crate) async fn fetch(turns: &mut [Turn], world: &World, concurrency: usize) {
    let mut by_repository: HashMap<RepoUrl, Vec<(Asker, Wanted)>> = HashMap::new();
    let mut order = Vec::new();
    for (index, turn) in turns.iter().enumerate() {
        for (source, url, wanted) in asked(turn) {
            let askers = by_repository.entry(url.clone()).or_default();
            if askers.is_empty() {
                order.push(url);
            }
            askers.push(((index, source), wanted));
        }
    }
    world.progress.expect(Stage::Fetch, order.len());
    let fetches = order.into_iter().filter_map(|url| by_repository.remove(&url).map(|askers| (url, askers)));
    let mut fetches = stream::iter(fetches.map(|(url, askers)| async move {
        let (askers, wanted): (Vec<Asker>, Vec<Wanted>) = askers.into_iter().unzip();
        let answers = world.sources.fetch(&url, &wanted, &world.cancel).await;
        (askers, answers)
    }))
    .buffer_unordered(concurrency.max(1));
    while let Some((askers, answers)) = fetches.next().await {
        for ((turn, source), answer) in askers.into_iter().zip(answers) {
            match answer {
                Ok(checkout) => arrived(&mut turns[turn], source, checkout),
                Err(error) => turns[turn].source_error(source, Finding::of(&*error)),
            }
        }
    }
}

/// The sources of one application, in their order.
fn asked(turn: &Turn) -> Vec<(usize, RepoUrl, Wanted)> {
    let asked = turn.application.sources.iter().enumerate().map(|(position, source)| {
        let url = locate(source.repo_url.with_credentials(), &turn.application.folder);
        (position, url, Wanted::of(source, &turn.application.project, &turn.application.folder))
    });
    asked.collect()
}

/// Keeps what was applied for a source.
pub(crate) fn arrived(turn: &mut Turn, source: usize, checkout: Arc<Checkout>) {
    let run = &mut turn.sources[source];
    run.revision.clone_from(&checkout.revision);
    checkout.by.as_str().clone_into(&mut run.fetched_by);
    run.dirty = checkout.dirty;
    for warning in &checkout.warnings {
        turn.condition(ConditionKind::SourceWarning, warning.clone());
    }
    turn.checkouts[source] = Some(checkout);
}
