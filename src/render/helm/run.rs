//! The calls of Helm for one source.

use std::path::Path;

use serde_json::Value;

use super::super::RenderInput;
use super::super::program::{Home, Program, ProgramCall, ProgramError};
use super::arguments::HelmArguments;
use super::parameters::need_lists;
use super::strvals::{HelmMap, HelmValue};

/// Helm's own words for a chart whose `charts/` lacks something.
const MISSING_DEPENDENCIES: &str = "found in Chart.yaml, but missing in charts/ directory";

/// A chart that prints the values that it gets.
const VALUES_CHART: &str = "apiVersion: v2\nname: values\nversion: 0.1.0\n";
const VALUES_TEMPLATE: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: values}\ndata: {{ .Values | toJson }}\n";

/// Everything that each call of Helm for one source needs.
pub(super) struct HelmRun<'a> {
    pub(super) input: &'a RenderInput<'a>,
    pub(super) program: &'a Program,
    pub(super) home: &'a Home,
    pub(super) arguments: &'a HelmArguments,
}

/// Helm said no.
pub(super) struct HelmRefusal {
    pub(super) error: ProgramError,
    pub(super) missing_dependencies: bool,
}

impl HelmRun<'_> {
    /// The values that are given before the parameters, where those set items of lists: Helm itself reads the files, and
    /// prints them by a chart of ours. Where it cannot, it says why when it renders.
    pub(super) fn values_before(&self) -> Result<HelmMap, ProgramError> {
        if !need_lists(&self.arguments.parameters) || self.arguments.values_files.is_empty() {
            return Ok(HelmMap::new());
        }
        let no_place = |source| ProgramError::NoPlace { place: self.input.place(), source };
        let chart = self.home.file("values-chart/Chart.yaml", VALUES_CHART).map_err(no_place)?;
        self.home.file("values-chart/templates/values.yaml", VALUES_TEMPLATE).map_err(no_place)?;
        let mut args = vec!["template".into(), chart.parent().unwrap_or(&chart).into()];
        args.extend(self.arguments.values_files.iter().cloned());
        let folder = self.input.folder;
        let call = ProgramCall { args, folder, whereabouts: "in the chart's folder", variables: Vec::new() };
        let output = self.program.run(&call, self.home, self.input)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let object = text.lines().find_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
        match object.map(HelmValue::from) {
            Some(HelmValue::Map(map)) if output.success() => Ok(map),
            _ => Ok(HelmMap::new()),
        }
    }

    pub(super) fn template(&self, folder: &Path, root: &Path) -> Result<Result<Vec<u8>, HelmRefusal>, ProgramError> {
        let call = ProgramCall {
            args: self.arguments.list.clone(),
            folder,
            whereabouts: "in the chart's folder",
            variables: Vec::new(),
        };
        let output = self.program.run(&call, self.home, self.input)?;
        if output.success() {
            return Ok(Ok(output.stdout));
        }
        let missing_dependencies = String::from_utf8_lossy(&output.stderr).contains(MISSING_DEPENDENCIES);
        Ok(Err(HelmRefusal { error: self.failed(&call, &output, root), missing_dependencies }))
    }

    pub(super) fn failed(&self, call: &ProgramCall<'_>, output: &crate::process::Output, root: &Path) -> ProgramError {
        let mut hidden: Vec<(&Path, &str)> = vec![(self.home.path(), ""), (self.input.folder, ""), (call.folder, "")];
        hidden.extend([(root, "(repository)"), (self.input.root, "(repository)")]);
        hidden.extend(self.arguments.other_roots.iter().map(|(root, name)| (root.as_path(), name.as_str())));
        // The longest first: a root is the beginning of its folders' names.
        hidden.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.as_os_str().len()));
        let values: Vec<&str> = self.arguments.parameters.iter().map(|parameter| parameter.value.as_str()).collect();
        self.program.failed(call, output, &hidden, self.input).without_values(&values)
    }
}
