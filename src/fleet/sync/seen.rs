//! Remembers since when resources differ from git, in the record of an application.
//!
//! In: a compared application, and what was remembered before. Out: the same for the next run. A run that syncs writes it with its
//! record; a reconciliation that leaves an application as it is writes it alone, and only when it changes. A failure to do so is
//! a note: all that is missing is an age.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::planned::{PlanOutcome, Planned};
use super::{SyncRequest, Wish};
use crate::cluster::Cluster;
use crate::finding::Finding;
use crate::fleet::application::{Compared, OnCluster};
use crate::fleet::{Request, World};
use crate::object::Key;
use crate::status::{ResourceDrift, ResourceState};
use crate::sync::lock::{Fenced, Lock, LockError, LockPatience};
use crate::sync::state::State;
use crate::sync::{Operation, StepResult};

/// How many resources are remembered: a record has room for so many, and what is not remembered has no known age.
const LIMIT: usize = 1_000;

/// The resources that differ, each since when a recorded run first saw it; what could not be compared stays as it was.
fn next(
    before: &BTreeMap<Key, Timestamp>,
    resources: &[ResourceDrift],
    done: &BTreeSet<Key>,
    now: Timestamp,
) -> BTreeMap<Key, Timestamp> {
    let mut next = BTreeMap::new();
    for resource in resources {
        let key = resource.key();
        let known = before.get(&key).copied();
        let since = if resource.state == ResourceState::Unknown {
            known
        } else {
            (resource.is_drift() && !done.contains(&key)).then(|| known.unwrap_or(now))
        };
        next.extend(since.map(|since| (key, since)));
    }
    while next.len() > LIMIT {
        next.pop_last();
    }
    next
}

/// The same after a sync: what it applied or deleted differs no more.
pub(crate) fn after(
    before: &BTreeMap<Key, Timestamp>,
    compared: &Compared,
    operation: &Operation,
    now: Timestamp,
) -> BTreeMap<Key, Timestamp> {
    let done = operation.steps.iter().filter(|outcome| matches!(outcome.result, StepResult::Done(_)));
    let done = done.map(|outcome| outcome.step.object.key()).collect();
    next(before, &compared.resources, &done, now)
}

/// Remembers what a reconciliation leaves, where the application has a record.
pub(crate) async fn remember(planned: &Planned, request: &Request, wanted: &SyncRequest, world: &World) {
    let compared = &planned.compared;
    let Ok(state) = &compared.record.state else { return };
    // Who is refused a sync writes nothing at all.
    let is_looked_at = matches!(planned.outcome, PlanOutcome::Left(_) | PlanOutcome::Execute(_));
    let is_left = is_looked_at && matches!(wanted.wish, Wish::Reconcile { .. }) && !wanted.stop.is_cancelled();
    if !is_left || state.members().is_none() || compared.all_conditions().block_comparison() {
        return;
    }
    let seen = next(&state.seen, &compared.resources, &BTreeSet::new(), wanted.started);
    if seen == state.seen {
        return;
    }
    if let Err(finding) = write(compared, seen, request, wanted).await {
        let name = &compared.application.name;
        world.progress.note(format!("{name}: since when it differs was not recorded: {}", finding.message));
    }
}

async fn write(
    compared: &Compared,
    seen: BTreeMap<Key, Timestamp>,
    request: &Request,
    wanted: &SyncRequest,
) -> Result<(), Finding> {
    let (place, cluster) = (compared.place(request), Arc::clone(&compared.connection.cluster));
    // Who has the lock syncs, and records it himself.
    let patience = LockPatience { time: Duration::ZERO, ..wanted.patience() };
    let lock = match Lock::take_on(Arc::clone(&cluster), place.clone(), &wanted.holder, patience).await {
        Ok(lock) => lock,
        Err(LockError::Held { .. }) => return Ok(()),
        Err(error) => return Err(Finding::of(&error)),
    };
    let fenced: Arc<dyn Cluster> = Arc::new(Fenced::new(cluster, lock.fence()));
    let work = async {
        let mut state = State::read_to_write(fenced.as_ref(), &place).await?;
        state.set_seen(fenced.as_ref(), &place, seen).await
    };
    let written = lock.hold(Box::pin(work), || {}).await;
    let freed = lock.release().await;
    written.map_err(|error| Finding::of(&error))?;
    freed.map_err(|error| Finding::of(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Gvk;

    /// What differs keeps the time at which it was first seen, what no longer differs loses it.
    #[test]
    fn what_differs_is_remembered_until_it_no_longer_does() {
        let time = |day: u8| format!("2026-03-0{day}T12:00:00Z").parse::<Timestamp>().unwrap();
        let resource = |name: &str, state: ResourceState| {
            ResourceDrift::new(Gvk::from_api_version("v1", "ConfigMap"), "shop", name, state)
        };
        let resources = [
            resource("known", ResourceState::Changed),
            resource("new", ResourceState::Missing),
            resource("healed", ResourceState::InSync),
            resource("unknown", ResourceState::Unknown),
            resource("new-unknown", ResourceState::Unknown),
            resource("applied", ResourceState::Changed),
        ];
        let key = |name: &str| resource(name, ResourceState::InSync).key();
        let before = ["known", "healed", "unknown", "gone", "applied"].map(|name| (key(name), time(1))).into();
        let done = [key("applied")].into();
        let expected = [(key("known"), time(1)), (key("new"), time(2)), (key("unknown"), time(1))].into();
        assert_eq!(next(&before, &resources, &done, time(2)), expected);
        let many: Vec<_> =
            (0..LIMIT + 5).map(|number| resource(&format!("a{number}"), ResourceState::Changed)).collect();
        assert_eq!(next(&BTreeMap::new(), &many, &BTreeSet::new(), time(2)).len(), LIMIT);
    }
}
