//! Judges every resource that git has, as it is in the cluster, and from that every application.
//!
//! In: the turns with their targets, and what is live. Out: each turn's health. Extras do not count: a sync takes them
//! away. Hooks do not either.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use crate::finding::Finding;
use crate::fleet::Request;
use crate::fleet::condition::ConditionKind;
use crate::fleet::run::{ApplicationHealth, has_error};
use crate::fleet::stages::compare::{Seen, find_live};
use crate::fleet::stages::list::{Live, identity};
use crate::fleet::turn::Turn;
use crate::object::Object;
use crate::object::annotations::{IGNORE_HEALTHCHECK, is_hook, is_skipped};
use crate::status::health::{Counted, Health, HealthStatus, Judge, ResourceHealth, aggregate};

/// Judges where somebody asked for it.
pub(crate) async fn judge(turns: &mut [Turn], live: &Arc<Live>, request: &Request) {
    let Some(judge) = &request.health else { return };
    let work = turns.iter().map(|turn| (seen(turn, live, request).zip(turn.target.clone()), Arc::clone(judge)));
    let judged: Vec<(ApplicationHealth, Conditions)> = stream::iter(work.collect::<Vec<_>>())
        .map(|(work, judge)| async move {
            // Without a target or a cluster nothing is known.
            let Some((seen, target)) = work else { return (unknown(), Vec::new()) };
            let judged = tokio::task::spawn_blocking(move || of_application(&seen, &target, &judge)).await;
            // A panic in one application must not end the fleet.
            judged.unwrap_or_else(|_panic| (unknown(), vec![(ConditionKind::ComparisonError, fault())]))
        })
        .buffered(request.concurrency.max(1))
        .collect()
        .await;
    for (turn, (health, conditions)) in turns.iter_mut().zip(judged) {
        for (kind, finding) in conditions {
            turn.condition(kind, finding);
        }
        // Argo CD: an application that could not be loaded in full is of unknown health.
        let status = if has_error(&turn.conditions) { HealthStatus::Unknown } else { health.status };
        turn.health = Some(ApplicationHealth { status, ..health });
    }
}

fn seen(turn: &Turn, live: &Arc<Live>, request: &Request) -> Option<Seen> {
    let (cluster, kinds) = (identity(turn.cluster.as_ref()?), Arc::clone(turn.kinds.as_ref()?));
    let neighbours = Arc::clone(&turn.neighbours);
    Some(Seen { live: Arc::clone(live), kinds, cluster, tracking: turn.tracking(request), baseline: None, neighbours })
}

fn unknown() -> ApplicationHealth {
    ApplicationHealth { status: HealthStatus::Unknown, resources: Vec::new() }
}

fn fault() -> Finding {
    Finding::error("trueup::status::fault", "assessing health failed unexpectedly; this is a bug in trueup")
}

/// Warnings, each with Argo CD's name for its condition.
type Conditions = Vec<(ConditionKind, Finding)>;

fn of_application(seen: &Seen, target: &[Object], judge: &Judge) -> (ApplicationHealth, Conditions) {
    let mut conditions = Vec::new();
    let mut judged: Vec<(ResourceHealth, bool)> = Vec::new();
    for object in target.iter().filter(|object| !is_hook(object) && !is_skipped(object)) {
        judged.push(match find_live(object, seen, &mut conditions) {
            Ok(Some(live)) => {
                let counts = live.annotation(IGNORE_HEALTHCHECK) != Some("true");
                (ResourceHealth::of(live, judge.health(live)), counts)
            }
            Ok(None) => (ResourceHealth::of(object, Some(Health::new(HealthStatus::Missing, ""))), true),
            Err(_reason) => (ResourceHealth::of(object, None), true),
        });
    }
    judged.sort_by(|(left, _), (right, _)| order(left).cmp(&order(right)));
    let counted = judged.iter().filter(|(_, counts)| *counts).map(|(resource, _)| Counted {
        health: resource.health.as_ref(),
        is_application: resource.gvk.group == "argoproj.io" && resource.gvk.kind == "Application",
    });
    let status = aggregate(counted);
    let resources = judged.into_iter().map(|(resource, _)| resource).collect();
    (ApplicationHealth { status, resources }, conditions)
}

fn order(resource: &ResourceHealth) -> (&str, &str, &str, &str) {
    (&resource.gvk.group, &resource.gvk.kind, &resource.namespace, &resource.name)
}
