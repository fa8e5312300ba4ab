//! Reads the clusters that Argo CD knows from the cluster that it runs in, and leaves out those that are not to be touched.

use crate::app::settings::RegisteredClusters;
use crate::app::{Application, Destination};
use crate::cluster::{ClusterError, Clusters, ListRequest};
use crate::finding::{Code, Finding};
use crate::fleet::Request;
use crate::fleet::batch::Batch;
use crate::object::Gvk;
use crate::object::annotations::SKIP_RECONCILE;

/// The cluster that Argo CD runs in, by the name that it gives it.
const IN_CLUSTER: &str = "in-cluster";

/// Leaves out the applications of clusters that Argo CD is not to touch: that is one of the request's findings.
pub(crate) fn without_skipped(
    mut applications: Batch<Application>,
    request: &mut Request,
    clusters: &Clusters,
) -> Batch<Application> {
    applications.retain(|application| {
        let skipped = clusters.skipped(&application.destination);
        if let Some(place) = &skipped {
            let message =
                format!("{}: not compared: its cluster has the annotation `{SKIP_RECONCILE}`", application.name);
            let help = format!("remove the annotation of {place} to compare it");
            request.findings.push(Finding::warning(Code::FleetSkipped, message).with_help(help));
        }
        skipped.is_none()
    });
    applications
}

/// Reads the cluster Secrets in Argo CD's namespace.
pub async fn read(clusters: &Clusters, namespace: &str) -> Result<RegisteredClusters, ClusterError> {
    let destination = Destination { name: IN_CLUSTER.to_owned(), ..Destination::default() };
    let cluster = clusters.find(&destination)?;
    let gvk = Gvk::from_api_version("v1", "Secret");
    let request = ListRequest { gvk, namespace: Some(namespace.to_owned()), metadata_only: false };
    let objects = cluster.list(&request).await?;
    Ok(RegisteredClusters::of_objects(&format!("namespace {namespace} of {}", cluster.name()), &objects))
}
