//! Fetches every repository: one fetch for each, whatever number of applications and revisions ask for it.

use std::collections::HashMap;

use futures::StreamExt;
use futures::stream;

use crate::finding::Finding;
use crate::fleet::World;
use crate::fleet::application::{Fetched, FetchedSource, Loaded};
use crate::fleet::condition::ConditionKind;
use crate::progress::Stage;
use crate::secret::RepoUrl;
use crate::source::{FetchResult, Wanted, locate};

/// Which source of which application asks.
type Asker = (usize, usize);

/// Fetches the sources of all applications.
pub(crate) async fn fetch(loaded: Vec<Loaded>, world: &World, concurrency: usize) -> Vec<Fetched> {
    let mut fetched: Vec<Fetched> = loaded.into_iter().map(Fetched::nothing).collect();
    let mut by_repository: HashMap<RepoUrl, Vec<(Asker, Wanted)>> = HashMap::new();
    let mut order = Vec::new();
    for (index, application) in fetched.iter().enumerate() {
        for (source, url, wanted) in asked(application) {
            let askers = by_repository.entry(url.clone()).or_default();
            if askers.is_empty() {
                order.push(url);
            }
            askers.push(((index, source), wanted));
        }
    }
    world.progress.expect(Stage::Fetch, order.len());
    let questions = order.into_iter().filter_map(|url| by_repository.remove(&url).map(|askers| (url, askers)));
    let mut answered = stream::iter(questions.map(|(url, askers)| async move {
        let (askers, wanted): (Vec<Asker>, Vec<Wanted>) = askers.into_iter().unzip();
        let answers = world.sources.fetch(&url, &wanted, &world.cancel).await;
        (askers, answers)
    }))
    .buffer_unordered(concurrency.max(1));
    while let Some((askers, answers)) = answered.next().await {
        for ((application, source), answer) in askers.into_iter().zip(answers) {
            keep(&mut fetched[application], source, answer);
        }
    }
    fetched
}

/// The sources of one application, in their order.
fn asked(loaded: &Loaded) -> Vec<(usize, RepoUrl, Wanted)> {
    let application = &loaded.application;
    let asked = application.sources.iter().enumerate().map(|(position, source)| {
        let url = locate(source.repo_url.with_credentials(), &application.folder);
        (position, url, Wanted::of(source, &application.project, &application.folder))
    });
    asked.collect()
}

/// Keeps what came of one source.
pub(crate) fn keep(fetched: &mut Fetched, position: usize, answer: FetchResult) {
    fetched.sources[position] = match answer {
        Ok(checkout) => {
            for warning in &checkout.warnings {
                fetched.loaded.conditions.add(ConditionKind::SourceWarning, warning.clone());
            }
            FetchedSource::Checkout(checkout)
        }
        Err(error) => {
            let finding = Finding::of(&*error);
            fetched.loaded.source_error(position, finding.clone());
            FetchedSource::Failed(finding)
        }
    };
}
