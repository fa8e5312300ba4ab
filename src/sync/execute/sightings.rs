//! How hooks ended that remove themselves when they are finished: a Job with `ttlSecondsAfterFinished` may be gone before
//! anybody looks.
//!
//! In: the steps of a stage. Out: for a hook that is gone, how it ended, by what a watch saw last or by the Job's own event;
//! nothing while that may still be found out. An account that may neither watch nor list events learns nothing here.
//!
//! Rule: Kubernetes pkg/controller/ttlafterfinished (only what is finished is deleted), `pkg/controller/job/job_controller.go`
//! (the event `Completed`).

use std::collections::HashMap;
use std::time::Duration;

use futures::future::pending;
use futures::stream::{BoxStream, SelectAll, StreamExt};
use serde_json::Value;
use tokio::time::Instant;

use super::{Execution, StepOutcome};
use crate::cluster::{ClusterError, ListRequest, Watched};
use crate::object::{Gvk, Object};
use crate::status::health::{HealthStatus, health};

/// How long the event of a Job that is gone is looked for: it is written a moment after the Job is.
const GRACE: Duration = Duration::from_secs(5);
/// The Job controller's condition for a Job that succeeded.
const COMPLETED: &str = "Completed";

/// How a hook that is gone has ended.
pub(super) enum End {
    /// It succeeded, was seen to, or is known to have.
    Succeeded,
    /// As it was seen last.
    Seen(Box<Object>),
    /// Not known yet.
    Open,
    /// Nobody knows.
    Unknown,
}

/// Observations of hooks that remove themselves.
pub(super) struct Sightings<'a> {
    watches: SelectAll<BoxStream<'a, Result<Watched, ClusterError>>>,
    /// By uid: as it was last.
    last: HashMap<String, Object>,
    /// By uid: since when it is gone.
    gone: HashMap<String, Instant>,
}

impl<'a> Sightings<'a> {
    /// Watches the kinds and namespaces of such hooks among these steps.
    pub(super) fn of(steps: &[StepOutcome], execution: &Execution<'a>) -> Self {
        let mut requests: Vec<ListRequest> = Vec::new();
        for outcome in steps.iter().filter(|outcome| removes_itself(outcome)) {
            let (gvk, namespace) = (outcome.step.object.gvk.clone(), outcome.step.object.namespace.clone());
            let request = ListRequest { gvk, namespace, metadata_only: false };
            if !requests.contains(&request) {
                requests.push(request);
            }
        }
        let cluster = execution.cluster;
        let watches = requests.into_iter().map(|request| cluster.watch(request)).collect();
        Self { watches, last: HashMap::new(), gone: HashMap::new() }
    }

    /// Waits for the next look, and keeps what is seen meanwhile. Whether somebody wants it to stop.
    pub(super) async fn pause(&mut self, execution: &Execution<'_>) -> bool {
        let ends = Instant::now() + execution.interval;
        loop {
            tokio::select! {
                () = execution.stop.cancelled() => return true,
                () = tokio::time::sleep_until(ends) => return execution.stop.is_cancelled(),
                seen = next(&mut self.watches) => if let Ok(seen) = seen { self.keep(seen) },
            }
        }
    }

    fn keep(&mut self, seen: Watched) {
        let objects = match seen {
            Watched::Listed(objects) => objects,
            Watched::Changed(object) | Watched::Deleted(object) => vec![*object],
        };
        for mut object in objects {
            // It is deleted because it is finished; how it ended is what its status says.
            if let Some(Value::Object(metadata)) = object.value_mut().get_mut("metadata") {
                metadata.remove("deletionTimestamp");
            }
            self.last.insert(object.uid().to_owned(), object);
        }
    }

    /// How a hook ended that is gone.
    pub(super) async fn end_of(&mut self, outcome: &StepOutcome, execution: &Execution<'_>) -> End {
        let Some(live) = outcome.live.as_deref().filter(|_| removes_itself(outcome)) else { return End::Unknown };
        if let Some(last) = self.last.get(live.uid()).filter(|last| is_finished(last)) {
            return End::Seen(Box::new(last.clone()));
        }
        if is_completed(live, execution).await {
            return End::Succeeded;
        }
        let since = *self.gone.entry(live.uid().to_owned()).or_insert_with(Instant::now);
        if since.elapsed() < GRACE { End::Open } else { End::Unknown }
    }
}

async fn next(watches: &mut SelectAll<BoxStream<'_, Result<Watched, ClusterError>>>) -> Result<Watched, ClusterError> {
    match watches.next().await {
        Some(seen) => seen,
        // Nothing is watched.
        None => pending().await,
    }
}

/// Whether a step made a hook that its own controller deletes when it is finished.
fn removes_itself(outcome: &StepOutcome) -> bool {
    let spec = outcome.live.as_ref().and_then(|live| live.value().get("spec"));
    let has = |field: &str| spec.and_then(|spec| spec.get(field)).is_some_and(|value| !value.is_null());
    outcome.step.hook.is_some() && (has("ttlSecondsAfterFinished") || has("ttlStrategy"))
}

/// Whether it was seen to end, and not only to run.
fn is_finished(object: &Object) -> bool {
    health(object).is_some_and(|health| matches!(health.status, HealthStatus::Healthy | HealthStatus::Degraded))
}

async fn is_completed(job: &Object, execution: &Execution<'_>) -> bool {
    let namespace = Some(job.namespace().to_owned()).filter(|namespace| !namespace.is_empty());
    let request = ListRequest { gvk: Gvk::from_api_version("v1", "Event"), namespace, metadata_only: false };
    let Ok(events) = execution.cluster.list(&request).await else { return false };
    events.iter().any(|event| {
        let text =
            |value: Option<&Value>, field: &str| value.and_then(|value| value.get(field)?.as_str()).map(str::to_owned);
        text(event.value().get("involvedObject"), "uid").as_deref() == Some(job.uid())
            && event.value().get("reason").and_then(Value::as_str) == Some(COMPLETED)
    })
}
