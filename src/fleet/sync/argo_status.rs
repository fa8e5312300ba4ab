//! Tells Argo CD's users how an application stands: `.status` on the Application in the cluster (`--write-status`).
//!
//! In: turns as they are at the end. Out: the status on each Application that the cluster of the controller has; a
//! condition where it cannot be written. An Application that is in no cluster is a note.

use futures::StreamExt;
use futures::stream;
use jiff::Timestamp;

use crate::app::Destination;
use crate::finding::Finding;
use crate::fleet::condition::{Condition, ConditionKind};
use crate::fleet::run::{SyncStatus, sync_status};
use crate::fleet::sync::{SyncRequest, Wish};
use crate::fleet::turn::Turn;
use crate::fleet::{Request, World};
use crate::sync::argo_status::{Done, StatusInput, StatusWritten, status, write};
use crate::sync::state::State;

pub(crate) async fn write_statuses(turns: &mut [Turn], request: &Request, wanted: &SyncRequest, world: &World) {
    stream::iter(turns.iter_mut().map(|turn| write_status_of(turn, request, wanted, world)))
        .buffer_unordered(request.concurrency.max(1))
        .collect::<()>()
        .await;
}

async fn write_status_of(turn: &mut Turn, request: &Request, wanted: &SyncRequest, world: &World) {
    let namespace = match turn.application.namespace.as_str() {
        "" => request.argocd_namespace.clone(),
        namespace => namespace.to_owned(),
    };
    // Applications live where Argo CD's controller does, whichever cluster they deploy to.
    let home = Destination { name: "in-cluster".to_owned(), ..Destination::default() };
    let cluster = match world.clusters.find(&home) {
        Ok(cluster) => cluster,
        Err(error) => return turn.condition(ConditionKind::StatusError, Finding::of(&error)),
    };
    let value = value(turn, request, wanted).await;
    match write(cluster.as_ref(), &namespace, &turn.application.name, &value).await {
        Ok(StatusWritten::Done) => {}
        Ok(StatusWritten::NoApplication) => {
            let name = &turn.application.name;
            world.progress.note(format!("{name}: no status is written: Application `{namespace}/{name}` not found"));
        }
        Err(error) => turn.condition(ConditionKind::StatusError, Finding::of(&error)),
    }
}

async fn value(turn: &Turn, request: &Request, wanted: &SyncRequest) -> serde_json::Value {
    let state = match &turn.cluster {
        // Who cannot read it has been reported so before.
        Some(cluster) => State::read(cluster.as_ref(), &turn.place(request)).await.unwrap_or_default(),
        None => State::default(),
    };
    let revisions: Vec<String> = turn.sources.iter().map(|source| source.revision.clone()).collect();
    let source_types: Vec<String> = turn.sources.iter().map(|source| source.tool.clone()).collect();
    let parts = |condition: &Condition| (condition.kind.as_str().to_owned(), condition.finding.message.clone());
    let conditions: Vec<(String, String)> = turn.conditions.iter().map(parts).collect();
    let ended = state.ended.as_ref().map(|ended| ended.at);
    let operation = turn.operation.as_ref().map(|operation| Done {
        operation,
        started: wanted.started,
        finished: ended.unwrap_or_else(Timestamp::now),
        by: state.attempt.as_ref().map_or(&wanted.holder, |attempt| &attempt.by),
        automated: matches!(wanted.wish, Wish::Reconcile { .. }),
    });
    status(&StatusInput {
        application: &turn.application,
        sync: sync(turn),
        revisions: &revisions,
        source_types: &source_types,
        resources: &turn.resources,
        health: turn.health.as_ref().map(|health| (health.status, &health.resources[..])),
        conditions: &conditions,
        operation,
        history: &state.history,
        now: Timestamp::now(),
    })
}

/// In Argo CD's words; there, a sync that failed says nothing of the comparison.
fn sync(turn: &Turn) -> &'static str {
    match sync_status(&turn.conditions, &turn.resources) {
        SyncStatus::Synced => "Synced",
        SyncStatus::OutOfSync => "OutOfSync",
        SyncStatus::Unknown => "Unknown",
    }
}
