//! Asks the cluster why what is not healthy is not: its pods and its events.
//!
//! In: the turns with their health. Out: the reasons of each resource that is not well. Nothing is asked where all is well.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use super::list::{ClusterId, identity};
use super::turn::Turn;
use crate::cluster::{Cluster, ClusterError, ListRequest};
use crate::status::health::reasons::{Evidence, kinds};
use crate::status::health::{HealthStatus, ResourceHealth};

/// One namespace of one cluster.
type Place = (ClusterId, String);

/// Adds the reasons.
pub(super) async fn find(turns: &mut [Turn], concurrency: usize) {
    let mut places: BTreeMap<Place, Arc<dyn Cluster>> = BTreeMap::new();
    for turn in turns.iter() {
        let (Some(cluster), Some(health)) = (&turn.cluster, &turn.health) else { continue };
        for resource in health.resources.iter().filter(|resource| has_reasons(resource)) {
            places.insert((identity(cluster), resource.namespace.clone()), Arc::clone(cluster));
        }
    }
    let evidence: BTreeMap<Place, Result<Evidence, ClusterError>> = stream::iter(places)
        .map(|(place, cluster)| async move {
            let evidence = evidence(&*cluster, &place.1).await;
            (place, evidence)
        })
        .buffer_unordered(concurrency.max(1))
        .collect()
        .await;
    for turn in turns {
        let (Some(cluster), Some(health)) = (&turn.cluster, &mut turn.health) else { continue };
        let mut untold = BTreeSet::new();
        for resource in health.resources.iter_mut().filter(|resource| has_reasons(resource)) {
            match evidence.get(&(identity(cluster), resource.namespace.clone())) {
                Some(Ok(evidence)) => resource.reasons = evidence.reasons(&resource.uid),
                // The verdict stands; that its reasons could not be read is told once for each namespace.
                Some(Err(error)) if untold.insert(resource.namespace.clone()) => {
                    resource.reasons = vec![format!("why could not be found out: {error}")];
                }
                Some(Err(_)) | None => {}
            }
        }
    }
}

/// What is in a namespace and not well may have pods and events that tell why.
fn has_reasons(resource: &ResourceHealth) -> bool {
    let status = resource.health.as_ref().map(|health| health.status);
    !resource.namespace.is_empty() && matches!(status, Some(HealthStatus::Progressing | HealthStatus::Degraded))
}

async fn evidence(cluster: &dyn Cluster, namespace: &str) -> Result<Evidence, ClusterError> {
    let mut objects = Vec::new();
    for gvk in kinds() {
        let request = ListRequest { gvk, namespace: Some(namespace.to_owned()), metadata_only: false };
        objects.extend(cluster.list(&request).await?);
    }
    Ok(Evidence::of(objects))
}
