//! From the manifests to the targets: load, fetch, connect, render.

use super::application::{Purpose, Rendered};
use super::batch::Batch;
use super::stages::{connect, fetch, load, render};
use super::{Request, World};
use crate::app::Application;

/// Every application that is well-formed, with its target and its cluster.
pub(crate) async fn targets(
    applications: Batch<Application>,
    request: &mut Request,
    purpose: &Purpose,
    world: &World,
) -> Batch<Rendered> {
    let loaded = load::load(applications, request, purpose);
    let fetched = loaded.through(async |loaded| fetch::fetch(loaded, world, request.concurrency).await).await;
    let connected = fetched.through(async |fetched| connect::connect(fetched, world, request.concurrency).await).await;
    render::render(connected, request, world).await
}
