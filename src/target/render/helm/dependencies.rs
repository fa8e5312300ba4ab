//! Builds the dependencies that a chart's repository does not hold, in a copy of the chart.
//!
//! In: a chart that Helm refused because of its `charts/` folder. Out: a copy of it, complete. Helm wants to know each
//! repository before it builds.
//!
//! Rules: Argo CD reposerver/repository/repository.go `runHelmBuild`; util/helm/helm.go `DependencyBuild`.

use std::ffi::OsString;

use super::repositories::Repositories;
use super::{HelmError, Run};
use crate::target::render::RenderError;
use crate::target::render::program::{Call, ProgramError};
use crate::target::render::working_copy::{Around, WorkingCopy};

/// A chart with its dependencies.
pub(super) struct Built {
    pub(super) copy: WorkingCopy,
    /// Whether the same revision gives the same dependencies again.
    pub(super) repeatable: bool,
}

pub(super) fn build(run: &Run<'_>) -> Result<Built, RenderError> {
    let no_place = |source| ProgramError::NoPlace { place: run.input.place(), source };
    let place = run.home.path().join("chart");
    let copy = WorkingCopy::of(run.input.root, run.input.folder, Around::Linked, &place).map_err(no_place)?;
    let repositories = Repositories::of(&copy.folder);
    if let Some(folder) = repositories.outside(run.input.root, run.input.folder) {
        return Err(HelmError::DependencyLeaves { folder: folder.to_owned() }.into());
    }
    let is_locked = ["Chart.lock", "requirements.lock"].iter().any(|lock| copy.folder.join(lock).is_file());
    let switches = repositories.write(run).map_err(no_place)?;
    let call = Call {
        args: ["dependency", "build"].into_iter().chain(switches).map(OsString::from).collect(),
        folder: &copy.folder,
        whereabouts: "in the chart's folder",
        variables: Vec::new(),
    };
    let output = run.program.run(&call, run.home, run.input)?;
    if !output.success() {
        return Err(run.failed(&call, &output, &copy.root).into());
    }
    Ok(Built { copy, repeatable: repositories.are_local() || (is_locked && !repositories.are_named()) })
}
