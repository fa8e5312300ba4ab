//! Asks the cluster why what is not healthy is not: its pods and its events, and the logs of what failed where that is
//! wanted.
//!
//! In: the turns with their health. Out: the reasons of each resource that is not well. Nothing is asked where all is well.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use crate::cluster::{Cluster, ClusterError, LogRequest, list_kinds};
use crate::fleet::stages::list::{ClusterId, identity};
use crate::fleet::turn::Turn;
use crate::status::health::logs::{ContainerLog, LogQuestion, questions};
use crate::status::health::reasons::{Evidence, kinds};
use crate::status::health::{HealthStatus, ResourceHealth};

/// One namespace of one cluster.
type Place = (ClusterId, String);

/// So many logs are read in one run: a person reads no more.
const LOGS: usize = 50;

/// Adds the reasons, and so many lines of logs.
pub(crate) async fn find(turns: &mut [Turn], log_lines: Option<u16>, concurrency: usize) {
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
    if let Some(lines) = log_lines {
        logs(turns, &evidence, lines, concurrency).await;
    }
    for turn in turns {
        let (Some(cluster), Some(health)) = (&turn.cluster, &mut turn.health) else { continue };
        let mut untold = BTreeSet::new();
        for resource in health.resources.iter_mut().filter(|resource| has_reasons(resource)) {
            match evidence.get(&(identity(cluster), resource.namespace.clone())) {
                Some(Ok(evidence)) => resource.reasons = evidence.reasons(&resource.uid),
                // The verdict stands; that its reasons could not be read is reported once for each namespace.
                Some(Err(error)) if untold.insert(resource.namespace.clone()) => {
                    resource.reasons = vec![format!("the reason is unknown: {error}")];
                }
                Some(Err(_)) | None => {}
            }
        }
    }
}

/// Adds the logs of what failed.
async fn logs(
    turns: &mut [Turn],
    evidence: &BTreeMap<Place, Result<Evidence, ClusterError>>,
    lines: u16,
    concurrency: usize,
) {
    let mut wanted: Vec<(usize, usize, Arc<dyn Cluster>, LogQuestion)> = Vec::new();
    for (turn_index, turn) in turns.iter().enumerate() {
        let (Some(cluster), Some(health)) = (&turn.cluster, &turn.health) else { continue };
        for (index, resource) in health.resources.iter().enumerate().filter(|(_, resource)| has_reasons(resource)) {
            let place = (identity(cluster), resource.namespace.clone());
            let Some(Ok(evidence)) = evidence.get(&place) else { continue };
            let questions = questions(evidence, &resource.uid).into_iter();
            wanted.extend(questions.map(|question| (turn_index, index, Arc::clone(cluster), question)));
        }
    }
    wanted.truncate(LOGS);
    let answered: Vec<_> = stream::iter(wanted)
        .map(|(turn, index, cluster, question)| async move {
            let LogQuestion { namespace, pod, container, previous } = question.clone();
            let text = cluster.logs(&LogRequest { namespace, pod, container, previous, lines }).await;
            let text = text.map_err(|error| in_one_line(&error));
            (turn, index, ContainerLog::of(question, text, usize::from(lines)))
        })
        .buffered(concurrency.max(1))
        .collect()
        .await;
    for (turn, index, log) in answered {
        if let Some(health) = &mut turns[turn].health {
            health.resources[index].logs.push(log);
        }
    }
}

/// An error, and the server's words behind it.
fn in_one_line(error: &ClusterError) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// Unhealthy namespaced objects may have pods and events that explain why.
fn has_reasons(resource: &ResourceHealth) -> bool {
    let status = resource.health.as_ref().map(|health| health.status);
    !resource.namespace.is_empty() && matches!(status, Some(HealthStatus::Progressing | HealthStatus::Degraded))
}

async fn evidence(cluster: &dyn Cluster, namespace: &str) -> Result<Evidence, ClusterError> {
    list_kinds(cluster, kinds(), namespace).await.map(Evidence::of)
}
