//! The Helm charts of a walked folder: what lies below their `templates/` is no manifest yet.
//!
//! In: the files of a walk. Out: for a template, the folder of its chart.
//!
//! Rules: Helm's chart file structure; Argo CD takes a folder with `Chart.yaml` for a chart (util/app/discovery).

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::manifest_text::{Given, ManifestText};

/// The folders with a `Chart.yaml`.
#[derive(Debug, Default)]
pub(super) struct Charts(HashSet<PathBuf>);

impl Charts {
    /// Looks for charts among the files.
    pub(super) fn of(inputs: &[ManifestText]) -> Self {
        let charts = inputs.iter().map(|input| Path::new(&input.name));
        let charts = charts.filter(|path| path.file_name().is_some_and(|name| name == "Chart.yaml"));
        Self(charts.filter_map(Path::parent).map(Path::to_owned).collect())
    }

    /// The chart that a file of a walk is a template of.
    pub(super) fn chart<'input>(&self, input: &'input ManifestText) -> Option<&'input Path> {
        if input.given == Given::ByName {
            return None;
        }
        let above = Path::new(&input.name).ancestors().skip(1);
        let templates = above.filter(|folder| folder.file_name().is_some_and(|name| name == "templates"));
        templates.filter_map(Path::parent).find(|folder| self.0.contains(*folder))
    }
}
