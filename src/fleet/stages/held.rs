//! Reads the Applications, ApplicationSets and `AppProjects` that the cluster holds in which Argo CD runs (`--from-cluster`).
//!
//! In: the clusters of the run, and which namespaces count. Out: their manifests, as texts; and a finding for everything that
//! could not be read. Nothing is written, and neither `status` nor `operation` is read.

use crate::app::{Destination, Given, ManifestFolder, ManifestText, held};
use crate::cluster::{Cluster, ClusterError, Clusters, ListRequest};
use crate::finding::{Code, Finding, Severity};
use crate::object::{Gvk, yaml};

/// The cluster that Argo CD runs in, by the name that it gives it.
const IN_CLUSTER: &str = "in-cluster";

/// The version of Argo CD's kinds.
const API_VERSION: &str = "argoproj.io/v1alpha1";

/// What the account needs.
const RIGHTS: &str = "`--from-cluster` needs `get` and `list` on `applications`, `applicationsets` and `appprojects` of \
                      `argoproj.io`; `-n NAMESPACE` reads a single namespace";

/// Where Applications are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldScope {
    /// The namespace of Argo CD's controller, which has the `AppProjects`.
    pub argocd_namespace: String,
    /// The namespace of the Applications and ApplicationSets; nothing for all namespaces.
    pub namespace: Option<String>,
}

/// The manifests that a cluster holds.
#[derive(Debug, Default)]
pub struct HeldManifests {
    /// Applications that no ApplicationSet of [`Self::sets`] generates.
    pub applications: Vec<ManifestText>,
    /// Applications that one of them generates.
    pub generated: Vec<ManifestText>,
    /// ApplicationSets, each with the number of its Applications in the cluster.
    pub sets: Vec<(ManifestText, usize)>,
    /// `AppProjects`.
    pub projects: Vec<ManifestText>,
    /// What could not be read.
    pub findings: Vec<Finding>,
}

/// Reads them.
pub async fn held_manifests(clusters: &Clusters, scope: &HeldScope) -> HeldManifests {
    let mut manifests = HeldManifests::default();
    let destination = Destination { name: IN_CLUSTER.to_owned(), ..Destination::default() };
    let cluster = match clusters.find(&destination) {
        Ok(cluster) => cluster,
        Err(error) => {
            manifests.findings.push(Finding::of(&error));
            return manifests;
        }
    };
    match applications(&*cluster, scope).await {
        Ok(found) => manifests.take(&*cluster, found, scope).await,
        Err(finding) => manifests.findings.push(finding),
    }
    manifests
}

/// The Applications; an error where there are none, as nothing would be compared and nothing would be said.
async fn applications(cluster: &dyn Cluster, scope: &HeldScope) -> Result<Vec<HeldObject>, Finding> {
    let found = list(cluster, "Application", scope.namespace.as_deref()).await;
    let found = found.map_err(|error| explained(&error))?;
    if !found.is_empty() {
        return Ok(found);
    }
    let kinds = cluster.kinds().await.map_err(|error| Finding::of(&error))?;
    let name = cluster.name();
    if kinds.preferred(&Gvk::from_api_version(API_VERSION, "Application").group_kind()).is_none() {
        let message = format!("cluster {name}: has no `applications.argoproj.io`");
        let help =
            "Argo CD's CRDs are not installed there; --context chooses another cluster, and PATH names manifests";
        return Err(Finding::error(Code::FleetNothingHeld, message).with_help(help));
    }
    let (place, help) = match &scope.namespace {
        Some(namespace) => {
            (format!("namespace `{namespace}`"), "`-n NAMESPACE` reads another namespace, `-A` all namespaces")
        }
        None => ("any namespace".to_owned(), "--context chooses another cluster, and PATH names manifests"),
    };
    let message = format!("cluster {name}: no Application found in {place}");
    Err(Finding::error(Code::FleetNothingHeld, message).with_help(help))
}

fn explained(error: &ClusterError) -> Finding {
    let finding = Finding::of(error);
    if matches!(error, ClusterError::Forbidden { .. }) { finding.with_help(RIGHTS) } else { finding }
}

/// One object of a cluster.
struct HeldObject {
    namespace: String,
    name: String,
    /// The ApplicationSet that generates it.
    set: Option<String>,
    is_being_deleted: bool,
    text: ManifestText,
}

async fn list(cluster: &dyn Cluster, kind: &str, namespace: Option<&str>) -> Result<Vec<HeldObject>, ClusterError> {
    let gvk = Gvk::from_api_version(API_VERSION, kind);
    let request = ListRequest { gvk, namespace: namespace.map(str::to_owned), metadata_only: false };
    let plural = format!("{}s", kind.to_lowercase());
    // What an Application lacks is an error; other kinds count only beside one.
    let given = if kind == "Application" { Given::ByName } else { Given::InFolder };
    let objects = cluster.list(&request).await?;
    let held = |object: crate::object::Object| {
        let value = object.to_value();
        let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
        let text = ManifestText {
            name: format!("{}#{namespace}/{plural}/{name}", cluster.name()),
            bytes: yaml::write(&held::written_manifest(&value)).into_bytes(),
            // A relative repoURL has no folder to start from, and is refused.
            folder: ManifestFolder::default(),
            given,
        };
        let set = held::generating_set(&value).map(str::to_owned);
        HeldObject { namespace, name, set, is_being_deleted: held::is_being_deleted(&value), text }
    };
    let mut held: Vec<HeldObject> = objects.into_iter().map(held).collect();
    held.sort_by(|one, other| (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name)));
    Ok(held)
}

impl HeldManifests {
    async fn take(&mut self, cluster: &dyn Cluster, applications: Vec<HeldObject>, scope: &HeldScope) {
        let sets = self.others(cluster, "ApplicationSet", scope.namespace.as_deref()).await;
        let projects = self.others(cluster, "AppProject", Some(&scope.argocd_namespace)).await;
        let is_of = |set: &HeldObject, application: &HeldObject| {
            application.namespace == set.namespace && application.set.as_ref() == Some(&set.name)
        };
        for application in &applications {
            if application.is_being_deleted {
                self.findings.push(being_deleted(cluster, application));
            } else if sets.iter().any(|set| is_of(set, application)) {
                self.generated.push(application.text.clone());
            } else {
                self.applications.push(application.text.clone());
            }
        }
        for set in sets {
            let count = applications.iter().filter(|application| is_of(&set, application)).count();
            self.sets.push((set.text, count));
        }
        self.projects = projects.into_iter().map(|project| project.text).collect();
    }

    /// The objects of a kind without which the Applications can still be compared.
    async fn others(&mut self, cluster: &dyn Cluster, kind: &str, namespace: Option<&str>) -> Vec<HeldObject> {
        match list(cluster, kind, namespace).await {
            Ok(found) => found.into_iter().filter(|held| !held.is_being_deleted).collect(),
            Err(error) => {
                self.findings.push(Finding { severity: Severity::Warning, ..explained(&error) });
                Vec::new()
            }
        }
    }
}

fn being_deleted(cluster: &dyn Cluster, application: &HeldObject) -> Finding {
    let HeldObject { namespace, name, .. } = application;
    let message =
        format!("cluster {}: Application `{namespace}/{name}` is being deleted, and is left out", cluster.name());
    let help = format!("`kubectl get applications.argoproj.io {name} -n {namespace} -o yaml` shows its finalizers");
    Finding::warning(Code::FleetBeingDeleted, message).with_help(help)
}
