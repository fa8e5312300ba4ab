//! Which applications: paths of manifests, and what narrows them; and the settings that Argo CD has for them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::app::settings::{Repositories, Settings};
use crate::cli::manifests::{self, ManifestPath};
use crate::finding::Finding;

/// Which applications to work on.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct SelectionArguments {
    /// Application manifests: files, folders (searched recursively), or `-` for standard input
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<ManifestPath>,
    /// Select an application by `name`, `namespace/name` or a glob; repeatable
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    pub(crate) app: Vec<String>,
    /// Select applications by label: `team=shop,tier!=test`, `env in (prod, stage)`, `!legacy`
    #[arg(short = 'l', long, value_name = "SELECTOR", help_heading = "Selection")]
    pub(crate) selector: Option<String>,
    /// Select the applications of a project; repeatable
    #[arg(long, value_name = "PROJECT", help_heading = "Selection")]
    pub(crate) project: Vec<String>,
    /// Set the namespace of Argo CD's controller
    #[arg(long, value_name = "NAMESPACE", default_value = "argocd", help_heading = "Selection")]
    pub(crate) argocd_namespace: String,
    /// Set the label by which Argo CD tracks resources [default: that of `argocd-cm`, else
    /// `app.kubernetes.io/instance`]
    #[arg(long, value_name = "LABEL", help_heading = "Selection")]
    pub(crate) instance_label: Option<String>,
    /// Read Argo CD's settings from a file with the ConfigMap `argocd-cm`
    #[arg(long, value_name = "FILE", help_heading = "Selection")]
    pub(crate) argocd_cm: Option<PathBuf>,
    /// What was read: a file may be a pipe, which can be read once.
    #[arg(skip)]
    pub(crate) read: OnceLock<Result<Read, Vec<Finding>>>,
}

/// What the file of `--argocd-cm` says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Read {
    /// `argocd-cm` itself.
    pub(crate) settings: Settings,
    /// The certificates and host keys of repositories' servers that stand beside it.
    pub(crate) servers: Repositories,
    /// What is odd about those.
    pub(crate) warnings: Vec<Finding>,
}

impl SelectionArguments {
    /// Argo CD's settings, from the file that was given; or what is wrong with it.
    pub(crate) fn argocd(&self) -> Result<&Read, Vec<Finding>> {
        let read_it = || self.argocd_cm.as_deref().map_or_else(|| Ok(Read::default()), read);
        self.read.get_or_init(read_it).as_ref().map_err(Clone::clone)
    }
}

fn read(path: &Path) -> Result<Read, Vec<Finding>> {
    let text = manifests::read_one(path).map_err(|error| vec![Finding::of(&error)])?;
    let settings = Settings::read(&text.name, &text.bytes).map_err(|error| vec![Finding::of(&error)])?;
    let beside = Repositories::beside_settings(&text.name, &text.bytes);
    let (servers, warnings) =
        beside.map_err(|errors| errors.iter().map(|error| Finding::of(error)).collect::<Vec<_>>())?;
    Ok(Read { settings, servers, warnings })
}
