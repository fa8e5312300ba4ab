//! The conductor: many applications, bounded, isolated, cancellable. No decisions of its own.
//!
//! In: a request. Out: a [`Run`].

pub mod run;

pub use run::{ApplicationRun, Run, SourceRun, SyncStatus};
