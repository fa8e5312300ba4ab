//! Asks the cluster why what is not healthy is not: its pods and its events, and the logs of what failed where that is
//! wanted.
//!
//! In: applications with their health. Out: the same with the reasons of each resource that is not well. Nothing is asked where all is well.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use crate::cluster::{Cluster, ClusterError, LogRequest, list_kinds};
use crate::fleet::Request;
use crate::fleet::application::OnCluster;
use crate::fleet::live::{ClusterId, identity};
use crate::fleet::reporting::WithHealth;
use crate::fleet::run::ApplicationHealth;
use crate::status::health::logs::{ContainerLog, LogQuestion, questions};
use crate::status::health::reasons::{Evidence, kinds};
use crate::status::health::{HealthStatus, ResourceHealth};

/// One namespace of one cluster.
type Place = (ClusterId, String);

/// So many logs are read in one run: a person reads no more.
const LOGS: usize = 50;

/// The applications with the reasons, and with so many lines of logs.
pub(crate) async fn find<T: OnCluster>(mut judged: Vec<WithHealth<T>>, request: &Request) -> Vec<WithHealth<T>> {
    let mut healths: Vec<Subject<'_>> = judged
        .iter_mut()
        .filter_map(|one| Some((Arc::clone(&one.of.listed().connection.cluster), one.health.as_mut()?)))
        .collect();
    explain(&mut healths, request).await;
    judged
}

/// The health of an application, and its cluster.
pub(crate) type Subject<'run> = (Arc<dyn Cluster>, &'run mut ApplicationHealth);

/// Adds the reasons, and so many lines of logs.
pub(crate) async fn explain(subjects: &mut [Subject<'_>], request: &Request) {
    let concurrency = request.concurrency;
    let mut places: BTreeMap<Place, Arc<dyn Cluster>> = BTreeMap::new();
    for (cluster, health) in subjects.iter() {
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
    if let Some(lines) = request.log_lines {
        logs(subjects, &evidence, lines, concurrency).await;
    }
    for (cluster, health) in subjects {
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
    subjects: &mut [Subject<'_>],
    evidence: &BTreeMap<Place, Result<Evidence, ClusterError>>,
    lines: u16,
    concurrency: usize,
) {
    let mut wanted: Vec<(usize, usize, Arc<dyn Cluster>, LogQuestion)> = Vec::new();
    for (subject, (cluster, health)) in subjects.iter().enumerate() {
        for (index, resource) in health.resources.iter().enumerate().filter(|(_, resource)| has_reasons(resource)) {
            let place = (identity(cluster), resource.namespace.clone());
            let Some(Ok(evidence)) = evidence.get(&place) else { continue };
            let questions = questions(evidence, &resource.uid).into_iter();
            wanted.extend(questions.map(|question| (subject, index, Arc::clone(cluster), question)));
        }
    }
    wanted.truncate(LOGS);
    let answered: Vec<_> = stream::iter(wanted)
        .map(|(subject, index, cluster, question)| async move {
            let LogQuestion { namespace, pod, container, previous } = question.clone();
            let text = cluster.logs(&LogRequest { namespace, pod, container, previous, lines }).await;
            let text = text.map_err(|error| in_one_line(&error));
            (subject, index, ContainerLog::of(question, text, usize::from(lines)))
        })
        .buffered(concurrency.max(1))
        .collect()
        .await;
    for (subject, index, log) in answered {
        subjects[subject].1.resources[index].logs.push(log);
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
