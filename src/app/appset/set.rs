//! An ApplicationSet as it was written.

use crate::app::manifest_folder::ManifestFolder;

use serde_json::Value;

use super::fault::Fault;
use super::rollout::RollingSync;
use super::set_policy::SetPolicy;
use crate::finding::Finding;
use crate::object::Origin;
use crate::secret::RepoUrl;

/// An Argo CD `ApplicationSet` (`argoproj.io/v1alpha1`).
#[derive(Debug, Clone, PartialEq)]
pub struct ApplicationSet {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`; empty when the manifest has none.
    pub namespace: String,
    /// `spec.goTemplate`: Go templates in place of `{{name}}`.
    pub go_template: bool,
    /// `spec.goTemplateOptions`.
    pub go_template_options: Vec<String>,
    /// `spec.generators`, as they were written.
    pub generators: Vec<Value>,
    /// `spec.template`, as it was written.
    pub template: Value,
    /// `spec.templatePatch`.
    pub template_patch: Option<String>,
    /// `spec.syncPolicy.preserveResourcesOnDeletion`: the Applications get no finalizer.
    pub preserves_resources: bool,
    /// `spec.strategy.rollingSync`, where that is the strategy.
    pub rolling_sync: Option<RollingSync>,
    /// The sync wave of the ApplicationSet in the Application that contains it.
    pub wave: i64,
    /// What becomes of the Applications.
    pub policy: SetPolicy,
    /// Where the manifest was written.
    pub origin: Origin,
    /// The folder of the manifest's file, which a relative `repoURL` starts from.
    pub folder: ManifestFolder,
    /// Warnings about the manifest.
    pub findings: Vec<Finding>,
}

impl ApplicationSet {
    /// The repositories in its template, as it was written and without credentials: another ApplicationSet of the same name has
    /// others.
    pub fn origin(&self) -> String {
        let url =
            |source: &Value| source.get("repoURL").and_then(Value::as_str).map(|url| RepoUrl::new(url).host_and_path());
        let sources = self.template.pointer("/spec/sources").and_then(Value::as_array).into_iter().flatten();
        let sources = self.template.pointer("/spec/source").into_iter().chain(sources);
        sources.filter_map(url).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn finding(&self, fault: &Fault) -> Finding {
        Finding::of(fault).about(&self.name)
    }
}
