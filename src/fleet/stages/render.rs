//! Renders every application whose sources are all here, side by side, on a few threads.
//!
//! Takes connected applications, or the kinds of a cluster that nobody asks. Returns each with its target; one that cannot be
//! rendered leaves the run.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::app::settings::Exclusions;
use crate::app::source::SourceKind;
use crate::app::{Application, Source};
use crate::cluster::Cluster;
use crate::finding::{Code, Finding};
use crate::fleet::application::{Built, ClusterConnection, Connected, Fetched, Left, Loaded, Peers, Rendered};
use crate::fleet::batch::Batch;
use crate::fleet::condition::ConditionKind;
use crate::fleet::{Request, World};
use crate::object::Kinds;
use crate::process::Cancel;
use crate::progress::{Progress, Stage};
use crate::render::{
    self, CacheSettings, References, RenderDestination, RenderInput, RenderSettings, RenderedSources, Settled,
    gap_finding, settle,
};
use crate::source::{Checkout, FetchedBy};

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
pub(crate) struct RenderDone {
    warnings: Vec<Finding>,
    /// The tool of each source; nothing for one that renders nothing.
    tools: Vec<Option<SourceKind>>,
    /// The objects; or which source failed, and why.
    pub(crate) result: Result<Settled, (usize, Finding)>,
}

/// The outcome of one application.
enum RenderOutcome {
    /// A source is not here, or the run was stopped.
    NotRendered,
    /// Rendering ended in a way it never should.
    Crashed,
    Done(Box<RenderDone>),
}

/// Renders each application for its cluster.
pub(crate) async fn render(connected: Batch<Connected>, request: &Request, world: &World) -> Batch<Rendered> {
    let settings = WorkSettings::of(request, world);
    let work = connected.iter().map(|connected| {
        let connection = connected.connection.as_ref().ok()?;
        settings.work(connected, &connection.kinds, Some(connection.cluster.as_ref()))
    });
    let mut outcomes = outcomes(work.collect(), request, &world.progress).await.into_iter();
    connected.advance(|connected| {
        let outcome = outcomes.next().unwrap_or(RenderOutcome::NotRendered);
        let Connected { fetched, connection } = connected;
        match connection {
            Ok(connection) => rendered(fetched, connection, outcome),
            Err(no) => Err(Left::before_rendering(Connected { fetched, connection: Err(no) })),
        }
    })
}

fn rendered(fetched: Fetched, connection: ClusterConnection, outcome: RenderOutcome) -> Result<Rendered, Box<Left>> {
    match built(fetched, outcome) {
        Ok(built) => Ok(Rendered { built, connection, hooks: Arc::default(), peers: Peers::default() }),
        Err((fetched, tools)) => {
            Err(Box::new(Left { fetched, cluster: Some(connection.cluster), tools, is_connected: true }))
        }
    }
}

/// Renders each application for a cluster of these kinds.
pub(crate) async fn build(
    fetched: Batch<Fetched>,
    kinds: &Arc<Kinds>,
    request: &Request,
    world: &World,
) -> Batch<Built> {
    let settings = WorkSettings::of(request, world);
    let work = fetched.iter().map(|fetched| settings.work(fetched, kinds, None)).collect();
    let mut outcomes = outcomes(work, request, &world.progress).await.into_iter();
    fetched.advance(|fetched| {
        let built = built(fetched, outcomes.next().unwrap_or(RenderOutcome::NotRendered));
        built.map_err(|(fetched, tools)| Box::new(Left { fetched, cluster: None, tools, is_connected: true }))
    })
}

/// Renders each application once more, and reports what differs from the first time.
pub(crate) async fn build_again(
    first: Batch<Built>,
    kinds: &Arc<Kinds>,
    request: &Request,
    world: &World,
) -> Batch<Built> {
    let mut targets = Vec::new();
    let fetched = first.map(|first| {
        targets.push(first.target);
        first.fetched
    });
    // What is kept would be the same, of course; and an application counts once.
    let settings = RenderSettings { cache: None, ..request.render.clone() };
    let request = Request { render: settings, ..request.clone() };
    let world = World { progress: Progress::silent(), ..world.clone() };
    let work = WorkSettings::of(&request, &world);
    let work = fetched.iter().map(|fetched| work.work(fetched, kinds, None)).collect();
    let outcomes = outcomes(work, &request, &world.progress).await;
    let mut pairs = targets.into_iter().zip(outcomes);
    fetched.advance(|fetched| {
        let Some((first, outcome)) = pairs.next() else {
            return Err(Box::new(Left { fetched, cluster: None, tools: Vec::new(), is_connected: true }));
        };
        let mut second = built(fetched, outcome)
            .map_err(|(fetched, tools)| Box::new(Left { fetched, cluster: None, tools, is_connected: true }))?;
        for finding in render::unsteady(&first, &second.target) {
            second.fetched.loaded.conditions.add(ConditionKind::UnsteadyRender, finding);
        }
        Ok(second)
    })
}

/// An application with its objects, or without them and with the reason among its conditions.
fn built(mut fetched: Fetched, outcome: RenderOutcome) -> Result<Built, (Fetched, Vec<Option<SourceKind>>)> {
    let done = match outcome {
        RenderOutcome::NotRendered => return Err((fetched, Vec::new())),
        RenderOutcome::Crashed => {
            let finding = Finding::error(Code::RenderFault, "rendering failed unexpectedly; this is a bug in trueup");
            fetched.loaded.conditions.add(ConditionKind::ComparisonError, finding);
            return Err((fetched, Vec::new()));
        }
        RenderOutcome::Done(done) => done,
    };
    let conditions = &mut fetched.loaded.conditions;
    conditions.add_all(done.warnings.into_iter().map(|warning| (ConditionKind::RenderWarning, warning)));
    match done.result {
        Ok(Settled { objects, gaps, repeated, excluded, .. }) => {
            conditions.add_all(repeated.into_iter().map(|finding| (ConditionKind::RepeatedResourceWarning, finding)));
            conditions.add_all(excluded.into_iter().map(|finding| (ConditionKind::ExcludedResourceWarning, finding)));
            let certain = gaps.iter().filter(|gap| gap.is_certain());
            conditions.add_all(certain.map(|gap| (ConditionKind::Incomplete, gap_finding(gap))));
            Ok(Built { fetched, tools: done.tools, target: Arc::new(objects), gaps })
        }
        Err((position, finding)) => {
            fetched.loaded.source_error(position, finding);
            Err((fetched, done.tools))
        }
    }
}

/// The result of each rendering, in order.
async fn outcomes(work: Vec<Option<Work>>, request: &Request, progress: &Progress) -> Vec<RenderOutcome> {
    let mut outcomes: Vec<RenderOutcome> = work.iter().map(|_| RenderOutcome::NotRendered).collect();
    let cache = work.iter().flatten().find_map(|work| work.settings.cache.clone());
    let work: Vec<(usize, Work)> =
        work.into_iter().enumerate().filter_map(|(place, work)| Some((place, work?))).collect();
    progress.expect(Stage::Render, work.len());
    let mut renders = side_by_side(work, request, progress);
    while let Some((index, done)) = renders.recv().await {
        outcomes[index] = done.map_or(RenderOutcome::Crashed, |done| RenderOutcome::Done(Box::new(done)));
    }
    if let Some(cache) = cache.filter(CacheSettings::has_grown) {
        // What went wrong while tidying up is no part of the answer.
        let _ = tokio::task::spawn_blocking(move || cache.shrink()).await;
    }
    outcomes
}

/// Renders on a few threads, each of which takes what is next until nothing is left, or nobody listens any more. Out: each
/// application's place with what became of it, as they end; nothing for one that failed in a way it never should.
///
/// Rendering is work for processors, and more threads than keep them busy only wait for each other: twice their number, for
/// now and then one waits for a server.
pub(crate) fn side_by_side(
    work: Vec<(usize, Work)>,
    request: &Request,
    progress: &Progress,
) -> UnboundedReceiver<(usize, Option<RenderDone>)> {
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

/// Whether a tool may render something else from the same sources the next time.
pub(crate) async fn may_differ_each_time(rendered: &Rendered, request: &Request, world: &World) -> bool {
    let Some(work) = WorkSettings::of(request, world).of_rendered(rendered) else { return false };
    let tools = rendered.tools.clone();
    tokio::task::spawn_blocking(move || work.may_differ_each_time(&tools)).await.unwrap_or(true)
}

/// The tools that rendered each source of an application, with the version that its program tells: for the record.
pub(crate) async fn rendered_by(rendered: &Rendered, request: &Request, world: &World) -> Vec<String> {
    let tools = rendered.tools.clone();
    let Some(work) = WorkSettings::of(request, world).of_rendered(rendered) else { return names(&tools) };
    let named = tokio::task::spawn_blocking(move || work.versions(&tools)).await;
    named.unwrap_or_else(|_panic| names(&rendered.tools))
}

fn names(tools: &[Option<SourceKind>]) -> Vec<String> {
    tools.iter().map(|tool| tool.map_or("", SourceKind::as_str).to_owned()).collect()
}

/// State that the renders of a run share.
pub(crate) struct WorkSettings<'run> {
    request: &'run Request,
    settings: Arc<RenderSettings>,
    exclusions: Arc<Exclusions>,
    cancel: &'run Cancel,
}

impl<'run> WorkSettings<'run> {
    pub(crate) fn of(request: &'run Request, world: &'run World) -> Self {
        Self {
            request,
            settings: Arc::new(request.render.clone()),
            exclusions: Arc::new(request.settings.exclusions.clone()),
            cancel: &world.cancel,
        }
    }

    /// Without what was rendered before.
    pub(crate) fn uncached(self) -> Self {
        let settings = RenderSettings { cache: None, ..(*self.settings).clone() };
        Self { settings: Arc::new(settings), ..self }
    }

    /// The rendering of an application from its checkouts; nothing where a source is not here: that has been reported.
    fn work(&self, fetched: &Fetched, kinds: &Arc<Kinds>, cluster: Option<&dyn Cluster>) -> Option<Work> {
        Some(self.of_sources(fetched, Arc::clone(&fetched.application), fetched.checkouts()?, kinds, cluster))
    }

    /// The same rendering once more.
    pub(crate) fn of_rendered(&self, rendered: &Rendered) -> Option<Work> {
        self.work(rendered, rendered.kinds(), Some(rendered.cluster()))
    }

    /// The rendering of an application, as it is or was, from these checkouts, one for each source.
    pub(crate) fn of_sources(
        &self,
        loaded: &Loaded,
        application: Arc<Application>,
        checkouts: Vec<Arc<Checkout>>,
        kinds: &Arc<Kinds>,
        cluster: Option<&dyn Cluster>,
    ) -> Work {
        Work {
            application,
            checkouts,
            kinds: Arc::clone(kinds),
            instance_name: loaded.application.instance_name(&self.request.argocd_namespace),
            settings: Arc::clone(&self.settings),
            exclusions: Arc::clone(&self.exclusions),
            server: loaded.server(cluster).to_owned(),
            cancel: self.cancel.clone(),
        }
    }
}

impl Work {
    /// Whether another render of one of the sources by Helm may differ.
    pub(crate) fn may_differ_each_time(&self, tools: &[Option<SourceKind>]) -> bool {
        let references = References::of(&self.application.sources, &self.checkouts);
        let mut sources = self.application.sources.iter().zip(&self.checkouts).zip(tools);
        sources.any(|((source, checkout), tool)| {
            let Some(tool) = tool.filter(|tool| has_helm(*tool)) else { return false };
            let folder = checkout.folder(source.path.as_deref().unwrap_or_default());
            folder.is_ok_and(|folder| {
                render::may_differ_each_time(&self.input(source, checkout, &folder, &references), tool)
            })
        })
    }

    /// The tool of each source, with the version of its program.
    fn versions(&self, tools: &[Option<SourceKind>]) -> Vec<String> {
        let references = References::of(&self.application.sources, &self.checkouts);
        let sources = self.application.sources.iter().zip(&self.checkouts).zip(tools);
        let named = sources.map(|((source, checkout), tool)| {
            let name = tool.map_or("", SourceKind::as_str);
            let version = tool
                .filter(|tool| has_helm(*tool))
                .and_then(|tool| render::version_of(&self.input(source, checkout, &checkout.root, &references), tool));
            version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"))
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

/// A tool that is a program of its own, and may run Helm.
fn has_helm(tool: SourceKind) -> bool {
    matches!(tool, SourceKind::Helm | SourceKind::Kustomize)
}

pub(crate) fn render_one(work: &Work) -> RenderDone {
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
            Err(finding) => return RenderDone { warnings, tools, result: Err((position, finding)) },
        }
    }
    let kinds = work.kinds.with_definitions(rendered_sources.objects().iter());
    let place = RenderDestination { server: &work.server, namespace: &work.application.destination.namespace };
    let settled = settle(rendered_sources, place, &kinds, &work.exclusions);
    RenderDone { warnings, tools, result: Ok(settled) }
}

fn render_source(
    work: &Work,
    source: &Source,
    checkout: &Checkout,
    references: &References,
) -> Result<Option<render::Rendered>, Finding> {
    if source.renders_nothing() {
        return Ok(None);
    }
    // A chart is the whole of what was applied.
    let folder = checkout.folder(source.path.as_deref().unwrap_or_default()).map_err(|error| Finding::of(&error))?;
    render::render(&work.input(source, checkout, &folder, references)).map(Some).map_err(|error| Finding::of(&error))
}
