//! The drift report: what differs between git and the clusters, what a sync did about it, and what is not compared.

pub(super) mod data;
pub(super) mod diff;
#[cfg(test)]
pub(super) mod fixture;
pub(super) mod github;
pub(super) mod ignore_suggestions;
pub(super) mod ignored_fields;
pub(super) mod markdown;
pub(super) mod notes;
pub(super) mod operation;
pub(super) mod text;
pub(super) mod unified;
