//! `spec.sourceHydrator`: where manifests are written by hand, and the branch where they lie rendered.
//!
//! Rule: Argo CD types.go `GetSyncSource`: what is compared is the branch that holds the rendered manifests.

use super::super::fault::Fault;
use super::super::fields::Fields;
use super::{Directory, Helm, Kustomize, Plugin, Source, directory, helm, kustomize, plugin};
use crate::secret::RepoUrl;

/// `spec.sourceHydrator`.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceHydrator {
    /// `drySource`: what is rendered.
    pub dry_source: DrySource,
    /// `syncSource`: where the rendered manifests are synced from.
    pub sync_source: SyncSource,
    /// `hydrateTo.targetBranch`: where they are written first, for a review; empty means the sync source's branch.
    pub hydrate_to: String,
}

/// `sourceHydrator.drySource`.
#[derive(Debug, Clone, PartialEq)]
pub struct DrySource {
    /// `repoURL`.
    pub repo_url: RepoUrl,
    /// `targetRevision`.
    pub target_revision: String,
    /// `path`.
    pub path: String,
    /// `directory`.
    pub directory: Option<Directory>,
    /// `helm`.
    pub helm: Option<Helm>,
    /// `kustomize`.
    pub kustomize: Option<Kustomize>,
    /// `plugin`.
    pub plugin: Option<Plugin>,
}

/// `sourceHydrator.syncSource`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncSource {
    /// `repoURL`; `None` means the dry source's.
    pub repo_url: Option<RepoUrl>,
    /// `targetBranch`.
    pub target_branch: String,
    /// `path`.
    pub path: String,
    /// Its line in the manifest, counted from 1.
    pub line: usize,
}

impl SourceHydrator {
    /// The source that an Application is compared with.
    pub fn source(&self) -> Source {
        let written = [("path", &self.sync_source.path), ("targetRevision", &self.sync_source.target_branch)];
        Source {
            repo_url: self.sync_source.repo_url.clone().unwrap_or_else(|| self.dry_source.repo_url.clone()),
            path: Some(self.sync_source.path.clone()),
            target_revision: self.sync_source.target_branch.clone(),
            tag_prefix: String::new(),
            chart: None,
            reference: None,
            name: None,
            directory: None,
            helm: None,
            kustomize: None,
            plugin: None,
            ksonnet: None,
            tools: serde_json::Map::new(),
            written: written.into_iter().map(|(field, text)| (field.to_owned(), text.as_str().into())).collect(),
            line: self.sync_source.line,
        }
    }
}

pub(in crate::app) fn decode(mut fields: Fields<'_>) -> Option<SourceHydrator> {
    let dry_source = fields.required_fields("drySource").map(decode_dry_source);
    let sync_source = fields.required_fields("syncSource").map(decode_sync_source);
    let hydrate_to = fields.fields("hydrateTo").map(decode_hydrate_to).unwrap_or_default();
    fields.finish();
    Some(SourceHydrator { dry_source: dry_source?, sync_source: sync_source?, hydrate_to })
}

fn decode_dry_source(mut fields: Fields<'_>) -> DrySource {
    let source = DrySource {
        repo_url: RepoUrl::new(fields.required_text("repoURL")),
        target_revision: fields.required_text("targetRevision"),
        path: fields.required_text("path"),
        directory: fields.fields("directory").map(directory::decode),
        helm: fields.fields("helm").map(helm::decode),
        kustomize: fields.fields("kustomize").map(kustomize::decode),
        plugin: fields.fields("plugin").map(plugin::decode),
    };
    fields.finish();
    source
}

fn decode_sync_source(mut fields: Fields<'_>) -> SyncSource {
    let source = SyncSource {
        repo_url: fields.non_empty_text("repoURL").map(RepoUrl::new),
        target_branch: fields.required_text("targetBranch"),
        path: fields.required_text("path"),
        line: fields.line(),
    };
    // The pattern of Argo CD's CustomResourceDefinition, `^.{2,}|[^./]$`: rendered manifests never fill the root.
    if matches!(source.path.as_str(), "" | "." | "/") && fields.is_given("path") && !fields.has_fault("path") {
        let path = fields.shown_field("path");
        fields.fault_at("path", &Fault::HydratedRoot { path, value: source.path.clone() });
    }
    fields.finish();
    source
}

fn decode_hydrate_to(mut fields: Fields<'_>) -> String {
    let branch = fields.required_text("targetBranch");
    fields.finish();
    branch
}
