//! The conductor: many applications, bounded, isolated, cancellable. No decisions of its own; one line a stage.
//!
//! In: a [`Request`] and the [`World`] it may read. Out: a [`Run`], or what was [`Rendered`].
//!
//! An application that fails is reported and does not stop the others; dropping the future stops all of them.

mod applyset;
pub mod commands;
pub mod condition;
pub mod jq;
mod request;
pub mod run;
pub mod stages;
pub mod sync;
mod turn;

pub use commands::diff::diff;
pub use commands::health::health;
pub use commands::render::{Rendered, RenderedApplication, Renders, render};
pub use commands::wait::{Ending, Goal, Patience};
pub use condition::{Condition, ConditionKind};
pub use request::{Request, World};
pub use run::{ApplicationHealth, ApplicationRun, Run, SourceRun, SyncStatus};

use stages::{fetch, list, neighbours, settings};

use crate::app::InvalidApplication;

/// The rendered targets for each application that is well-formed, and the cluster it belongs to.
async fn targets(request: &mut Request, world: &World) -> (Vec<turn::Turn>, Vec<(usize, InvalidApplication)>) {
    settings::read(request, world).await;
    turn::leave_alone(request);
    let (mut turns, invalid) = turn::begin(request);
    fetch::fetch(&mut turns, world, request.concurrency).await;
    list::connect(&mut turns, world, request.concurrency).await;
    stages::render::render(&mut turns, request, world).await;
    neighbours::introduce(&mut turns, request);
    (turns, invalid)
}
