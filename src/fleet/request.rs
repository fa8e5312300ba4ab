//! What a run is asked for, and what it may read.

use std::sync::Arc;

use super::permissions::Permissions;
use crate::app::appset::{ApplicationSet, Facts};
use crate::app::project::{ProjectLookup, ProjectScoped, Projects, ScopedCluster};
use crate::app::settings::ComparisonSettings;
use crate::app::{Application, Applications, Selection};
use crate::cluster::Clusters;
use crate::finding::Finding;
use crate::fleet::census::Census;
use crate::fleet::stages::affected::Changes;
use crate::object::annotations::INSTANCE_LABEL;
use crate::process::Cancel;
use crate::progress::Progress;
use crate::render::RenderSettings;
use crate::source::Sources;
use crate::status::compare::{Effects, Terms};
use crate::status::health::Judge;

/// The request.
#[expect(clippy::struct_excessive_bools, reason = "they are what flags of the command line say")]
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Every Application of the manifests, in the order of the input; those whose manifests are wrong are reported as such.
    pub applications: Applications,
    /// Every ApplicationSet of the manifests.
    pub sets: Vec<ApplicationSet>,
    /// What is known of repositories, clusters and services to their generators.
    pub facts: Facts,
    /// Whether the Applications that other Applications contain belong to the run.
    pub with_children: bool,
    /// What is known about the applications that there are.
    pub(crate) census: Census,
    /// The applications of the other parts of `--shard`: none of them is taken for a child of one of this part.
    pub elsewhere: Applications,
    /// What changed, where only what it can affect is wanted (`--changed-since`, `--event`).
    pub changes: Option<Arc<Changes>>,
    /// Which of them the run is about; those that are generated count, too.
    pub selection: Selection,
    /// The AppProjects of the manifests.
    pub projects: Projects,
    /// The warnings from reading them.
    pub findings: Vec<Finding>,
    /// The limits of rendering.
    pub render: RenderSettings,
    /// How many things are done side by side.
    pub concurrency: usize,
    /// The instance label that Argo CD tracks by, over that of its settings; empty is none at all.
    pub instance_label: Option<String>,
    /// The settings of `argocd-cm` about comparing.
    pub settings: ComparisonSettings,
    /// Whether what people's tools added where git is silent is drift (`--strict`).
    pub strict: bool,
    /// Whether what belongs to no application is looked for (`--orphans`).
    pub orphans: bool,
    /// Whether `argocd-cm` is read from the cluster that Argo CD runs in.
    pub settings_from_cluster: bool,
    /// Whether the Secrets of repositories are, too.
    pub repositories_from_cluster: bool,
    /// The namespace of Argo CD's controller: applications elsewhere have their namespace in their instance name.
    pub argocd_namespace: String,
    /// The namespace that states are kept in, where it is not that of the destination.
    pub state_namespace: Option<String>,
    /// Whether the record of an application that moved is taken over (`--accept-move`).
    pub accept_move: bool,
    /// Judges the health of what is live, where that is asked for.
    pub health: Option<Arc<Judge>>,
    /// What the person behind the run may do; nothing where only Kubernetes decides.
    pub permissions: Option<Permissions>,
    /// How many lines are reported of the logs of what failed; nothing where they are not wanted.
    pub log_lines: Option<u16>,
}

impl Request {
    /// The label that is evidence of whose an object is.
    pub(crate) fn label_key(&self) -> Option<String> {
        let tracking = &self.settings.tracking;
        let by_settings = || {
            let label = tracking.instance_label.clone().unwrap_or_else(|| INSTANCE_LABEL.to_owned());
            Some(label).filter(|_| tracking.label_is_evidence())
        };
        self.instance_label.clone().map_or_else(by_settings, Some).filter(|label| !label.is_empty())
    }

    /// The rules of a project, with what belongs to it alone.
    pub(crate) fn project(&self, name: &str) -> ProjectLookup {
        let mut scoped = ProjectScoped::default();
        let of_projects = self.render.keyring.repositories().of_projects();
        let own = of_projects.filter(|(project, _)| *project == name);
        let clusters = self.facts.clusters.iter().flatten().filter(|cluster| cluster.project == name);
        scoped.clusters.extend(clusters.map(|cluster| ScopedCluster {
            project: name.to_owned(),
            server: cluster.server.clone(),
            name: cluster.name.clone(),
            namespaces: Vec::new(),
        }));
        scoped.repositories.extend(own.map(|(project, url)| (project.to_owned(), url.with_credentials().to_owned())));
        self.projects.rules(name, &self.settings.global_projects, &scoped)
    }

    /// The settings of Argo CD, and the application's own, about comparing.
    pub(crate) fn terms(&self, application: &Application) -> Terms {
        let mut tracking = self.settings.tracking.clone();
        let label = self.instance_label.clone().filter(|label| !label.is_empty());
        tracking.instance_label = label.or(tracking.instance_label);
        let effects = if application.includes_mutation_webhooks() { Effects::All } else { Effects::OfGit };
        Terms { tracking, status_field: self.settings.status_field, effects }
    }
}

/// The files that a run is allowed to read.
#[derive(Clone)]
pub struct World {
    /// Repositories.
    pub sources: Arc<Sources>,
    /// Clusters.
    pub clusters: Arc<Clusters>,
    /// Where events go.
    pub progress: Progress,
    /// Ends the run early.
    pub cancel: Cancel,
}
