//! Renders every application; no cluster is needed.

use std::sync::Arc;

use crate::fleet::stages::{fetch, render};
use crate::fleet::{Request, Run, World, turn};
use crate::object::{Kinds, Object};

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
