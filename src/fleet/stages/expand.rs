//! Expands the ApplicationSets of manifest files: answers what their generators need to know.
//!
//! In: the texts of files and the facts that are known from the start. Out: the Applications and what went wrong. The files of
//! git generators come by the same fetch as sources: one a repository and run. Forges and plugins are asked once a question.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::appset::{
    self, ApplicationSet, ArgoObjects, ExpandedSet, Facts, FoundApplication, GitRevision, ManifestExpansion, Need,
    SetExpansion,
};
use crate::app::{self, Application, Destination, InvalidApplication, Lineage, ManifestText, QualifiedName};
use crate::cluster::{Cluster, ClusterError, Clusters, ListRequest};
use crate::finding::{Code, Finding};
use crate::object::Gvk;
use crate::process::Cancel;
use crate::source::{Checkout, Sources, Wanted, locate};

/// The cluster that Argo CD runs in, by the name that it gives it.
const IN_CLUSTER: &str = "in-cluster";

/// How often an expansion may ask: for a tree and then its files, in each of two nested generators.
const ROUNDS: usize = 8;

/// How many files of one revision are listed.
const MAX_FILES: usize = 1_000_000;

/// Reads the objects that generators may ask for from the cluster that Argo CD runs in: the Secrets and ConfigMaps of its
/// namespace, and the resources that a ConfigMap of a `clusterDecisionResource` generator names.
pub async fn argocd_objects(clusters: &Clusters, namespace: &str) -> Result<ArgoObjects, ClusterError> {
    let destination = Destination { name: IN_CLUSTER.to_owned(), ..Destination::default() };
    let cluster = clusters.find(&destination)?;
    let mut objects = ArgoObjects::default();
    for kind in ["Secret", "ConfigMap"] {
        list(&*cluster, Gvk::from_api_version("v1", kind), namespace, &mut objects).await?;
    }
    let kinds = cluster.kinds().await?;
    let named = objects.decision_kinds();
    for facts in kinds.iter_all() {
        let is_named = |(api_version, plural): &(String, String)| {
            *plural == facts.plural && *api_version == facts.gvk.api_version()
        };
        if named.iter().any(is_named) {
            list(&*cluster, facts.gvk.clone(), namespace, &mut objects).await?;
        }
    }
    Ok(objects)
}

async fn list(cluster: &dyn Cluster, gvk: Gvk, namespace: &str, objects: &mut ArgoObjects) -> Result<(), ClusterError> {
    let request = ListRequest { gvk, namespace: Some(namespace.to_owned()), metadata_only: false };
    for object in cluster.list(&request).await? {
        objects.add(&object.to_value());
    }
    Ok(())
}

/// Applications and ApplicationSets, expanded.
#[derive(Debug, Default)]
pub struct Expanded {
    /// The Applications.
    pub applications: Vec<FoundApplication>,
    /// What became of each ApplicationSet.
    pub sets: Vec<ExpandedSet>,
    /// What went wrong.
    pub findings: Vec<Finding>,
}

/// Expands all ApplicationSets of manifest files; those that are written out are passed on.
pub async fn expand(inputs: &[ManifestText], facts: &mut Facts, sources: &Sources, cancel: &Cancel) -> Expanded {
    for _ in 0..ROUNDS {
        match appset::expand_manifests(inputs, facts) {
            ManifestExpansion::Done(applications, sets, findings) => return Expanded { applications, sets, findings },
            ManifestExpansion::Needs(needs) => answer(&needs, facts, sources, cancel).await,
        }
    }
    Expanded { findings: vec![endless()], ..Expanded::default() }
}

/// Expands ApplicationSets beside Applications that are written out, of these names.
pub(crate) async fn expand_sets(
    sets: &[ApplicationSet],
    written: &[QualifiedName],
    facts: &mut Facts,
    sources: &Sources,
    cancel: &Cancel,
) -> Expanded {
    for _ in 0..ROUNDS {
        match appset::expand_sets(sets, written, facts) {
            SetExpansion::Done(applications, sets, findings) => return Expanded { applications, sets, findings },
            SetExpansion::Needs(needs) => answer(&needs, facts, sources, cancel).await,
        }
    }
    Expanded { findings: vec![endless()], ..Expanded::default() }
}

fn endless() -> Finding {
    let message = "the generators still need facts after all that they asked for was read";
    Finding::error(Code::FleetExpansion, message)
}

/// Reads an Application that was found, as one that is written out; nothing where it cannot be one, which is a finding.
pub(crate) fn read(
    found: &FoundApplication,
    lineage: &Lineage,
    findings: &mut Vec<Finding>,
) -> Option<Result<Application, Box<InvalidApplication>>> {
    let manifests = app::read(std::slice::from_ref(&found.text()));
    findings.extend(manifests.findings);
    let application = manifests.applications.into_iter().next()?;
    Some(match application {
        Ok(application) => Ok(Application { lineage: lineage.clone(), ..application }),
        Err(invalid) => Err(Box::new(InvalidApplication { lineage: lineage.clone(), ..*invalid })),
    })
}

async fn answer(needs: &[Need], facts: &mut Facts, sources: &Sources, cancel: &Cancel) {
    for need in needs {
        match need {
            Need::Tree(revision) => {
                let checkout = checkout(revision, sources, cancel).await;
                let tree = checkout.and_then(|checkout| tree(&checkout.root));
                facts.trees.insert(revision.clone(), tree);
            }
            Need::File(revision, path) => {
                let checkout = checkout(revision, sources, cancel).await;
                let content = checkout.and_then(|checkout| {
                    let file = checkout.file(path).map_err(|error| error.to_string())?;
                    std::fs::read(file).map_err(|error| error.to_string())
                });
                facts.files.insert((revision.clone(), path.clone()), content);
            }
            Need::Answer(question) => {
                let nothing = appset::ArgoObjects::default();
                let credential = facts.objects.as_ref().unwrap_or(&nothing).credential(&question.login());
                let answer = sources.ask(question, credential, cancel).await;
                facts.answers.insert(question.clone(), answer);
            }
        }
    }
}

async fn checkout(revision: &GitRevision, sources: &Sources, cancel: &Cancel) -> Result<Arc<Checkout>, String> {
    let url = locate(&revision.url, &revision.folder);
    let wanted = Wanted { revision: revision.revision.clone(), project: revision.project.clone(), ..Wanted::default() };
    match sources.fetch(&url, &[wanted], cancel).await.pop() {
        Some(Ok(checkout)) => Ok(checkout),
        Some(Err(error)) => {
            let finding = Finding::of(&*error);
            Err([vec![finding.message], finding.causes].concat().join(": "))
        }
        None => Err("the repository was not fetched".to_owned()),
    }
}

/// The paths of all files, without git's own.
fn tree(root: &Path) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder)).map_err(|error| error.to_string())? {
            let entry = entry.map_err(|error| error.to_string())?;
            let path = folder.join(entry.file_name());
            if entry.file_name() == ".git" {
                continue;
            }
            if entry.file_type().map_err(|error| error.to_string())?.is_dir() {
                folders.push(path);
            } else if let Some(path) = path.to_str() {
                files.push(path.to_owned());
            }
        }
        if files.len() > MAX_FILES {
            return Err(format!("the revision has more than {MAX_FILES} files"));
        }
    }
    files.sort();
    Ok(files)
}
