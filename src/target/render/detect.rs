//! Which tool renders a source.
//!
//! In: the source's manifest, and the folder. Out: a [`Tool`]. An explicit block decides; else the files directly in the
//! folder do; else it is a plain directory.
//!
//! Rules: Argo CD util/app/discovery/discovery.go. Quirk: a file whose name merely ends with `Chart.yaml` makes a Helm
//! chart, and a kustomization beside it wins.

use std::fs;
use std::path::Path;

use super::RenderError;
use crate::app::Source;
use crate::app::application::Directory;

/// What renders a source.
#[derive(Debug, Clone, PartialEq)]
pub enum Tool {
    /// Plain manifests.
    Directory(Directory),
    /// A tool that this version does not render.
    Other {
        /// Its name.
        what: &'static str,
        /// What made it that tool.
        why: String,
    },
}

impl Tool {
    /// The tool's name, in Argo CD's words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Directory(_) => "Directory",
            Self::Other { what, .. } => what,
        }
    }
}

/// What the manifest alone decides.
pub(super) fn explicit(source: &Source) -> Option<Tool> {
    let block = |what, field: &str| Some(Tool::Other { what, why: format!("the source has `{field}`") });
    if source.chart.is_some() {
        return block("Helm", "chart");
    }
    if source.helm.is_some() {
        return block("Helm", "helm");
    }
    if source.kustomize.is_some() {
        return block("Kustomize", "kustomize");
    }
    if source.plugin.is_some() {
        return block("Plugin", "plugin");
    }
    if source.ksonnet.is_some() {
        return block("Ksonnet", "ksonnet");
    }
    source.directory.clone().map(Tool::Directory)
}

pub(super) fn detect(source: &Source, folder: &Path) -> Result<Tool, RenderError> {
    let names = file_names(folder)?;
    if let Some(name) = names.iter().find(|name| name.starts_with(".argocd-source") && has_yaml_ending(name)) {
        return Ok(Tool::Other { what: "an overridden source", why: format!("the folder has `{name}`") });
    }
    if let Some(tool) = explicit(source) {
        return Ok(tool);
    }
    let mut tool = Tool::Directory(Directory::default());
    for name in names {
        let what = match name.as_str() {
            "kustomization.yaml" | "kustomization.yml" | "Kustomization" => "Kustomize",
            name if name.ends_with("Chart.yaml") => "Helm",
            "app.yaml" if is_ksonnet(&folder.join(&name)) => "Ksonnet",
            _ => continue,
        };
        tool = Tool::Other { what, why: format!("the folder has `{name}`") };
    }
    Ok(tool)
}

fn file_names(folder: &Path) -> Result<Vec<String>, RenderError> {
    let unreadable = |source| RenderError::Unreadable { file: folder.display().to_string(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn has_yaml_ending(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "yaml")
}

fn is_ksonnet(file: &Path) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.lines().any(|line| line.trim_end() == "kind: ksonnet.io/app"))
}
