//! Builds the dependencies that a chart's repository does not hold, in a copy of the chart.
//!
//! In: a chart that Helm refused because of its `charts/` folder. Out: a copy of it, complete. Helm wants to know each
//! repository before it builds.
//!
//! Rules: Argo CD reposerver/repository/repository.go `getHelmDependencyRepos`, `runHelmBuild`; util/helm/helm.go
//! `DependencyBuild`.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::Run;
use crate::object::yaml::{self, Limits, WithPositions};
use crate::target::render::program::{Call, ProgramError};
use crate::target::render::working_copy::{Around, WorkingCopy};

/// A chart with its dependencies.
pub(super) struct Built {
    pub(super) copy: WorkingCopy,
    /// Whether the same revision gives the same dependencies again.
    pub(super) repeatable: bool,
}

pub(super) fn build(run: &Run<'_>) -> Result<Built, ProgramError> {
    let no_place = |source| ProgramError::NoPlace { place: run.input.place(), source };
    let place = run.home.path().join("chart");
    let copy = WorkingCopy::of(run.input.root, run.input.folder, Around::Linked, &place).map_err(no_place)?;
    let repositories = repositories(&copy.folder);
    let local = repositories.iter().all(|repository| repository.starts_with("file://"));
    let is_locked = ["Chart.lock", "requirements.lock"].iter().any(|lock| copy.folder.join(lock).is_file());
    for repository in repositories.iter().filter(|repository| is_http(repository)) {
        call(run, &copy, ["repo", "add", &repository.replace('/', "-"), repository])?;
    }
    call(run, &copy, ["dependency", "build"])?;
    Ok(Built { copy, repeatable: local || is_locked })
}

fn call<const N: usize>(run: &Run<'_>, copy: &WorkingCopy, words: [&str; N]) -> Result<(), ProgramError> {
    let call = Call {
        args: words.map(OsString::from).into(),
        folder: &copy.folder,
        whereabouts: "in the chart's folder",
        variables: Vec::new(),
    };
    let output = run.program.run(&call, run.home, run.input)?;
    if output.success() { Ok(()) } else { Err(run.failed(&call, &output, &copy.root)) }
}

fn is_http(repository: &str) -> bool {
    repository.starts_with("https://") || repository.starts_with("http://")
}

/// What `Chart.yaml`, and in old charts `requirements.yaml`, say of dependencies: each repository once.
fn repositories(chart: &Path) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for file in ["Chart.yaml", "requirements.yaml"] {
        // What cannot be read has no repositories for us; Helm says what is wrong with it.
        let Ok(bytes) = fs::read(chart.join(file)) else { continue };
        let Ok(text) = yaml::decode(&bytes) else { continue };
        for document in yaml::read(&text, &Limits::default(), WithPositions::No).into_iter().flatten() {
            let dependencies = document.value.get("dependencies").and_then(|list| list.as_array()).cloned();
            for dependency in dependencies.unwrap_or_default() {
                let repository = dependency.get("repository").and_then(|value| value.as_str()).unwrap_or_default();
                if !repository.is_empty() && !found.iter().any(|known| known == repository) {
                    found.push(repository.to_owned());
                }
            }
        }
    }
    found
}
