//! The Application and everything in it, in Argo CD's own words.
//!
//! Rule: Argo CD pkg/apis/application/v1alpha1/types.go.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::object::Origin;
use crate::secret::RepoUrl;

/// An Argo CD `Application` (`argoproj.io/v1alpha1`).
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`; empty when the manifest has none.
    pub namespace: String,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
    /// `metadata.finalizers`.
    pub finalizers: Vec<String>,
    /// `spec.project`; `default` when empty.
    pub project: String,
    /// The sources in force: `spec.sources`, else `spec.source`, else what `spec.sourceHydrator` syncs from.
    pub sources: Vec<Source>,
    /// `spec.destination`.
    pub destination: Destination,
    /// Where the manifest was written.
    pub origin: Origin,
    // … the rest of the specification: syncPolicy, ignoreDifferences, info, revisionHistoryLimit, operation
}

/// `spec.destination`: a server or a name, and the namespace for objects that have none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Destination {
    /// The API server's URL, without trailing slashes; empty when `name` is given.
    pub server: String,
    /// The cluster's name; empty when `server` is given.
    pub name: String,
    /// The namespace that fills namespaced objects without one.
    pub namespace: String,
}

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
    /// `helm`, typed in full.
    pub helm: Option<Value>,
    /// The line of the source in the manifest, counted from 1.
    pub line: usize,
    // … kustomize, plugin, ksonnet
}

/// `source.directory`: how a folder of manifests is read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Directory {
    /// Folders below the path too.
    pub recurse: bool,
    /// Only files that match this glob.
    pub include: String,
    /// No files that match this glob; looked at before `include`.
    pub exclude: String,
    /// Lets `include` match files outside of `yaml`, `yml`, `json`, `jsonnet`.
    pub disable_extension_filter: bool,
}
