//! Everything that needs real parts, in one binary: a module an area, and the harness that they share.
//!
//! The parts are real: git repositories made by git, an API server built from Kubernetes' own source, the `trueup`
//! binary as a user runs it. What is missing on a machine skips its tests loudly; `TRUEUP_TEST_REQUIRE=1` fails them.
#![expect(clippy::disallowed_methods, reason = "tests start programs, read the environment and write files")]

mod harness;

mod cluster;
mod control_plane;
mod diff;
mod jsonnet;
mod ksonnet;
mod overrides;
mod plugin;
mod render;
mod rooms;
