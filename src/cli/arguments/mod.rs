//! The arguments that several commands share, in the groups that `--help` shows them in.

pub(super) mod apps_from;
pub(super) mod changed;
pub(super) mod cluster;
pub(super) mod comparing;
pub(super) mod generators;
pub(super) mod health;
pub(super) mod inputs;
pub(super) mod judging;
pub(super) mod output;
pub(super) mod planning;
pub(super) mod policy;
pub(super) mod programs;
pub(super) mod repositories;
pub(super) mod selection;
pub(super) mod source;
pub(super) mod state;
pub(super) mod syncing;
