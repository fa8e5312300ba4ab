//! Asks every cluster that is known for its version, side by side.
//!
//! In: the clusters, and applications to be counted. Out: a [`ClusterList`]; one that does not answer says why. Nothing is written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;

use crate::app::{Application, Applications};
use crate::cluster::{Cluster, ClusterError, Clusters, KnownCluster, KnownFrom};
use crate::finding::Finding;
use crate::fleet::live::identity;

/// The answer of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterAnswer {
    /// The Kubernetes version.
    pub version: String,
    /// The time until it came, the connection and credentials included.
    pub latency: Duration,
}

/// One cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCluster {
    /// The context, or the name in the Secret.
    pub name: String,
    /// The server's address.
    pub server: String,
    /// Where it is known from.
    pub from: KnownFrom,
    /// Its answer, or why there is none.
    pub answer: Result<ClusterAnswer, Finding>,
    /// The applications that are deployed to it; nothing where none were given.
    pub applications: Option<Vec<String>>,
}

/// Every cluster that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterList {
    /// In the order of the kubeconfig, then of the Secrets.
    pub clusters: Vec<ListedCluster>,
    /// Applications whose cluster is not known, and what is wrong with manifests.
    pub findings: Vec<Finding>,
}

impl ClusterList {
    /// Every error and warning.
    pub fn all_findings(&self) -> Vec<Finding> {
        let of_clusters = self.clusters.iter().filter_map(|cluster| cluster.answer.as_ref().err());
        self.findings.iter().chain(of_clusters).cloned().collect()
    }
}

/// Lists the clusters, each with how many of the applications are deployed to it.
pub async fn list(applications: Option<&Applications>, clusters: &Clusters) -> Result<ClusterList, ClusterError> {
    let known = clusters.known()?;
    let answers = join_all(known.iter().map(ask)).await;
    let mut list = ClusterList::default();
    let mut deployed: Vec<(usize, String)> = Vec::new();
    for application in applications.into_iter().flatten() {
        match application {
            Ok(application) => match clusters.find(&application.destination) {
                Ok(cluster) => deployed.push((identity(&cluster), name_of(application))),
                Err(error) => list.findings.push(Finding::of(&error).about(&application.name)),
            },
            Err(invalid) => list.findings.extend(invalid.findings.iter().cloned()),
        }
    }
    for (known, answer) in known.into_iter().zip(answers) {
        let KnownCluster { name, server, from, cluster } = known;
        let id = cluster.as_ref().ok().map(identity);
        let of_this = || deployed.iter().filter(|(of, _)| Some(*of) == id).map(|(_, name)| name.clone()).collect();
        let applications = applications.is_some().then(of_this);
        let answer = answer.map_err(|error| Finding::of(&error));
        list.clusters.push(ListedCluster { name, server, from, answer, applications });
    }
    Ok(list)
}

async fn ask(known: &KnownCluster) -> Result<ClusterAnswer, ClusterError> {
    let cluster: &Arc<dyn Cluster> = known.cluster.as_ref().map_err(Clone::clone)?;
    let began = Instant::now();
    let version = cluster.version().await?;
    Ok(ClusterAnswer { version, latency: began.elapsed() })
}

/// `namespace/name`, or the name alone.
fn name_of(application: &Application) -> String {
    match application.namespace.as_str() {
        "" => application.name.clone(),
        namespace => format!("{namespace}/{}", application.name),
    }
}
