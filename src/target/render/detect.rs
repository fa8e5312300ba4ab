//! Which tool renders a source.
//!
//! In: the source's manifest, and the folder. Out: a [`Tool`]. An explicit block decides; else a plugin that knows the folder; else the
//! files directly in it do; else it is a plain directory.
//!
//! Rules: Argo CD util/app/discovery/discovery.go. Quirk: a file whose name merely ends with `Chart.yaml` makes a Helm
//! chart, and a kustomization beside it wins.

use std::fs;
use std::path::Path;

use super::{RenderError, RenderInput, ksonnet, plugin};
use crate::app::Source;
use crate::app::source::SourceKind;

/// What renders a source, and what made it that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tool {
    /// The tool.
    pub(super) kind: SourceKind,
    /// What made it that tool, for an error message.
    pub(super) why: String,
}

/// What the manifest alone decides.
pub(super) fn explicit(source: &Source) -> Option<Tool> {
    let kind = source.explicit_kind()?;
    let field = if source.chart.is_some() { "chart".to_owned() } else { kind.as_str().to_lowercase() };
    Some(Tool { kind, why: format!("the source has `{field}`") })
}

/// What the manifest and the folder decide together.
pub(super) fn detect(input: &RenderInput<'_>) -> Result<Tool, RenderError> {
    if let Some(tool) = explicit(input.source) {
        return Ok(tool);
    }
    // Argo CD asks plugins before it looks at the files.
    if let Some(plugin) = plugin::discovered(input)? {
        return Ok(Tool { kind: SourceKind::Plugin, why: format!("plugin `{plugin}` knows its folder") });
    }
    let folder = input.folder;
    let mut tool = Tool { kind: SourceKind::Directory, why: "nothing says otherwise".to_owned() };
    for name in file_names(folder)? {
        let kind = match name.as_str() {
            "kustomization.yaml" | "kustomization.yml" | "Kustomization" => SourceKind::Kustomize,
            name if name.ends_with("Chart.yaml") => SourceKind::Helm,
            "app.yaml" if ksonnet::is_application(&folder.join(&name)) => SourceKind::Ksonnet,
            _ => continue,
        };
        tool = Tool { kind, why: format!("its folder has `{name}`") };
    }
    Ok(tool)
}

/// The files directly in the folder, in lexical order.
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
