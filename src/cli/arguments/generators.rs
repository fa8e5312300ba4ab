//! The facts that generators of ApplicationSets need: clusters, Argo CD's own objects, what services answer.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::app::appset::{ArgoObjects, ClusterSecret, Facts, GeneratorFixture};
use crate::cli::manifests::{self, ManifestPath, StandardInput};
use crate::cli::session::{Session, environment};
use crate::cluster::{ClusterEnvironment, ClusterSettings, Clusters};
use crate::finding::{Code, Finding};
use crate::fleet::stages::expand as expansion;

/// The facts of generators.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Generators")]
pub(crate) struct GeneratorArguments {
    /// Read clusters, Secrets, ConfigMaps and decisions from manifests, a file or folder; or from Argo CD's namespace in a
    /// cluster with `argocd`; or take the contexts of the kubeconfig for clusters with `kubeconfig`; repeatable
    #[arg(long, value_name = "PATH|argocd|kubeconfig")]
    clusters: Vec<ClusterFacts>,
    /// Answer plugin, pullRequest and scmProvider generators from this file instead of the network
    #[arg(long, value_name = "FILE")]
    generator_fixture: Option<PathBuf>,
    /// Let `*` in git file generators stop at `/`, as Argo CD's `applicationsetcontroller.enable.new.git.file.globbing`
    #[arg(long)]
    new_git_file_globbing: bool,
    /// Set Argo CD's namespace [default: that of each ApplicationSet; `argocd` with `--clusters argocd`]
    #[arg(long, value_name = "NAMESPACE")]
    argocd_namespace: Option<String>,
    /// Use this kubeconfig with `--clusters argocd` or `--clusters kubeconfig`
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Use this kubeconfig context with `--clusters argocd`
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

/// Where the clusters are known from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ClusterFacts {
    /// Manifests.
    Path(PathBuf),
    /// Argo CD's namespace in a cluster.
    ArgoCd,
    /// The contexts of the kubeconfig.
    Kubeconfig,
}

impl From<OsString> for ClusterFacts {
    fn from(text: OsString) -> Self {
        match text.to_str() {
            Some("argocd") => Self::ArgoCd,
            Some("kubeconfig") => Self::Kubeconfig,
            _ => Self::Path(text.into()),
        }
    }
}

impl GeneratorArguments {
    /// Reads the files, and asks the cluster where that was asked for.
    pub(crate) async fn facts(self, session: &Session) -> Result<Facts, Vec<Finding>> {
        let fixture = self.generator_fixture.as_deref().map(fixture).transpose()?;
        let mut facts = Facts {
            fixture,
            new_git_file_globbing: self.new_git_file_globbing,
            argocd_namespace: self.argocd_namespace.clone().unwrap_or_default(),
            ..Facts::default()
        };
        let paths: Vec<ManifestPath> = self.clusters.iter().filter_map(ClusterFacts::path).collect();
        if !paths.is_empty() {
            let objects = objects(&paths)?;
            facts.clusters = Some(objects.clusters().to_vec());
            facts.objects = Some(objects);
        }
        let known = Clusters::new(self.cluster_settings(), session.progress.clone());
        if self.clusters.contains(&ClusterFacts::ArgoCd) {
            let namespace = self.argocd_namespace.as_deref().unwrap_or("argocd");
            let found = expansion::argocd_objects(&known, namespace).await;
            let found = found.map_err(|error| vec![Finding::of(&error)])?;
            facts.clusters.get_or_insert_default().extend(found.clusters().iter().cloned());
            facts.objects.get_or_insert_default().extend(found);
        }
        if self.clusters.contains(&ClusterFacts::Kubeconfig) {
            let contexts = known.context_servers().map_err(|error| vec![Finding::of(&error)])?;
            facts.clusters.get_or_insert_default().extend(contexts.into_iter().map(of_context));
        }
        Ok(facts)
    }

    fn cluster_settings(&self) -> ClusterSettings {
        ClusterSettings {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            environment: ClusterEnvironment::read(environment),
            ..ClusterSettings::default()
        }
    }
}

impl ClusterFacts {
    fn path(&self) -> Option<ManifestPath> {
        match self {
            Self::Path(path) => Some(ManifestPath::Path(path.clone())),
            Self::ArgoCd | Self::Kubeconfig => None,
        }
    }
}

/// A cluster as `argocd cluster add CONTEXT` would register it: by the context's name, without labels.
fn of_context((name, server): (String, String)) -> ClusterSecret {
    ClusterSecret { name, server: server.trim_end_matches('/').to_owned(), ..ClusterSecret::default() }
}

fn objects(paths: &[ManifestPath]) -> Result<ArgoObjects, Vec<Finding>> {
    let read = manifests::read(paths, StandardInput { reader: &mut std::io::empty(), is_terminal: false });
    if read.errors.is_empty() {
        Ok(ArgoObjects::read(&read.texts))
    } else {
        Err(read.errors.iter().map(|error| Finding::of(error)).collect())
    }
}

fn fixture(path: &Path) -> Result<GeneratorFixture, Vec<Finding>> {
    let text = manifests::read_one(path).map_err(|error| vec![Finding::of(&error)])?;
    GeneratorFixture::read(&text.bytes).map_err(|cause| {
        let message = format!("{}: the generator fixture is invalid", text.name);
        vec![Finding::error(Code::CliGeneratorFixture, message).with_cause(cause)]
    })
}
