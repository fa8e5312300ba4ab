//! Brings every repository here: one fetch for each, whatever number of applications and revisions ask for it.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use super::turn::Turn;
use super::World;
use crate::finding::Finding;
use crate::progress::Stage;
use crate::secret::RepoUrl;
use crate::target::render::{RenderError, tool_of_manifest};
use crate::target::source::{Wanted, locate};

/// Which source of which application asks.
type Asker = (usize, usize);

pub(super) async fn fetch(turns: &mut [Turn], world: &World, concurrency: usize) {
    let mut by_repository: HashMap<RepoUrl, Vec<(Asker, Wanted)>> = HashMap::new();
    let mut order = Vec::new();
    for (index, turn) in turns.iter_mut().enumerate() {
        for (asker, wanted) in wanted(turn, index) {
            let askers = by_repository.entry(wanted.url.clone()).or_default();
            if askers.is_empty() {
                order.push(wanted.url.clone());
            }
            askers.push((asker, wanted));
        }
    }
    world.progress.expect(Stage::Fetch, order.len());
    let fetches = order.into_iter().filter_map(|url| by_repository.remove(&url).map(|askers| (url, askers)));
    let mut fetches = stream::iter(fetches.map(|(url, askers)| async move {
        world.progress.begin(Stage::Fetch, url.to_string());
        let (askers, wanted): (Vec<_>, Vec<_>) = askers.into_iter().unzip();
        let answers = world.sources.fetch(&url, &wanted).await;
        world.progress.done(Stage::Fetch, url.to_string());
        (askers, answers)
    }))
    .buffer_unordered(concurrency.max(1));
    while let Some((askers, answers)) = fetches.next().await {
        for ((turn, source), answer) in askers.into_iter().zip(answers) {
            match answer {
                Ok(checkout) => arrived(&mut turns[turn], source, checkout),
                Err(error) => turns[turn].condition("ComparisonError", Finding::of(&*error)),
            }
        }
    }
}

/// What one application asks for. A source of a tool that is not rendered is an error at once: nothing is fetched for it.
fn wanted(turn: &mut Turn, index: usize) -> Vec<(Asker, Wanted)> {
    let mut asked = Vec::new();
    for position in 0..turn.application.sources.len() {
        let source = &turn.application.sources[position];
        if let Some(tool) = tool_of_manifest(source) {
            tool.name().clone_into(&mut turn.sources[position].tool);
        }
        if let Err(error) = crate::target::render::refuse_early(source) {
            let finding = about_source(turn, position, &error);
            turn.condition("ComparisonError", finding);
            continue;
        }
        match locate(&source.repo_url, &turn.application.folder) {
            Ok(url) => {
                let wanted = Wanted {
                    url,
                    revision: source.target_revision.clone(),
                    tag_prefix: source.tag_prefix.clone(),
                };
                asked.push(((index, position), wanted));
            }
            Err(error) => turn.condition("ComparisonError", Finding::of(&error)),
        }
    }
    asked
}

/// The finding, with the source named when there are several.
fn about_source(turn: &Turn, position: usize, error: &RenderError) -> Finding {
    let finding = Finding::of(error);
    if turn.sources.len() > 1 { finding.about(&format!("source {}", position + 1)) } else { finding }
}

fn arrived(turn: &mut Turn, source: usize, checkout: Arc<crate::target::source::Checkout>) {
    let run = &mut turn.sources[source];
    run.revision.clone_from(&checkout.revision);
    checkout.by.to_string().clone_into(&mut run.fetched_by);
    turn.checkouts[source] = Some(checkout);
}
