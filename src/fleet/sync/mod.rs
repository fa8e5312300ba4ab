//! The stages of a sync, a reconciliation, a rollback and a deletion.

pub(crate) mod again;
pub(crate) mod argo_status;
pub(crate) mod audit;
pub(crate) mod delete;
pub(crate) mod in_turn;
pub(crate) mod order;
pub(crate) mod perform;
pub(crate) mod permit;
pub(crate) mod plan;
pub(crate) mod planned;
mod record;
pub(crate) mod removal;
pub(crate) mod request;
pub(crate) mod rollback;
mod seen;
pub(crate) mod window;

pub use request::{Delete, SyncRequest, Wish};
pub use rollback::end_rollback;
