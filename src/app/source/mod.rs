//! One source of an Application: a place in a repository, and how it is rendered.
//!
//! In: the fields of `source`, of an item of `sources`, or of an operation. Out: a [`Source`]; faults go to the reading.
//! The options of each tool are a file beside this one.
//!
//! Rules: Argo CD pkg/apis/application/v1alpha1/types.go `ApplicationSource`, `ExplicitType`; util/argo/argo.go
//! `validateSourcePermissions`.

mod block;
mod directory;
mod helm;
mod hydrator;
mod ksonnet;
mod kustomize;
mod overrides;
mod plugin;

pub use block::{SourceBlock, is_secret_name};
pub use directory::{Directory, Jsonnet, JsonnetVariable};
pub use helm::{Helm, HelmFileParameter, HelmParameter};
pub(super) use hydrator::decode as decode_hydrator;
pub use hydrator::{DrySource, SourceHydrator, SyncSource};
pub use ksonnet::{Ksonnet, KsonnetParameter};
pub use kustomize::{Kustomize, KustomizePatch, KustomizeReplicas, PatchTarget};
pub use overrides::overridden;
pub use plugin::{EnvironmentVariable, Plugin, PluginParameter};

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::fault::Fault;
use super::fields::Fields;
use crate::secret::RepoUrl;

/// One source of an Application.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// `repoURL`.
    pub repo_url: RepoUrl,
    /// `path`; `None` when it is not given.
    pub path: Option<String>,
    /// `targetRevision`; empty means `HEAD`.
    pub target_revision: String,
    /// `tagPrefix`.
    pub tag_prefix: String,
    /// `chart`.
    pub chart: Option<String>,
    /// `ref`.
    pub reference: Option<String>,
    /// `name`.
    pub name: Option<String>,
    /// `directory`.
    pub directory: Option<Directory>,
    /// `helm`.
    pub helm: Option<Helm>,
    /// `kustomize`.
    pub kustomize: Option<Kustomize>,
    /// `plugin`.
    pub plugin: Option<Plugin>,
    /// `ksonnet`, retired in Argo CD 2.4.
    pub ksonnet: Option<Ksonnet>,
    /// The blocks of the tools as they were written: what overrides are merged into.
    pub tools: Map<String, Value>,
    /// All of it as it was written: what a record keeps.
    pub written: Map<String, Value>,
    /// The line of the source in the manifest, counted from 1.
    pub line: usize,
}

/// The tool that a source names itself, before anybody looks into its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SourceKind {
    /// `kustomize`.
    Kustomize,
    /// `helm`, or a `chart`.
    Helm,
    /// `ksonnet`.
    Ksonnet,
    /// `directory`.
    Directory,
    /// `plugin`.
    Plugin,
}

impl SourceKind {
    /// The kind in Argo CD's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kustomize => "Kustomize",
            Self::Helm => "Helm",
            Self::Ksonnet => "Ksonnet",
            Self::Directory => "Directory",
            Self::Plugin => "Plugin",
        }
    }
}

impl Source {
    /// The tool that the source names itself; `None` when its folder decides.
    pub fn explicit_kind(&self) -> Option<SourceKind> {
        if self.chart.is_some() {
            return Some(SourceKind::Helm);
        }
        self.explicit_kinds().into_iter().next()
    }

    /// Whether the source only lends its files to others: a `ref` with neither `path` nor `chart`.
    pub fn renders_nothing(&self) -> bool {
        self.reference.is_some() && self.path.is_none() && self.chart.is_none()
    }

    /// Takes away the blocks that say nothing: with `helm: {}` or `directory: {recurse: false}` the folder decides.
    ///
    /// Rule: Argo CD util/argo/argo.go `NormalizeSource`. Quirk: it does so to `spec.source`, and not to `spec.sources`.
    pub(super) fn without_empty_blocks(mut self) -> Self {
        self.directory = self.directory.filter(|directory| *directory != Directory::default());
        self.helm = self.helm.filter(|helm| *helm != Helm::default());
        self.kustomize = self.kustomize.filter(|kustomize| *kustomize != Kustomize::default());
        self.ksonnet = self.ksonnet.filter(|ksonnet| *ksonnet != Ksonnet::default());
        let kept = self.explicit_kinds();
        self.tools.retain(|name, _| kept.iter().any(|kind| kind.as_str().eq_ignore_ascii_case(name)));
        self
    }

    // The order is that of Argo CD's message.
    fn explicit_kinds(&self) -> Vec<SourceKind> {
        [
            (self.kustomize.is_some(), SourceKind::Kustomize),
            (self.helm.is_some(), SourceKind::Helm),
            (self.ksonnet.is_some(), SourceKind::Ksonnet),
            (self.directory.is_some(), SourceKind::Directory),
            (self.plugin.is_some(), SourceKind::Plugin),
        ]
        .into_iter()
        .filter_map(|(given, kind)| given.then_some(kind))
        .collect()
    }
}

/// Which field a source was written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// `spec.source`: a `ref` has nobody to refer to it.
    Source,
    /// `spec.sources`: a `ref` is enough.
    Sources,
    /// `operation.sync`: a snapshot of either.
    Operation,
}

/// Decodes one source and says what is wrong with it alone.
pub(super) fn decode(mut fields: Fields<'_>, within: Within) -> Source {
    let source = Source {
        repo_url: RepoUrl::new(fields.text("repoURL")),
        path: fields.non_empty_text("path"),
        target_revision: fields.text("targetRevision"),
        tag_prefix: fields.text("tagPrefix"),
        chart: fields.non_empty_text("chart"),
        reference: fields.non_empty_text("ref"),
        name: fields.non_empty_text("name"),
        directory: fields.fields("directory").map(directory::decode),
        helm: fields.fields("helm").map(helm::decode),
        kustomize: fields.fields("kustomize").map(kustomize::decode),
        plugin: fields.fields("plugin").map(plugin::decode),
        ksonnet: fields.fields("ksonnet").map(ksonnet::decode),
        tools: fields.copied(&overrides::TOOLS),
        written: fields.whole(),
        line: fields.line(),
    };
    check_place(&source, &fields, within);
    check_tools(&source, &fields);
    check_reference(&source, &fields, within);
    fields.finish();
    source
}

fn check_place(source: &Source, fields: &Fields<'_>, within: Within) {
    if source.repo_url.with_credentials().is_empty() && !fields.has_fault("repoURL") {
        fields.fault(&Fault::NoRepoUrl { path: fields.shown() });
    }
    let has_place = source.path.is_some() || source.chart.is_some();
    let path_is_wrong = fields.has_fault("path") || fields.has_fault("chart");
    match within {
        Within::Source if !has_place && !path_is_wrong => {
            fields.fault(&Fault::NoPath { path: fields.shown(), needed: "`path` or `chart`" });
        }
        Within::Sources if !has_place && source.reference.is_none() && !path_is_wrong => {
            fields.fault(&Fault::NoPath { path: fields.shown(), needed: "`path`, `chart` or `ref`" });
        }
        _ => {}
    }
    if let Some(chart) = &source.chart {
        if source.target_revision.is_empty() && !fields.has_fault("targetRevision") {
            fields.fault_at("chart", &Fault::NoChartVersion { path: fields.shown(), chart: chart.clone() });
        }
        if source.path.is_some() {
            fields.fault_at("path", &Fault::PathBesideChart { path: fields.shown() });
        }
    }
    let is_in_registry = source.repo_url.with_credentials().starts_with("oci://");
    if source.chart.is_none() && is_in_registry && source.target_revision.is_empty() {
        fields.fault_at("repoURL", &Fault::NoTag { path: fields.shown() });
    }
    if let Some(path) = &source.path
        && path.starts_with('/')
    {
        fields.fault_at("path", &Fault::AbsolutePath { path: fields.shown_field("path"), value: path.clone() });
    }
}

fn check_tools(source: &Source, fields: &Fields<'_>) {
    let kinds = source.explicit_kinds();
    if kinds.len() > 1 {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        fields.fault(&Fault::SeveralTools { path: fields.shown(), tools: names.join(",") });
    }
    if source.chart.is_some()
        && let Some(kind) = kinds.into_iter().find(|kind| *kind != SourceKind::Helm)
    {
        let tool = kind.as_str().to_lowercase();
        fields.fault(&Fault::ChartWithOtherTool { path: fields.shown(), tool });
    }
}

fn check_reference(source: &Source, fields: &Fields<'_>, within: Within) {
    let Some(reference) = &source.reference else { return };
    if !reference.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')) {
        let path = fields.shown_field("ref");
        fields.fault_at("ref", &Fault::BadReference { path, reference: reference.clone() });
    }
    if within == Within::Source {
        fields.fault_at("ref", &Fault::LonelyReference { path: fields.shown_field("ref") });
    }
}

/// Decodes `spec.sources` and says what is wrong with them together.
pub(super) fn decode_list(items: Vec<Fields<'_>>, within: Within) -> Vec<Source> {
    let mut seen: HashMap<String, String> = HashMap::new();
    items
        .into_iter()
        .map(|fields| {
            let place = fields.place_of("ref");
            let source = decode(fields, within);
            if let Some(reference) = &source.reference {
                if let Some(first) = seen.get(reference) {
                    let fault = Fault::RepeatedReference {
                        path: place.shown(),
                        reference: reference.clone(),
                        first: first.clone(),
                    };
                    place.fault(&fault);
                } else {
                    seen.insert(reference.clone(), place.shown());
                }
            }
            source
        })
        .collect()
}
