//! Renders every application whose sources are all here, side by side, on a few threads.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::app::settings::Exclusions;
use crate::app::source::SourceKind;
use crate::app::{Application, Source};
use crate::finding::{Finding, Severity};
use crate::fleet::applyset::mark_known;
use crate::fleet::condition::ConditionKind;
use crate::fleet::turn::Turn;
use crate::fleet::{Request, SourceRun, World};
use crate::object::{Kinds, Object};
use crate::process::Cancel;
use crate::progress::{Progress, Stage};
use crate::render::{
    self, CacheSettings, References, RenderDestination, RenderInput, RenderSettings, Rendered, RenderedSources,
    Settled, gap_finding, settle,
};
use crate::source::{Checkout, FetchedBy};
use crate::status::ResourceDrift;

/// Everything that one application's rendering needs, to be moved to its thread.
pub(crate) struct Work {
    application: Arc<Application>,
    checkouts: Vec<Arc<Checkout>>,
    instance_name: String,
    kinds: Arc<Kinds>,
    settings: Arc<RenderSettings>,
    exclusions: Arc<Exclusions>,
    server: String,
    cancel: Cancel,
}

/// Its result.
pub(crate) struct Done {
    warnings: Vec<Finding>,
    /// The tool of each source; nothing for one that renders nothing.
    tools: Vec<Option<SourceKind>>,
    /// The objects; or which source failed, and why.
    pub(crate) result: Result<Settled, (usize, Finding)>,
}

pub(crate) async fn render(turns: &mut [Turn], request: &Request, world: &World) {
    let progress = &world.progress;
    let settings = Arc::new(request.render.clone());
    let exclusions = Arc::new(request.settings.exclusions.clone());
    let work: Vec<(usize, Work)> = turns
        .iter()
        .enumerate()
        .filter_map(|(index, turn)| Some((index, work(turn, request, (&settings, &exclusions), &world.cancel)?)))
        .collect();
    progress.expect(Stage::Render, work.len());
    let mut renders = side_by_side(work, request, progress);
    while let Some((index, done)) = renders.recv().await {
        let turn = &mut turns[index];
        match done {
            Some(done) => rendered(turn, done),
            None => turn.condition(
                ConditionKind::ComparisonError,
                Finding::error("trueup::render::fault", "rendering failed unexpectedly; this is a bug in trueup"),
            ),
        }
    }
    if let Some(cache) = settings.cache.clone().filter(CacheSettings::has_grown) {
        // What went wrong while tidying up is not tracked fault, and no part of the answer.
        let _ = tokio::task::spawn_blocking(move || cache.shrink()).await;
    }
}

/// Renders on a few threads, each of which takes what is next until nothing is left, or nobody listens any more. Out: each
/// application's place with what became of it, as they end; nothing for one that failed in a way it never should.
///
/// Rendering is work for processors, and more threads than keep them busy only wait for each other: twice their number, for
/// now and then one waits for a server.
fn side_by_side(
    work: Vec<(usize, Work)>,
    request: &Request,
    progress: &Progress,
) -> UnboundedReceiver<(usize, Option<Done>)> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = request.concurrency.min(2 * processors).clamp(1, work.len().max(1));
    let queue = Arc::new(Mutex::new(work.into_iter()));
    let (send, receive) = unbounded_channel();
    for _ in 0..threads {
        let (queue, send, progress) = (Arc::clone(&queue), send.clone(), progress.clone());
        let next = move || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        tokio::task::spawn_blocking(move || {
            while let Some((index, work)) = next() {
                progress.begin(Stage::Render, work.application.name.clone());
                // A panic in one application must not end the fleet.
                let done = catch_unwind(AssertUnwindSafe(|| render_one(&work))).ok();
                progress.done(Stage::Render, work.application.name.clone());
                if send.send((index, done)).is_err() {
                    return;
                }
            }
        });
    }
    receive
}

/// Renders once more, and tells what differs from the first time.
pub(crate) async fn render_again(turns: &mut [Turn], request: &Request, world: &World) {
    let first: Vec<Option<Arc<Vec<Object>>>> = turns.iter_mut().map(|turn| turn.target.take()).collect();
    // What is kept would be the same, of course.
    let settings = RenderSettings { cache: None, ..request.render.clone() };
    // An application counts once.
    let world = World { progress: Progress::silent(), ..world.clone() };
    render(turns, &Request { render: settings, ..request.clone() }, &world).await;
    for (turn, first) in turns.iter_mut().zip(first) {
        let (Some(first), Some(second)) = (first, &turn.target) else { continue };
        for finding in render::unsteady(&first, second) {
            turn.condition(ConditionKind::UnsteadyRender, finding);
        }
    }
}

/// Renders once more what drifted and may be made up anew each time, and warns of what was: such drift is nobody's doing,
/// and no sync ends it.
pub(crate) async fn warn_of_made_up(turns: &mut [Turn], request: &Request, world: &World) {
    let settings = Arc::new(RenderSettings { cache: None, ..request.render.clone() });
    let exclusions = Arc::new(request.settings.exclusions.clone());
    let work: Vec<(usize, Work)> = turns
        .iter()
        .enumerate()
        .filter(|(_, turn)| turn.resources.iter().any(ResourceDrift::is_drift))
        .filter_map(|(index, turn)| Some((index, work(turn, request, (&settings, &exclusions), &world.cancel)?)))
        .filter(|(index, work)| work.may_differ_each_time(&turns[*index].sources))
        .collect();
    let mut renders = side_by_side(work, request, &Progress::silent());
    while let Some((index, done)) = renders.recv().await {
        // What went wrong the second time is no part of the answer.
        let Some(Done { result: Ok(second), .. }) = done else { continue };
        let turn = &mut turns[index];
        // Marked as the first one is: no render has our label.
        let mut again = second.objects;
        mark_known(&mut again, turn.baseline.as_deref(), &turn.tracking(request).applyset_id);
        for finding in turn.target.as_ref().map(|first| render::unsteady(first, &again)).unwrap_or_default() {
            turn.condition(ConditionKind::UnsteadyRender, Finding { severity: Severity::Warning, ..finding });
        }
    }
}

/// Whether a tool may render something else from the same sources the next time.
pub(super) async fn may_differ_each_time(turn: &Turn, request: &Request, world: &World) -> bool {
    let settings = (&Arc::new(request.render.clone()), &Arc::new(request.settings.exclusions.clone()));
    let Some(work) = work(turn, request, settings, &world.cancel) else { return false };
    let runs = turn.sources.clone();
    tokio::task::spawn_blocking(move || work.may_differ_each_time(&runs)).await.unwrap_or(true)
}

/// The tools that rendered each source of an application, with the version that its program tells: for the record.
pub(crate) async fn rendered_by(turn: &Turn, request: &Request, world: &World) -> Vec<String> {
    let settings = (&Arc::new(request.render.clone()), &Arc::new(request.settings.exclusions.clone()));
    let runs = turn.sources.clone();
    let tools = || runs.iter().map(|run| run.tool.clone()).collect();
    let Some(work) = work(turn, request, settings, &world.cancel) else { return tools() };
    let sources = runs.clone();
    let named = tokio::task::spawn_blocking(move || work.versions(&sources)).await;
    named.unwrap_or_else(|_panic| tools())
}

/// Nothing to do for an application with a source that is not here: it has been reported.
fn work(
    turn: &Turn,
    request: &Request,
    (settings, exclusions): (&Arc<RenderSettings>, &Arc<Exclusions>),
    cancel: &Cancel,
) -> Option<Work> {
    let checkouts: Option<Vec<_>> = turn.checkouts.iter().cloned().collect();
    Work::new(turn, Arc::clone(&turn.application), checkouts?, request, (settings, exclusions), cancel)
}

impl Work {
    /// The rendering of an application, as it is or was, from these checkouts, one for each source.
    pub(crate) fn new(
        turn: &Turn,
        application: Arc<Application>,
        checkouts: Vec<Arc<Checkout>>,
        request: &Request,
        (settings, exclusions): (&Arc<RenderSettings>, &Arc<Exclusions>),
        cancel: &Cancel,
    ) -> Option<Self> {
        Some(Self {
            application,
            checkouts,
            kinds: Arc::clone(turn.kinds.as_ref()?),
            instance_name: turn.application.instance_name(&request.argocd_namespace),
            settings: Arc::clone(settings),
            exclusions: Arc::clone(exclusions),
            server: turn.server().to_owned(),
            cancel: cancel.clone(),
        })
    }

    /// Whether Helm may make up anew what one of the sources has, each of which was rendered by its tool.
    pub(crate) fn may_differ_each_time(&self, rendered: &[SourceRun]) -> bool {
        let references = References::of(&self.application.sources, &self.checkouts);
        let mut sources = self.application.sources.iter().zip(&self.checkouts).zip(rendered);
        sources.any(|((source, checkout), run)| {
            let by_helm = [SourceKind::Helm, SourceKind::Kustomize].into_iter().find(|tool| run.tool == tool.as_str());
            let Some(tool) = by_helm else { return false };
            let folder = checkout.folder(source.path.as_deref().unwrap_or_default());
            folder.is_ok_and(|folder| {
                render::may_differ_each_time(&self.input(source, checkout, &folder, &references), tool)
            })
        })
    }

    /// The tool of each source, with the version of its program.
    fn versions(&self, rendered: &[SourceRun]) -> Vec<String> {
        let references = References::of(&self.application.sources, &self.checkouts);
        let sources = self.application.sources.iter().zip(&self.checkouts).zip(rendered);
        let named = sources.map(|((source, checkout), run)| {
            let tools = [SourceKind::Helm, SourceKind::Kustomize];
            let tool = tools.into_iter().find(|tool| run.tool == tool.as_str());
            let version = tool
                .and_then(|tool| render::version_of(&self.input(source, checkout, &checkout.root, &references), tool));
            version.map_or_else(|| run.tool.clone(), |version| format!("{} {version}", run.tool))
        });
        named.collect()
    }

    /// The inputs of the rendering of one source.
    fn input<'a>(
        &'a self,
        source: &'a Source,
        checkout: &'a Checkout,
        folder: &'a Path,
        references: &'a References,
    ) -> RenderInput<'a> {
        RenderInput {
            application: &self.application,
            instance_name: &self.instance_name,
            source,
            revision: &checkout.revision,
            // A chart's version is no promise, for it may be published again; but its folder is named by its digest.
            is_pinned: checkout.by != FetchedBy::WorkingTree,
            root: &checkout.root,
            folder,
            references,
            kinds: &self.kinds,
            settings: &self.settings,
            cancel: &self.cancel,
        }
    }
}

pub(crate) fn render_one(work: &Work) -> Done {
    let mut warnings = Vec::new();
    let mut rendered_sources = RenderedSources::default();
    let mut tools = Vec::new();
    let count = work.application.sources.len();
    let references = References::of(&work.application.sources, &work.checkouts);
    for (position, (source, checkout)) in work.application.sources.iter().zip(&work.checkouts).enumerate() {
        match render_source(work, source, checkout, &references) {
            Ok(rendered) => {
                tools.push(rendered.as_ref().map(|rendered| rendered.tool));
                let Some(mut rendered) = rendered else { continue };
                warnings.append(&mut rendered.target.warnings);
                rendered_sources.add(rendered, position, count);
            }
            Err(finding) => return Done { warnings, tools, result: Err((position, finding)) },
        }
    }
    let kinds = work.kinds.with_definitions(rendered_sources.objects().iter());
    let place = RenderDestination { server: &work.server, namespace: &work.application.destination.namespace };
    let settled = settle(rendered_sources, place, &kinds, &work.exclusions);
    Done { warnings, tools, result: Ok(settled) }
}

fn render_source(
    work: &Work,
    source: &Source,
    checkout: &Checkout,
    references: &References,
) -> Result<Option<Rendered>, Finding> {
    if source.renders_nothing() {
        return Ok(None);
    }
    // A chart is the whole of what was applied.
    let folder = checkout.folder(source.path.as_deref().unwrap_or_default()).map_err(|error| Finding::of(&error))?;
    render::render(&work.input(source, checkout, &folder, references)).map(Some).map_err(|error| Finding::of(&error))
}

fn rendered(turn: &mut Turn, done: Done) {
    for warning in done.warnings {
        turn.condition(ConditionKind::RenderWarning, warning);
    }
    for (run, tool) in turn.sources.iter_mut().zip(done.tools) {
        tool.map_or("", SourceKind::as_str).clone_into(&mut run.tool);
    }
    match done.result {
        Ok(settled) => {
            settled
                .repeated
                .into_iter()
                .for_each(|finding| turn.condition(ConditionKind::RepeatedResourceWarning, finding));
            settled
                .excluded
                .into_iter()
                .for_each(|finding| turn.condition(ConditionKind::ExcludedResourceWarning, finding));
            for gap in settled.gaps.iter().filter(|gap| gap.is_certain()) {
                turn.condition(ConditionKind::Incomplete, gap_finding(gap));
            }
            turn.gaps = settled.gaps;
            turn.target = Some(Arc::new(settled.objects));
        }
        Err((position, finding)) => turn.source_error(position, finding),
    }
}
