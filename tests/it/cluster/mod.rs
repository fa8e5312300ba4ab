//! What a run reads from clusters and writes to them: contexts, discovery, LISTs, dry runs, writes, and everything that can
//! go wrong between.
//!
//! The API server is real. Where a fault is wanted that it does not have, a small server stands in front of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod access;
mod adopt;
mod faults;
mod folder;
mod folder_write;
mod list;
mod predict;
pub(crate) mod tls;
mod watch;
mod write;
mod write_faults;

use std::sync::Arc;

use trueup::app::Destination;
use trueup::cluster::{Cluster, ClusterError, ClusterSettings, Clusters, ListRequest, Predicted, Requests};
use trueup::object::{Gvk, Kinds, Object, Pointer};
use trueup::progress::Progress;

use crate::harness::TestCluster;

/// The cluster of the flags' context, and a runtime to ask it in.
struct Asked {
    runtime: tokio::runtime::Runtime,
    clusters: Clusters,
}

impl Asked {
    fn with(settings: ClusterSettings) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        Self { runtime, clusters: Clusters::new(settings, Progress::silent()) }
    }

    fn of(cluster: &TestCluster) -> Self {
        Self::with(settings_of(cluster))
    }

    fn cluster(&self) -> Arc<dyn Cluster> {
        self.clusters.find(&in_cluster()).unwrap()
    }

    fn kinds(&self) -> Result<Arc<Kinds>, ClusterError> {
        self.runtime.block_on(self.cluster().kinds())
    }

    fn list(&self, api_version: &str, kind: &str, namespace: Option<&str>) -> Result<Vec<Object>, ClusterError> {
        self.list_as(&ListRequest {
            gvk: Gvk::from_api_version(api_version, kind),
            namespace: namespace.map(str::to_owned),
            metadata_only: false,
        })
    }

    fn list_as(&self, request: &ListRequest) -> Result<Vec<Object>, ClusterError> {
        self.runtime.block_on(self.cluster().list(request))
    }

    fn predict(&self, object: serde_json::Value) -> Result<Predicted, ClusterError> {
        let object = Object::new(object).unwrap();
        self.runtime.block_on(self.cluster().predict(&object))
    }

    fn predict_without(&self, live: &Object, places: &[&str]) -> Result<Predicted, ClusterError> {
        let places: Vec<Pointer> = places.iter().map(|place| Pointer::parse(place).unwrap()).collect();
        self.runtime.block_on(self.cluster().predict_without(live, &places))
    }

    fn requests(&self) -> Requests {
        self.clusters.requests()
    }
}

fn settings_of(cluster: &TestCluster) -> ClusterSettings {
    ClusterSettings { kubeconfig: Some(cluster.kubeconfig().to_owned()), ..ClusterSettings::default() }
}

fn in_cluster() -> Destination {
    Destination { name: "in-cluster".to_owned(), ..Destination::default() }
}

fn server(server: &str) -> Destination {
    Destination { server: server.to_owned(), ..Destination::default() }
}

fn named(name: &str) -> Destination {
    Destination { name: name.to_owned(), ..Destination::default() }
}

fn names(objects: &[Object]) -> Vec<&str> {
    objects.iter().map(Object::name).collect()
}

/// Everything that an error says, as a user sees it: message, causes, help.
fn told(error: &ClusterError) -> String {
    let finding = trueup::finding::Finding::of(error);
    let mut lines = vec![finding.message];
    lines.extend(finding.causes);
    lines.extend(finding.help.map(|help| format!("help: {help}")));
    lines.join("\n")
}
