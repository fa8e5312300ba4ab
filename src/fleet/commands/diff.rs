//! Compares every application with its cluster.

use std::sync::Arc;

use crate::fleet::stages::{commits, compare, extras, health, last_sync, list, reasons, render};
use crate::fleet::{Request, Run, World, targets, turn};

/// Compares every application with its cluster. Nothing is written but the cache.
pub async fn diff(mut request: Request, world: &World) -> Run {
    let (mut turns, invalid) = targets(&mut request, world).await;
    let live = Arc::new(list::list(&turns, &request, &world.progress).await);
    last_sync::read(&mut turns, &live, &request).await;
    compare::compare(&mut turns, &live, &request, world).await;
    extras::find(&mut turns, &live, &request, &world.progress).await;
    render::warn_of_made_up(&mut turns, &request, world).await;
    commits::find(&mut turns, world).await;
    health::judge(&mut turns, &live, &request).await;
    reasons::find(&mut turns, request.log_lines, request.concurrency).await;
    turn::end_judged(turns, invalid, request, world)
}
