//! The stages that an application goes through, one file each.

pub(crate) mod commits;
pub(crate) mod compare;
pub(crate) mod connect;
pub mod descend;
pub mod expand;
pub(crate) mod extras;
pub(crate) mod fetch;
pub(crate) mod health;
pub(crate) mod ignore;
pub(crate) mod last_render;
pub(crate) mod last_sync;
pub(crate) mod list;
pub(crate) mod load;
pub(crate) mod namespace;
pub(crate) mod neighbours;
pub(crate) mod nondeterminism;
pub(crate) mod owners;
pub(crate) mod project;
pub(crate) mod reasons;
pub(crate) mod render;
pub(crate) mod select;
pub(crate) mod settings;
pub(crate) mod sweep;
pub(crate) mod watch;
