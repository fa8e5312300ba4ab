//! Judges the health of every application.

use std::sync::Arc;

use crate::fleet::stages::{health, list, reasons};
use crate::fleet::{Request, Run, World, targets, turn};

/// Judges every application, and compares nothing. Nothing is written but the cache.
pub async fn health(mut request: Request, world: &World) -> Run {
    let (mut turns, invalid) = targets(&mut request, world).await;
    let live = Arc::new(list::list(&turns, &request, &world.progress).await);
    health::judge(&mut turns, &live, &request).await;
    reasons::find(&mut turns, request.log_lines, request.concurrency).await;
    turn::end_judged(turns, invalid, request, world)
}
