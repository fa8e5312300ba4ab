//! Which applications: paths of manifests, and what narrows them.

use std::path::PathBuf;

use crate::cli::manifests::ManifestPath;

/// Which applications.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct SelectionArguments {
    /// Application manifests: files, folders (walked; other kinds are ignored), or `-` for standard input
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<ManifestPath>,
    /// Only this application (`name`, `namespace/name` or a glob); may be repeated
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    pub(crate) app: Vec<String>,
    /// Only applications whose labels match: `team=shop,tier!=test`, `env in (prod, stage)`, `!legacy`
    #[arg(short = 'l', long, value_name = "SELECTOR", help_heading = "Selection")]
    pub(crate) selector: Option<String>,
    /// Only applications of this project; may be repeated
    #[arg(long, value_name = "PROJECT", help_heading = "Selection")]
    pub(crate) project: Vec<String>,
    /// The namespace of Argo CD's controller; applications elsewhere carry theirs in their tracking names
    #[arg(long, value_name = "NAMESPACE", default_value = "argocd", help_heading = "Selection")]
    pub(crate) argocd_namespace: String,
    /// The label that Argo CD tracks resources by, where it tracks by label; default: that of its settings, else
    /// `app.kubernetes.io/instance`
    #[arg(long, value_name = "LABEL", help_heading = "Selection")]
    pub(crate) instance_label: Option<String>,
    /// Argo CD's settings: a file with the manifest of the ConfigMap `argocd-cm`
    #[arg(long, value_name = "FILE", help_heading = "Selection")]
    pub(crate) argocd_cm: Option<PathBuf>,
}
