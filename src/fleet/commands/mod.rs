//! The commands, one file each: a screen that names the stages of the run.

pub mod clusters;
pub mod diff;
pub mod doctor;
pub mod health;
pub mod history;
pub mod project;
pub mod render;
pub mod repositories;
pub mod sync;
pub mod wait;
pub mod whoami;
