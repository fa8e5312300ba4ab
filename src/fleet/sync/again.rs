//! How the applications stand after a sync: drift that is left is drift; and waiting until they work.

use tokio::time::Instant;

use super::SyncRequest;
use super::planned::{Performed, PlanOutcome, Planned, SyncStanding, Synced};
use crate::fleet::application::{ClusterConnection, Compared, OnCluster, Rendered};
use crate::fleet::batch::Batch;
use crate::fleet::commands::wait::{self, Ending, Patience};
use crate::fleet::condition::{ConditionKind, Conditions};
use crate::fleet::observe::observe_all;
use crate::fleet::stages::{health, reasons};
use crate::fleet::{Request, World};
use crate::progress::Progress;
use crate::sync::Operation;

/// Compares again, where anything was done.
pub(crate) async fn observe_again(performed: Batch<Performed>, request: &Request, world: &World) -> Batch<Synced> {
    if performed.iter().all(|performed| performed.operation.is_none()) {
        return performed.map(|Performed { planned, operation, .. }| {
            let Planned { compared, outcome, conditions, .. } = planned;
            Synced { outcome, operation, standing: SyncStanding::Before(compared), health: None, conditions }
        });
    }
    performed.through(async |performed| compare_again(performed, request, world).await).await
}

async fn compare_again(performed: Vec<Performed>, request: &Request, world: &World) -> Vec<Synced> {
    // The stages were reported once already.
    let world = &World { progress: Progress::silent(), ..world.clone() };
    let (mut rendered, mut places) = (Vec::new(), Vec::new());
    for Performed { planned, operation, is_deleted } in performed {
        let Planned { compared, git, outcome, conditions } = planned;
        if is_deleted {
            places.push((outcome, operation, Some((compared, conditions))));
        } else {
            let git = git.map_or_else(|| compared.into_rendered(), |git| *git);
            rendered.push(refreshed(git.with_conditions(&conditions)).await);
            places.push((outcome, operation, None));
        }
    }
    let compared = observe_all(rendered, request, world).await;
    let judged = health::judge(compared, request).await;
    let mut judged = reasons::find(judged, request).await.into_iter();
    let at_its_end =
        |(outcome, operation, deleted): (PlanOutcome, Option<Operation>, Option<(Compared, Conditions)>)| {
            let (standing, conditions) = if let Some((compared, conditions)) = deleted {
                (SyncStanding::Deleted(compared), conditions)
            } else {
                let judged = judged.next()?;
                let conditions = Conditions::of(&judged.of.application.name);
                (SyncStanding::After(judged), conditions)
            };
            Some(Synced { outcome, operation, standing, health: None, conditions })
        };
    places.into_iter().filter_map(at_its_end).collect()
}

/// The application with the kinds of now: a CRD that was applied adds kinds.
pub(super) async fn refreshed(rendered: Rendered) -> Rendered {
    match rendered.cluster().kinds().await {
        Ok(kinds) => {
            let connection = ClusterConnection { kinds, ..rendered.connection };
            Rendered { connection, ..rendered }
        }
        Err(_) => rendered,
    }
}

/// How to wait at the end, where that is wanted and nothing has failed.
pub(crate) fn patience(synced: &Batch<Synced>, wanted: &SyncRequest) -> Option<Patience> {
    let is_failed =
        |synced: &Synced| synced.all_conditions().iter().any(|condition| condition.kind == ConditionKind::SyncError);
    wanted.wait.filter(|_| !wanted.stop.is_cancelled() && !synced.iter().any(is_failed))
}

/// Waits until every application works.
pub(crate) async fn wait(
    synced: Batch<Synced>,
    request: &Request,
    world: &World,
    patience: Patience,
) -> (Batch<Synced>, Ending) {
    let ends = Instant::now() + patience.timeout;
    let others = wait::Others::of(&synced);
    let (synced, places) = synced.split();
    // Of one that was deleted there is nothing to wait for.
    let is_there = |synced: &&Synced| !matches!(synced.standing, SyncStanding::Deleted(_));
    let rendered = synced.iter().filter(is_there).map(|synced| {
        let rendered = synced.listed().rendered.clone();
        rendered.with_conditions(&synced.all_conditions())
    });
    let others = others.and(synced.iter().filter(|synced| !is_there(synced)).map(OnCluster::all_conditions));
    let (looks, ending) = wait::until(rendered.collect(), others, request, world, patience, ends).await;
    let mut looks = looks.into_iter();
    let waited = synced.into_iter().map(|synced| {
        let look = if is_there(&&synced) { looks.next() } else { None };
        let Some(look) = look else { return synced };
        Synced { health: look.health, conditions: synced.conditions.and(&look.conditions), ..synced }
    });
    (places.join(waited.collect()), ending)
}
