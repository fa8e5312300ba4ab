//! The facts that generators need, and the answers.

use crate::app::manifest_folder::ManifestFolder;
use std::collections::BTreeMap;

use super::cluster_secret::ClusterSecret;
use super::generator_fixture::GeneratorFixture;
use super::objects::ArgoObjects;
use super::question::{Question, ServiceAnswer, ServiceFault};

/// One repository at one revision, for one project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitRevision {
    /// The repository, as the generator writes it.
    pub url: String,
    /// The folder that a relative `url` starts from; empty for others.
    pub folder: ManifestFolder,
    /// Branch, tag or hash; empty means `HEAD`.
    pub revision: String,
    /// The project whose credentials count; empty when the template's project is a template itself.
    pub project: String,
}

/// The facts that generators need from outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The paths of all files of a revision.
    Tree(GitRevision),
    /// The content of one file of a revision.
    File(GitRevision, String),
    /// The answer of a service.
    Answer(Question),
}

/// The answers to [`Need`]s, and what a run knows from the start.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The files of a revision, by path, in git's order; or why they could not be listed.
    pub trees: BTreeMap<GitRevision, Result<Vec<String>, String>>,
    /// The content of files.
    pub files: BTreeMap<(GitRevision, String), Result<Vec<u8>, String>>,
    /// The answers of services.
    pub answers: BTreeMap<Question, Result<ServiceAnswer, ServiceFault>>,
    /// The recorded answers of services: none is asked.
    pub fixture: Option<GeneratorFixture>,
    /// The Secrets, ConfigMaps and decisions of the cluster that Argo CD runs in; nothing when it is not known where they are.
    pub objects: Option<ArgoObjects>,
    /// Argo CD's namespace; that of each ApplicationSet when empty.
    pub argocd_namespace: String,
    /// The clusters; nothing when it is not known where they are.
    pub clusters: Option<Vec<ClusterSecret>>,
    /// Whether `*` in a git file generator stops at `/`, as with Argo CD's
    /// `applicationsetcontroller.enable.new.git.file.globbing`.
    pub new_git_file_globbing: bool,
    /// Whether Applications are to be explained.
    pub is_explained: bool,
}
