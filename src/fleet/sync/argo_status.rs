//! Tells Argo CD's users how an application stands: `.status` on the Application in the cluster (`--write-status`).
//!
//! In: applications as they are at the end, and how each is reported. Out: the status on each Application that the cluster of the
//! controller has; a condition where it cannot be written. An Application that is in no cluster is a note.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use jiff::Timestamp;

use super::planned::Synced;
use super::{SyncRequest, Wish};
use crate::app::{Application, Destination};
use crate::cluster::Cluster;
use crate::finding::Finding;
use crate::fleet::application::{Left, OnCluster};
use crate::fleet::condition::{Condition, ConditionKind};
use crate::fleet::run::{SyncStatus, sync_status};
use crate::fleet::{ApplicationRun, Request, Run, World};
use crate::sync::argo_status::{Done, StatusInput, StatusWritten, status, write};
use crate::sync::state::{Place, State};

/// An application whose status is written.
pub(crate) struct StatusOwner {
    application: Arc<Application>,
    cluster: Option<Arc<dyn Cluster>>,
    place: Place,
}

impl StatusOwner {
    pub(crate) fn of(entry: Result<&Synced, &Left>, request: &Request) -> Self {
        let (loaded, cluster) = match entry {
            Ok(synced) => {
                let rendered = &synced.listed().rendered;
                (&rendered.loaded, Some(Arc::clone(&rendered.connection.cluster)))
            }
            Err(left) => (&left.loaded, left.cluster.clone()),
        };
        Self { application: Arc::clone(&loaded.application), cluster, place: loaded.place(request) }
    }
}

/// Writes the status of every application of a run; nothing for one whose manifest is wrong.
pub(crate) async fn write_statuses(
    owners: Vec<Option<StatusOwner>>,
    run: &mut Run,
    request: &Request,
    wanted: &SyncRequest,
    world: &World,
) {
    let owned = owners.into_iter().zip(&mut run.applications).filter_map(|(owner, run)| Some((owner?, run)));
    stream::iter(owned.map(|(owner, run)| async move {
        if let Err(finding) = write_status(&owner, run, request, wanted, world).await {
            let condition = Condition { kind: ConditionKind::StatusError, finding: finding.about(&run.name) };
            run.conditions.push(condition);
        }
    }))
    .buffer_unordered(request.concurrency.max(1))
    .collect::<()>()
    .await;
}

async fn write_status(
    owner: &StatusOwner,
    run: &ApplicationRun,
    request: &Request,
    wanted: &SyncRequest,
    world: &World,
) -> Result<(), Finding> {
    let (name, namespace) = (&owner.application.name, owner.application.namespace.as_str());
    let namespace = if namespace.is_empty() { &request.argocd_namespace } else { namespace };
    // Applications live where Argo CD's controller does, whichever cluster they deploy to.
    let home = Destination { name: "in-cluster".to_owned(), ..Destination::default() };
    let cluster = world.clusters.find(&home).map_err(|error| Finding::of(&error))?;
    let value = value(owner, run, wanted).await;
    match write(cluster.as_ref(), namespace, name, &value).await {
        Ok(StatusWritten::Done) => {}
        Ok(StatusWritten::NoApplication) => {
            world.progress.note(format!("{name}: no status is written: Application `{namespace}/{name}` not found"));
        }
        Err(error) => return Err(Finding::of(&error)),
    }
    Ok(())
}

async fn value(owner: &StatusOwner, run: &ApplicationRun, wanted: &SyncRequest) -> serde_json::Value {
    let state = match &owner.cluster {
        // Who cannot read it has been reported so before.
        Some(cluster) => State::read(cluster.as_ref(), &owner.place).await.unwrap_or_default(),
        None => State::default(),
    };
    let revisions: Vec<String> = run.sources.iter().map(|source| source.revision.clone()).collect();
    let source_types: Vec<String> = run.sources.iter().map(|source| source.tool.clone()).collect();
    let parts = |condition: &Condition| (condition.kind.as_str().to_owned(), condition.finding.message.clone());
    let conditions: Vec<(String, String)> = run.conditions.iter().map(parts).collect();
    let ended = state.ended.as_ref().map(|ended| ended.at);
    let operation = run.operation.as_ref().map(|operation| Done {
        operation,
        started: wanted.started,
        finished: ended.unwrap_or_else(Timestamp::now),
        by: state.attempt.as_ref().map_or(&wanted.holder, |attempt| &attempt.by),
        automated: matches!(wanted.wish, Wish::Reconcile { .. }),
    });
    status(&StatusInput {
        application: &owner.application,
        sync: sync(run),
        revisions: &revisions,
        source_types: &source_types,
        resources: &run.resources,
        health: run.health.as_ref().map(|health| (health.status, &health.resources[..])),
        conditions: &conditions,
        operation,
        history: &state.history,
        now: Timestamp::now(),
    })
}

/// In Argo CD's words; there, a sync that failed says nothing of the comparison.
fn sync(run: &ApplicationRun) -> &'static str {
    match sync_status(&run.conditions, &run.resources) {
        SyncStatus::Synced => "Synced",
        SyncStatus::OutOfSync => "OutOfSync",
        SyncStatus::Unknown => "Unknown",
    }
}
