//! Which applications: paths of manifests, and what narrows them; and the settings that Argo CD has for them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::apps_from::{AppsFrom, parse_apps_from};
use super::changed::ChangedArguments;
use super::generators::GeneratorArguments;
use super::inputs::InputArguments;
use super::policy::PolicyArguments;
use crate::app::Shard;
use crate::app::settings::{Repositories, Settings};
use crate::cli::manifests::{self, ManifestPath};
use crate::cli::session::environment;
use crate::finding::Finding;

/// Which applications to work on.
#[derive(Debug, Default, Clone, clap::Args)]
pub(crate) struct SelectionArguments {
    /// Application manifests: files, folders (searched recursively), or `-` for standard input [default: `.`];
    /// a word that is neither a file nor a folder selects an application, like `--app`
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<ManifestPath>,
    /// Read Application manifests from this file or folder, or `-` for standard input, like PATH; repeatable
    #[arg(short = 'f', long, value_name = "FILE", help_heading = "Selection")]
    pub(crate) filename: Vec<ManifestPath>,
    /// Fetch Application manifests from a git repository: a file or folder in it, at a branch, tag or commit; repeatable
    #[arg(long, value_name = "URL[#PATH][@REVISION]", value_parser = parse_apps_from, help_heading = "Selection")]
    pub(crate) apps_from: Vec<AppsFrom>,
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// Select an application by `name`, `namespace/name` or a glob; repeatable
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    pub(crate) app: Vec<String>,
    /// Select applications whose manifests are in this namespace, as `kubectl get applications -n`
    #[arg(short = 'n', long, value_name = "NAMESPACE", help_heading = "Selection")]
    pub(crate) namespace: Option<String>,
    /// Select applications of all namespaces, which is the default but for `--from-cluster`
    #[arg(short = 'A', long, conflicts_with = "namespace", help_heading = "Selection")]
    pub(crate) all_namespaces: bool,
    /// Select applications by label: `team=shop,tier!=test`, `env in (prod, stage)`, `!legacy`
    #[arg(short = 'l', long, value_name = "SELECTOR", help_heading = "Selection")]
    pub(crate) selector: Option<String>,
    /// Select the applications of a project; repeatable
    #[arg(long, value_name = "PROJECT", help_heading = "Selection")]
    pub(crate) project: Vec<String>,
    /// Select one of COUNT equal parts of the applications, counted from 1, as in `2/3`; `auto/3` takes the part from
    /// `JOB_COMPLETION_INDEX`, which Kubernetes sets in the pods of an Indexed Job
    #[arg(long, value_name = "INDEX/COUNT", value_parser = parse_shard, help_heading = "Selection")]
    pub(crate) shard: Option<Shard>,
    #[command(flatten)]
    pub(crate) changed: ChangedArguments,
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
    /// Leave out the Applications that other Applications contain
    #[arg(long, help_heading = "Selection")]
    pub(crate) no_children: bool,
    #[command(flatten)]
    pub(crate) generators: GeneratorArguments,
    #[command(flatten)]
    pub(crate) policy: PolicyArguments,
    /// The files' contents: a file may be a pipe, which can be read only once.
    #[arg(skip)]
    pub(crate) read: OnceLock<Result<Read, Vec<Finding>>>,
}

/// The settings in the file of `--argocd-cm`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Read {
    /// `argocd-cm` itself.
    pub(crate) settings: Settings,
    /// The certificates and host keys of repositories' servers that stand beside it.
    pub(crate) servers: Repositories,
    /// Warnings about them.
    pub(crate) warnings: Vec<Finding>,
}

/// Where the manifests are, and which applications are meant.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// The paths; the current folder when none was given.
    pub(crate) paths: Vec<ManifestPath>,
    /// Whether no path was given.
    pub(crate) is_default: bool,
    /// The words among the paths that are names.
    pub(crate) names: Vec<String>,
}

impl SelectionArguments {
    /// Tells names from paths: what exists is a path.
    pub(crate) fn chosen(&self) -> Chosen {
        let mut chosen = Chosen::default();
        for path in &self.paths {
            match name_of(path) {
                Some(name) => chosen.names.push(name.to_owned()),
                None => chosen.paths.push(path.clone()),
            }
        }
        chosen.paths.extend(self.filename.iter().cloned());
        chosen.is_default = chosen.paths.is_empty() && self.apps_from.is_empty() && !self.input.is_given();
        if chosen.is_default {
            chosen.paths.push(ManifestPath::Path(PathBuf::from(".")));
        }
        chosen
    }

    /// Whether nothing says where manifests are.
    pub(crate) fn is_named_only(&self) -> bool {
        self.paths.is_empty() && self.apps_from.is_empty() && !self.input.is_given()
    }

    /// Argo CD's settings, from the file that was given; or what is wrong with it.
    pub(crate) fn argocd(&self) -> Result<&Read, Vec<Finding>> {
        let read_it = || self.argocd_cm.as_deref().map_or_else(|| Ok(Read::default()), read);
        self.read.get_or_init(read_it).as_ref().map_err(Clone::clone)
    }
}

/// A part of the applications.
fn parse_shard(text: &str) -> Result<Shard, String> {
    let index = environment("JOB_COMPLETION_INDEX").and_then(|index| index.into_string().ok());
    Shard::parse(text, index.as_deref())
}

/// The application that a word names: `name` or `namespace/name`, where no such file and no such folder exists.
pub(crate) fn name_of(path: &ManifestPath) -> Option<&str> {
    let ManifestPath::Path(path) = path else { return None };
    let text = path.to_str()?;
    let is_manifest = [".yaml", ".yml", ".json"].iter().any(|extension| text.ends_with(extension));
    if is_manifest || path.symlink_metadata().is_ok() {
        return None;
    }
    let is_named = match text.split_once('/') {
        None => is_dns_name(text),
        // In a folder that exists, it is a file whose name is wrong.
        Some((namespace, name)) => {
            is_dns_name(namespace) && is_dns_name(name) && Path::new(namespace).symlink_metadata().is_err()
        }
    };
    is_named.then_some(text)
}

/// A DNS subdomain (RFC 1123), as the API server has it for the names of objects.
fn is_dns_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(is_inside)
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

fn read(path: &Path) -> Result<Read, Vec<Finding>> {
    let text = manifests::read_one(path).map_err(|error| vec![Finding::of(&error)])?;
    let settings = Settings::read(&text.name, &text.bytes).map_err(|error| vec![Finding::of(&error)])?;
    let beside = Repositories::beside_settings(&text.name, &text.bytes);
    let (servers, warnings) =
        beside.map_err(|errors| errors.iter().map(|error| Finding::of(error)).collect::<Vec<_>>())?;
    Ok(Read { settings, servers, warnings })
}
