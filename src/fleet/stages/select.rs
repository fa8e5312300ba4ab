//! The first stage: expands what generates Applications, and then selects the applications of the run.
//!
//! Takes the applications of a [`Request`]. Returns those that the run is about; a selection that matches nothing is an error.
//! Selection comes after expansion: a generated Application can be named like any other.

use crate::app::{Application, SelectionError};
use crate::fleet::Request;
use crate::fleet::batch::Batch;

/// The applications of a run. ApplicationSets are not expanded yet: reading the manifests warns of them.
pub(crate) fn select(request: &mut Request) -> Result<Batch<Application>, Vec<SelectionError>> {
    let applications = std::mem::take(&mut request.applications);
    request.selection.select(applications).map(Batch::of)
}
