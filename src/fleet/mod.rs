//! The conductor: many applications, bounded, isolated, cancellable. No decisions of its own; one line a stage.
//!
//! In: a [`Request`] and the [`World`] it may read. Out: a [`Run`], or what was [`Rendered`].
//!
//! An application that fails is reported and does not stop the others; dropping the future stops all of them.

mod baseline;
mod compare;
pub mod condition;
pub mod doctor;
pub mod expand;
mod extras;
mod fetch;
mod health;
mod history;
mod ignore;
pub mod jq;
mod list;
mod namespace;
mod neighbours;
mod owners;
mod past;
mod reasons;
mod render;
pub mod run;
mod settings;
mod sweep;
pub mod sync;
pub mod syncs;
mod turn;
pub mod wait;
mod watch;

pub use condition::{Condition, ConditionKind};
pub use run::{ApplicationHealth, ApplicationRun, RolledBack, Run, SourceRun, SyncStatus};
pub use settings::read_settings;
pub use wait::{Ending, Goal, Patience};

use std::sync::Arc;

use crate::app::settings::ComparisonSettings;
use crate::app::{Application, InvalidApplication};
use crate::cluster::Clusters;
use crate::finding::Finding;
use crate::object::annotations::INSTANCE_LABEL;
use crate::object::{Kinds, Object};
use crate::process::Cancel;
use crate::progress::Progress;
use crate::render::RenderSettings;
use crate::source::Sources;
use crate::status::compare::{Effects, Terms};
use crate::status::health::Judge;

/// The request.
#[expect(clippy::struct_excessive_bools, reason = "they are what flags of the command line say")]
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The applications, in the order of the input; those whose manifests are wrong are reported as such.
    pub applications: Vec<Result<Application, Box<InvalidApplication>>>,
    /// The warnings from reading them.
    pub findings: Vec<Finding>,
    /// The limits of rendering.
    pub render: RenderSettings,
    /// How many things are done side by side.
    pub concurrency: usize,
    /// The instance label that Argo CD tracks by, over that of its settings; empty is none at all.
    pub instance_label: Option<String>,
    /// The settings of `argocd-cm` about comparing.
    pub settings: ComparisonSettings,
    /// Whether what people's tools added where git is silent is drift (`--strict`).
    pub strict: bool,
    /// Whether `argocd-cm` is read from the cluster that Argo CD runs in.
    pub settings_from_cluster: bool,
    /// Whether the Secrets of repositories are, too.
    pub repositories_from_cluster: bool,
    /// The namespace of Argo CD's controller: applications elsewhere have their namespace in their instance name.
    pub argocd_namespace: String,
    /// The namespace that states are kept in, where it is not that of the destination.
    pub state_namespace: Option<String>,
    /// Whether the record of an application that moved is taken over (`--accept-move`).
    pub accept_move: bool,
    /// Judges the health of what is live, where that is asked for.
    pub health: Option<Arc<Judge>>,
    /// How many lines are reported of the logs of what failed; nothing where they are not wanted.
    pub log_lines: Option<u16>,
}

impl Request {
    /// The label that is evidence of whose an object is.
    fn label_key(&self) -> Option<String> {
        let tracking = &self.settings.tracking;
        let by_settings = || {
            let label = tracking.instance_label.clone().unwrap_or_else(|| INSTANCE_LABEL.to_owned());
            Some(label).filter(|_| tracking.label_is_evidence())
        };
        self.instance_label.clone().map_or_else(by_settings, Some).filter(|label| !label.is_empty())
    }

    /// The settings of Argo CD, and the application's own, about comparing.
    fn terms(&self, application: &Application) -> Terms {
        let mut tracking = self.settings.tracking.clone();
        let label = self.instance_label.clone().filter(|label| !label.is_empty());
        tracking.instance_label = label.or(tracking.instance_label);
        let effects = if application.includes_mutation_webhooks() { Effects::All } else { Effects::OfGit };
        Terms { tracking, status_field: self.settings.status_field, effects }
    }
}

/// The files that a run is allowed to read.
#[derive(Clone)]
pub struct World {
    /// Repositories.
    pub sources: Arc<Sources>,
    /// Clusters.
    pub clusters: Arc<Clusters>,
    /// Where events go.
    pub progress: Progress,
    /// Ends the run early.
    pub cancel: Cancel,
}

/// The rendered targets for each application that is well-formed, and the cluster it belongs to.
async fn targets(request: &mut Request, world: &World) -> (Vec<turn::Turn>, Vec<(usize, InvalidApplication)>) {
    settings::read(request, world).await;
    turn::leave_alone(request);
    let (mut turns, invalid) = turn::begin(request);
    fetch::fetch(&mut turns, world, request.concurrency).await;
    list::connect(&mut turns, world, request.concurrency).await;
    render::render(&mut turns, request, world).await;
    neighbours::introduce(&mut turns, request);
    (turns, invalid)
}

/// Compares every application with its cluster. Nothing is written but the cache.
pub async fn diff(mut request: Request, world: &World) -> Run {
    let (mut turns, invalid) = targets(&mut request, world).await;
    let live = Arc::new(list::list(&turns, &request, &world.progress).await);
    baseline::read(&mut turns, &live, &request).await;
    compare::compare(&mut turns, &live, &request, world).await;
    extras::find(&mut turns, &live, &request, &world.progress).await;
    render::warn_of_made_up(&mut turns, &request, world).await;
    history::find(&mut turns, world).await;
    health::judge(&mut turns, &live, &request).await;
    reasons::find(&mut turns, request.log_lines, request.concurrency).await;
    turn::end_judged(turns, invalid, request, world)
}

/// Judges every application, and compares nothing. Nothing is written but the cache.
pub async fn health(mut request: Request, world: &World) -> Run {
    let (mut turns, invalid) = targets(&mut request, world).await;
    let live = Arc::new(list::list(&turns, &request, &world.progress).await);
    health::judge(&mut turns, &live, &request).await;
    reasons::find(&mut turns, request.log_lines, request.concurrency).await;
    turn::end_judged(turns, invalid, request, world)
}

/// The rendered targets, without a cluster.
#[derive(Debug, Clone, Default)]
pub struct Rendered {
    /// Every application that is well-formed, in order.
    pub applications: Vec<RenderedApplication>,
    /// The run as far as it went: its errors decide the exit code.
    pub run: Run,
}

/// One application, rendered.
#[derive(Debug, Clone)]
pub struct RenderedApplication {
    /// Its name as tracking has it ([`Application::instance_name`]).
    pub name: String,
    /// Its objects, in order; nothing when it could not be rendered.
    pub objects: Option<Vec<Object>>,
}

/// How often applications are rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renders {
    /// Once.
    Once,
    /// Twice, to find what is generated at each render.
    Twice,
}

/// Renders every application for a cluster of these kinds. Nothing is written but the cache.
pub async fn render(mut request: Request, world: &World, kinds: Arc<Kinds>, renders: Renders) -> Rendered {
    let (mut turns, invalid) = turn::begin(&mut request);
    fetch::fetch(&mut turns, world, request.concurrency).await;
    for turn in &mut turns {
        turn.kinds = Some(Arc::clone(&kinds));
    }
    render::render(&mut turns, &request, world).await;
    if renders == Renders::Twice {
        // What was kept would only repeat the first time.
        request.render.cache = None;
        render::render_again(&mut turns, &request, world).await;
    }
    let application = |turn: &mut turn::Turn| RenderedApplication {
        name: turn.application.instance_name(&request.argocd_namespace),
        objects: turn.target.take().map(Arc::unwrap_or_clone),
    };
    let applications = turns.iter_mut().map(application).collect();
    Rendered { applications, run: turn::end(turns, invalid, request.findings, world) }
}
