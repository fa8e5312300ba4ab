//! What an application is in its cluster: list, read the record, compare, look for extras and for the commits behind a drift.
//!
//! Takes rendered applications. Returns them compared. To compare again, come back with the [`Rendered`] that the [`Compared`]
//! owns.

use std::sync::Arc;

use super::application::{Compared, Differences, Extras, Listed, Observed, Rendered};
use super::batch::Batch;
use super::stages::{commits, compare, extras, last_sync, list};
use super::{Request, World};
use crate::status::ResourceDrift;

/// Compares every application with its cluster.
pub(crate) async fn observe(rendered: Batch<Rendered>, request: &Request, world: &World) -> Batch<Compared> {
    rendered.through(async |rendered| observe_all(rendered, request, world).await).await
}

/// Compares one application alone.
pub(crate) async fn observe_one(rendered: Rendered, request: &Request, world: &World) -> Compared {
    let live = list::list_live(std::slice::from_ref(&rendered), request, &world.progress).await;
    let listed = Listed { rendered, live: Arc::new(live) };
    let observed = last_sync::read_one(listed, request).await;
    let differences = compare::compare_alone(&observed, request, world).await;
    let alone = std::slice::from_ref(&observed);
    let extras = extras::find(alone, request, &world.progress).await.pop().unwrap_or_default();
    finished(observed, differences, extras, world).await
}

/// Compares applications together: one LIST serves all of them.
pub(crate) async fn observe_all(rendered: Vec<Rendered>, request: &Request, world: &World) -> Vec<Compared> {
    let listed = list::list(rendered, request, world).await;
    let observed = last_sync::read(listed, request).await;
    let differences = compare::compare(&observed, request, world).await;
    let extras = extras::find(&observed, request, &world.progress).await;
    let mut compared = Vec::new();
    for ((observed, differences), extras) in observed.into_iter().zip(differences).zip(extras) {
        compared.push(finished(observed, differences, extras, world).await);
    }
    compared
}

/// One application with all that was found, and the commits behind it.
async fn finished(observed: Observed, differences: Differences, extras: Extras, world: &World) -> Compared {
    let resources: Vec<&ResourceDrift> = differences.resources.iter().chain(&extras.resources).collect();
    let commits = commits::find(&observed, &resources, world).await;
    Compared::of(observed, differences, extras, commits)
}
