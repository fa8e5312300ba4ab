//! Builds the dependencies that a chart's repository does not hold, in a copy of the chart.
//!
//! In: a chart that Helm refused because of its `charts/` folder. Out: a copy of it, complete. Helm wants to know each
//! repository before it builds.
//!
//! Rules: Argo CD reposerver/repository/repository.go `runHelmBuild`; util/helm/helm.go `DependencyBuild`.

use std::ffi::OsString;

use super::repositories::{ChartRepositories, ProxyForAll};
use super::{HelmError, HelmRun};
use crate::finding::{Code, Finding};
use crate::render::RenderError;
use crate::render::program::{ProgramCall, ProgramError};
use crate::render::working_copy::{CopyScope, WorkingCopy};
use crate::source::refuse_links_that_leave;

/// Why the proxies of Secrets are not used.
const DISPUTED: &str =
    "the repositories of its dependencies have different proxies, but Helm supports only one: no proxy is used";

/// A chart with its dependencies.
pub(super) struct BuiltChart {
    pub(super) copy: WorkingCopy,
    /// Whether the same revision gives the same dependencies again.
    pub(super) repeatable: bool,
    /// Warnings about it.
    pub(super) warning: Option<Finding>,
}

pub(super) fn build(run: &HelmRun<'_>) -> Result<BuiltChart, RenderError> {
    let no_place = |source| ProgramError::NoPlace { place: run.input.place(), source };
    let place = run.home.path().join("chart");
    let copy = WorkingCopy::of(run.input.root, run.input.folder, CopyScope::Linked, &place).map_err(no_place)?;
    let repositories = ChartRepositories::of(&copy.folder);
    if let Some(folder) = repositories.outside(run.input.root, run.input.folder) {
        return Err(HelmError::DependencyLeaves { folder: folder.to_owned() }.into());
    }
    for folder in repositories.folders(run.input.root, run.input.folder) {
        if !folder.starts_with(run.input.root) {
            return Err(HelmError::DependencyLeaves { folder: folder.display().to_string() }.into());
        }
        refuse_links_that_leave(run.input.root, &folder).map_err(HelmError::Link)?;
    }
    let is_locked = ["Chart.lock", "requirements.lock"].iter().any(|lock| copy.folder.join(lock).is_file());
    let reported = repositories.write(run).map_err(no_place)?;
    let disputed = (reported.proxy == ProxyForAll::Disputed).then_some(DISPUTED);
    let call = ProgramCall {
        args: ["dependency", "build"].into_iter().map(OsString::from).chain(reported.arguments).collect(),
        folder: &copy.folder,
        whereabouts: "in the chart's folder",
        variables: reported.proxy.variables(),
    };
    let mut output = run.program.run(&call, run.home, run.input)?;
    if !output.success() {
        if let Some(reasons) = unreachable(&output.stdout) {
            output.stderr = reasons.into_bytes();
        }
        if let Some(disputed) = disputed {
            output.stderr = format!("{}; {disputed}", String::from_utf8_lossy(&output.stderr).trim_end()).into_bytes();
        }
        return Err(run.failed(&call, &output, &copy.root).into());
    }
    let warning = disputed.map(|disputed| {
        let message = format!("{}: {disputed}", run.input.place());
        let help = "give the Secrets of all these repositories the same `proxy` and `noProxy`";
        Finding::warning(Code::RenderProxies, message).with_help(help)
    });
    Ok(BuiltChart { copy, repeatable: repositories.are_local() || (is_locked && !repositories.are_named()), warning })
}

/// Why Helm did not get an index. It writes that among its news, and goes on to an error that blames its own cache.
fn unreachable(news: &[u8]) -> Option<String> {
    let news = String::from_utf8_lossy(news);
    let reasons: Vec<&str> = news
        .split("...Unable to get an update from the ")
        .skip(1)
        .filter_map(|reported| reported.split_once(":\n")?.1.lines().next().map(str::trim))
        .collect();
    (!reasons.is_empty()).then(|| format!("Error: {}", reasons.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words are those of Helm 3.22 and 4.3.
    #[test]
    fn the_repository_that_did_not_answer_is_reported() {
        let news = "Hang tight while we grab the latest from your chart repositories...\n\
            ...Unable to get an update from the \"b\" chart repository (http://127.0.0.1:1/b):\n\
            \tGet \"http://127.0.0.1:1/b/index.yaml\": dial tcp 127.0.0.1:1: connect: connection refused\n\
            ...Successfully got an update from the \"c\" chart repository\n\
            ...Unable to get an update from the \"a\" chart repository (http://127.0.0.1:2/a):\n\
            \tfailed to fetch http://127.0.0.1:2/a/index.yaml : 401 Unauthorized\n\
            Update Complete. ⎈Happy Helming!⎈\n";
        let expected = "Error: Get \"http://127.0.0.1:1/b/index.yaml\": dial tcp 127.0.0.1:1: connect: connection refused; \
            failed to fetch http://127.0.0.1:2/a/index.yaml : 401 Unauthorized";
        assert_eq!(unreachable(news.as_bytes()).as_deref(), Some(expected));
        assert_eq!(unreachable(b"Saving 1 charts\n"), None);
    }
}
