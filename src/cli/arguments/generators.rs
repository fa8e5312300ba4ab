//! The facts that generators of ApplicationSets need: clusters, Argo CD's own objects, what services answer.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::app::ManifestText;
use crate::app::appset::{ArgoObjects, ClusterSecret, Facts, GeneratorFixture};
use crate::app::settings::RegisteredClusters;
use crate::cli::manifests::{self, ManifestPath, StandardInput};
use crate::cluster::Clusters;
use crate::finding::{Code, Finding};
use crate::fleet::stages::expand as expansion;

/// The facts of generators.
#[derive(Debug, Default, Clone, clap::Args)]
#[command(next_help_heading = "Generators")]
pub(crate) struct GeneratorArguments {
    /// Read clusters, Secrets, ConfigMaps and decisions from manifests, a file or folder; or from Argo CD's namespace in a
    /// cluster with `argocd`; or take the contexts of the kubeconfig for clusters with `kubeconfig`; repeatable. Cluster
    /// Secrets are destinations, too
    #[arg(long, value_name = "PATH|argocd|kubeconfig")]
    clusters: Vec<ClusterFacts>,
    /// Answer plugin, pullRequest and scmProvider generators from this file instead of the network
    #[arg(long, value_name = "FILE")]
    generator_fixture: Option<PathBuf>,
    /// Let `*` in git file generators stop at `/`, as Argo CD's `applicationsetcontroller.enable.new.git.file.globbing`
    #[arg(long)]
    new_git_file_globbing: bool,
    /// The files' contents: a file may be a pipe, which can be read only once.
    #[arg(skip)]
    read: OnceLock<Result<Vec<ManifestText>, Vec<Finding>>>,
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
    /// Reads the files, and asks the cluster where that was asked for. Where no namespace is named, it is that of each
    /// ApplicationSet.
    pub(crate) async fn facts(
        &self,
        argocd_namespace: Option<&str>,
        clusters: &Clusters,
    ) -> Result<Facts, Vec<Finding>> {
        let fixture = self.generator_fixture.as_deref().map(fixture).transpose()?;
        let mut facts = Facts {
            fixture,
            new_git_file_globbing: self.new_git_file_globbing,
            argocd_namespace: argocd_namespace.unwrap_or_default().to_owned(),
            ..Facts::default()
        };
        let texts = self.texts()?;
        if !texts.is_empty() {
            let objects = ArgoObjects::read(texts);
            facts.clusters = Some(objects.clusters().to_vec());
            facts.objects = Some(objects);
        }
        if self.clusters.contains(&ClusterFacts::ArgoCd) {
            let found = expansion::argocd_objects(clusters, argocd_namespace.unwrap_or("argocd")).await;
            let found = found.map_err(|error| vec![Finding::of(&error)])?;
            facts.clusters.get_or_insert_default().extend(found.clusters().iter().cloned());
            facts.objects.get_or_insert_default().extend(found);
        }
        if self.clusters.contains(&ClusterFacts::Kubeconfig) {
            let contexts = clusters.context_servers().map_err(|error| vec![Finding::of(&error)])?;
            facts.clusters.get_or_insert_default().extend(contexts.into_iter().map(of_context));
        }
        Ok(facts)
    }

    /// The clusters that the Secrets in the files describe.
    pub(crate) fn registered(&self) -> Result<RegisteredClusters, Vec<Finding>> {
        let (mut clusters, mut errors) = (RegisteredClusters::default(), Vec::new());
        for text in self.texts()? {
            match RegisteredClusters::read(&text.name, &text.bytes) {
                Ok(found) => clusters.join(found),
                Err(fault) => errors.push(Finding::of(&fault)),
            }
        }
        if errors.is_empty() { Ok(clusters) } else { Err(errors) }
    }

    /// Whether Argo CD's namespace is read, too.
    pub(crate) fn asks_argocd(&self) -> bool {
        self.clusters.contains(&ClusterFacts::ArgoCd)
    }

    /// The files of `--clusters`.
    fn texts(&self) -> Result<&[ManifestText], Vec<Finding>> {
        let read_them = || {
            let paths: Vec<ManifestPath> = self.clusters.iter().filter_map(ClusterFacts::path).collect();
            if paths.is_empty() { Ok(Vec::new()) } else { read(&paths) }
        };
        self.read.get_or_init(read_them).as_deref().map_err(Clone::clone)
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

fn read(paths: &[ManifestPath]) -> Result<Vec<ManifestText>, Vec<Finding>> {
    let read = manifests::read(paths, StandardInput { reader: &mut std::io::empty(), is_terminal: false });
    if read.errors.is_empty() {
        Ok(read.texts)
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
