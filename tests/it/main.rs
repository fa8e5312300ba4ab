//! Everything that needs real parts, in one binary: a module an area, and the harness that they share.
//!
//! The parts are real: git repositories made by git, an API server built from Kubernetes' own source, the `trueup`
//! binary as a user runs it. What is missing on a machine skips its tests loudly; `TRUEUP_TEST_REQUIRE=1` fails them.
#![expect(clippy::disallowed_methods, reason = "tests start programs, read the environment and write files")]
#![expect(clippy::unwrap_used, reason = "a test ends with the panic")]

mod harness;

mod action;
mod apps_from;
mod beside_argo_cd;
mod changed;
mod charts;
mod cli;
mod cluster;
mod clusters;
mod compare;
mod control_plane;
mod control_plane_build;
mod cronjob;
mod diff;
mod doctor;
mod documented_commands;
mod drift_age;
mod errors;
mod expand;
mod fleet;
mod from_cluster;
mod git;
mod gotemplate;
mod health;
mod ignore;
mod image;
mod jsonnet;
mod ksonnet;
mod orphans;
mod overrides;
mod plugin;
mod policy;
mod project;
mod promises;
mod read_only;
mod readme;
mod render;
mod render_output;
mod rendering;
mod rooms;
mod shards;
mod sync;
mod sync_state;
mod trust;
mod walk;
mod who_moved;
mod words;
mod workflows;
mod yaml;
