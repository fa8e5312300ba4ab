//! Which tool renders a source.
//!
//! In: the source's manifest, and the folder. Out: the tool, and warnings of plugins that failed to decide. An explicit block
//! decides; else a plugin that knows the folder; else the files directly in it do; else it is a plain directory, as it is in
//! place of a tool that `argocd-cm` disables.
//!
//! Rules: Argo CD util/app/discovery/discovery.go, reposerver/repository `GetAppSourceType`. Quirk: a file whose name merely
//! ends with `Chart.yaml` makes a Helm chart, and a kustomization beside it wins.

use std::fs;
use std::path::Path;

use super::{RenderError, RenderInput, ksonnet, plugin};
use crate::app::source::SourceKind;
use crate::finding::{Finding, Severity};

/// The tool, decided by the manifest and the folder.
pub(super) fn detect(input: &RenderInput<'_>, warnings: &mut Vec<Finding>) -> Result<SourceKind, RenderError> {
    let is_on = |kind: &SourceKind| !input.settings.disabled.contains(kind);
    if let Some(kind) = input.source.explicit_kind() {
        return Ok(Some(kind).filter(is_on).unwrap_or(SourceKind::Directory));
    }
    // Argo CD asks plugins before it looks at the files.
    let mut passed_over = Vec::new();
    let plugin = plugin::discovered(input, &mut passed_over)?;
    warnings.extend(passed_over.iter().map(undecided));
    if plugin.is_some() {
        return Ok(SourceKind::Plugin);
    }
    by_files(input.folder, is_on)
}

/// The tool by the files directly in the folder, of those that are on.
pub(crate) fn by_files(folder: &Path, is_on: impl Fn(&SourceKind) -> bool) -> Result<SourceKind, RenderError> {
    let mut found = file_names(folder)?.into_iter().filter_map(|name| match name.as_str() {
        "kustomization.yaml" | "kustomization.yml" | "Kustomization" => Some(SourceKind::Kustomize),
        name if name.ends_with("Chart.yaml") => Some(SourceKind::Helm),
        "app.yaml" if ksonnet::is_application(&folder.join(&name)) => Some(SourceKind::Ksonnet),
        _ => None,
    });
    // Quirk: the last one counts.
    Ok(found.rfind(is_on).unwrap_or(SourceKind::Directory))
}

/// The warning of a plugin that failed to decide whether the folder is its own.
fn undecided(error: &plugin::PluginError) -> Finding {
    let words = "the plugin is skipped; correct its `spec.discover`, or remove its `--plugin`";
    Finding { severity: Severity::Warning, ..Finding::of(error) }.with_help(words)
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
