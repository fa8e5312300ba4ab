//! Which Applications a run is about: `--app`, `--selector`, `--project`.
//!
//! In: the flags' texts, then every Application that was read. Out: those that match all flags given; asking for what is
//! not there is an error that names the nearest thing that is.

use super::Manifests;

/// What narrows the set of Applications.
#[derive(Debug, Clone, Default)]
pub struct Selection {}

/// Why Applications cannot be selected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum SelectionError {}

impl Selection {
    /// Takes the values of `--app`, `--selector` and `--project`; an empty list, or no selector, narrows nothing.
    pub fn new(_apps: &[String], _selector: Option<&str>, _projects: &[String]) -> Result<Self, Vec<SelectionError>> {
        todo!()
    }

    /// Keeps the Applications that match; findings about files stay, for they may hide an Application.
    pub fn apply(&self, _manifests: Manifests) -> Result<Manifests, Vec<SelectionError>> {
        todo!()
    }
}
