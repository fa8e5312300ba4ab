//! The conductor: many applications, bounded, isolated, cancellable. No decisions of its own; one line a stage.
//!
//! In: a [`Request`] and the [`World`] it may read. Out: a [`Run`], or what was [`Rendered`].
//!
//! An application that fails is reported and does not stop the others; dropping the future stops all of them.

mod application;
mod applyset;
mod batch;
pub mod census;
pub mod commands;
pub mod condition;
pub mod jq;
mod live;
mod observe;
mod permissions;
mod removals;
mod reporting;
mod request;
pub mod run;
pub mod stages;
pub mod sync;
mod targets;

pub use commands::diff::diff;
pub use commands::health::health;
pub use commands::render::{Rendered, RenderedApplication, Renders, render};
pub use commands::wait::{Ending, Goal, Patience};
pub use condition::{Condition, ConditionKind};
pub use permissions::Permissions;
pub use request::{Request, World};
pub use run::{ApplicationHealth, ApplicationRun, RolledBack, Run, SourceRun, SyncStatus};
pub use stages::select::select_applications;
pub use stages::settings::read_settings;
