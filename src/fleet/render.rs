//! Renders every application whose sources are all here, side by side, each on a thread of its own.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use super::Request;
use super::turn::Turn;
use crate::app::source::SourceKind;
use crate::app::{Application, Source};
use crate::finding::Finding;
use crate::object::Kinds;
use crate::progress::{Progress, Stage};
use crate::target::Target;
use crate::target::render::{RenderSettings, Settled, settle};
use crate::target::source::Checkout;

/// Everything that one application's rendering needs, to be moved to its thread.
struct Work {
    application: Application,
    checkouts: Vec<Arc<Checkout>>,
    kinds: Arc<Kinds>,
    settings: RenderSettings,
}

/// What became of it.
struct Done {
    warnings: Vec<Finding>,
    /// The objects; or which source failed, and why.
    result: Result<Settled, (usize, Finding)>,
}

pub(super) async fn render(turns: &mut [Turn], request: &Request, progress: &Progress) {
    let work: Vec<(usize, Work)> =
        turns.iter().enumerate().filter_map(|(index, turn)| Some((index, work(turn, &request.render)?))).collect();
    progress.expect(Stage::Render, work.len());
    let mut renders = stream::iter(work.into_iter().map(|(index, work)| async move {
        let name = work.application.name.clone();
        progress.begin(Stage::Render, name.clone());
        let done = tokio::task::spawn_blocking(move || render_one(&work)).await;
        progress.done(Stage::Render, name);
        (index, done)
    }))
    .buffer_unordered(request.concurrency.max(1));
    while let Some((index, done)) = renders.next().await {
        let turn = &mut turns[index];
        match done {
            Ok(done) => rendered(turn, done),
            // A panic in one application must not end the fleet.
            Err(_) => turn.condition(
                "ComparisonError",
                Finding::error("trueup::render::fault", "rendering failed unexpectedly; this is a fault in trueup"),
            ),
        }
    }
}

/// Nothing to do for an application with a source that is not here: it has been reported.
fn work(turn: &Turn, settings: &RenderSettings) -> Option<Work> {
    let checkouts: Option<Vec<_>> = turn.checkouts.iter().cloned().collect();
    Some(Work {
        application: turn.application.clone(),
        checkouts: checkouts?,
        kinds: Arc::clone(turn.kinds.as_ref()?),
        settings: *settings,
    })
}

fn render_one(work: &Work) -> Done {
    let mut warnings = Vec::new();
    let mut objects = Vec::new();
    for (position, (source, checkout)) in work.application.sources.iter().zip(&work.checkouts).enumerate() {
        match render_source(source, checkout, &work.settings) {
            Ok(target) => {
                warnings.extend(target.warnings);
                objects.extend(target.objects);
            }
            Err(finding) => return Done { warnings, result: Err((position, finding)) },
        }
    }
    let kinds = work.kinds.with_definitions(objects.iter());
    let settled = settle(objects, &work.application.destination.namespace, &kinds);
    Done { warnings, result: Ok(settled) }
}

fn render_source(source: &Source, checkout: &Checkout, settings: &RenderSettings) -> Result<Target, Finding> {
    // A source that only lends its files renders nothing.
    let Some(path) = source.path.as_deref() else { return Ok(Target::default()) };
    let folder = checkout.folder(path).map_err(|error| Finding::of(&error))?;
    crate::target::render::render(source, &checkout.root, &folder, settings).map_err(|error| Finding::of(&error))
}

fn rendered(turn: &mut Turn, done: Done) {
    for warning in done.warnings {
        turn.condition("RenderWarning", warning);
    }
    match done.result {
        Ok(settled) => {
            settled.repeated.into_iter().for_each(|finding| turn.condition("RepeatedResourceWarning", finding));
            settled.excluded.into_iter().for_each(|finding| turn.condition("ExcludedResourceWarning", finding));
            for run in turn.sources.iter_mut().filter(|run| !run.path.is_empty()) {
                SourceKind::Directory.as_str().clone_into(&mut run.tool);
            }
            turn.target = Some(settled.objects);
        }
        Err((position, finding)) => turn.source_error(position, finding),
    }
}
