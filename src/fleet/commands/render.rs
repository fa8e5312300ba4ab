//! Renders every application; no cluster is needed.

use std::sync::Arc;

use crate::app::SelectionError;
use crate::fleet::application::{Built, Left, Purpose};
use crate::fleet::stages::select::select;
use crate::fleet::stages::{fetch, load, permit, render};
use crate::fleet::targets::tree;
use crate::fleet::{Request, Run, World};
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
pub async fn render(
    mut request: Request,
    world: &World,
    kinds: Arc<Kinds>,
    renders: Renders,
) -> Result<Rendered, Vec<SelectionError>> {
    let applications = select(&mut request, world).await?;
    let level = async |next, request: &mut Request| {
        let loaded = permit::readable(load::load_all(next, &Purpose::Keep), request);
        let fetched = loaded.through(async |loaded| fetch::fetch(loaded, world, request.concurrency).await).await;
        let built = render::build(fetched, &kinds, request, world).await;
        match renders {
            Renders::Once => built,
            Renders::Twice => render::build_again(built, &kinds, request, world).await,
        }
    };
    let built = tree(applications, &mut request, world, level).await;
    let named = |entry: Result<&Built, &Left>| {
        let application = entry.map_or_else(|left| &left.application, |built| &built.application);
        (application.instance_name(&request.argocd_namespace), entry.ok().map(|built| Arc::clone(&built.target)))
    };
    let targets: Vec<_> = built.entries().flatten().map(named).collect();
    let run = built.end(request.findings, world);
    let objects = |(name, target): (String, Option<Arc<Vec<Object>>>)| RenderedApplication {
        name,
        objects: target.map(Arc::unwrap_or_clone),
    };
    Ok(Rendered { applications: targets.into_iter().map(objects).collect(), run })
}
