//! Waits until every application is as it should be: healthy, synced, or gone.
//!
//! In: a [`Request`], and what to wait for. Out: the [`Run`] as it was at last, and how the wait ended. Sources are brought
//! and rendered once, the clusters are listed once and watched from then on. Whenever something of the applications has
//! changed they are looked at again, until the goal is reached, the time is over, or something has failed that will not
//! mend itself.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::cluster::Watching;
use crate::finding::Finding;
use crate::finding::codes::{GAVE_UP, TIMED_OUT};
use crate::fleet::stages::compare;
use crate::fleet::stages::extras;
use crate::fleet::stages::health;
use crate::fleet::stages::last_sync;
use crate::fleet::stages::list::{self, Listing, Live};
use crate::fleet::stages::reasons;
use crate::fleet::stages::watch;
use crate::fleet::turn::{self, Turn};
use crate::fleet::{Request, Run, SyncStatus, World, run, targets};
use crate::object::{Key, Object};
use crate::status::health::HealthStatus;
use crate::status::{ResourceDrift, ResourceState};

/// However little happens, everything is looked at again so often: a team's script may read the clock, and of extras nothing
/// is watched.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(10);

/// The state to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Every application works; one that is paused on purpose does, as far as it should.
    Healthy,
    /// The clusters hold what git says.
    Synced,
    /// The clusters hold nothing of what git says.
    Deleted,
}

/// How to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The state to wait for.
    pub goal: Goal,
    /// How long at most.
    pub timeout: Duration,
    /// How long at least between two looks: what changes meanwhile is looked at together.
    pub interval: Duration,
    /// Whether a degraded application is waited for, too: it may come back.
    pub ignores_degraded: bool,
}

/// How a wait ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It is so.
    Reached,
    /// It is unknown: the run has the errors.
    Failed,
    /// Something has failed that was waited for, and what.
    Degraded(Vec<String>),
    /// The time is over, and what was still waited for.
    TimedOut(Vec<String>),
}

impl Ending {
    /// Why the wait was without result.
    pub fn finding(&self, timeout: Duration) -> Option<Finding> {
        match self {
            Self::Reached | Self::Failed => None,
            Self::Degraded(what) => Some(
                Finding::error(GAVE_UP, format!("gave up waiting: {} degraded", counted(what.len())))
                    .with_cause(what.join("; "))
                    .with_help("`--ignore-degraded` keeps waiting"),
            ),
            Self::TimedOut(what) => Some(
                Finding::error(TIMED_OUT, format!("timed out waiting after {} s", timeout.as_secs()))
                    .with_cause(format!("still waiting for {}", what.join("; ")))
                    .with_help("raise `--timeout` to wait longer"),
            ),
        }
    }
}

fn counted(count: usize) -> String {
    if count == 1 { "1 resource is".to_owned() } else { format!("{count} resources are") }
}

/// Waits; nothing is written but the cache.
pub async fn wait(mut request: Request, world: &World, patience: Patience) -> (Run, Ending) {
    let ends = Instant::now() + patience.timeout;
    let (mut turns, invalid) = targets(&mut request, world).await;
    let ending = until(&mut turns, invalid.is_empty(), &request, world, patience, ends).await;
    (turn::end_judged(turns, invalid, request, world), ending)
}

/// Waits for rendered applications.
pub(crate) async fn until(
    turns: &mut [Turn],
    are_all_valid: bool,
    request: &Request,
    world: &World,
    patience: Patience,
    ends: Instant,
) -> Ending {
    let rendered: Vec<_> = turns.iter().map(|turn| turn.conditions.clone()).collect();
    let clusters = list::clusters(turns);
    let mut watching = watch::open(turns, &clusters, request.concurrency, &world.progress).await;
    let mut shown = Vec::new();
    let mut is_first_look = true;
    let ending = loop {
        for (turn, conditions) in turns.iter_mut().zip(&rendered) {
            turn.conditions.clone_from(conditions);
            turn.baseline = None;
        }
        let looked = Instant::now();
        look(turns, &watching, request, world, patience.goal).await;
        let waiting = match verdict(turns, patience, is_first_look) {
            _ if !are_all_valid => break Ending::Failed,
            Verdict::Ended(ending) => break ending,
            Verdict::Waiting(waiting) if Instant::now() >= ends => break Ending::TimedOut(waiting),
            Verdict::Waiting(waiting) => waiting,
        };
        is_first_look = false;
        if waiting != shown {
            world.progress.note(format!("waiting for {}", waiting.join(", ")));
            shown = waiting;
        }
        sleep_until(ends.min(looked + patience.interval)).await;
        // That nothing has changed until then is an answer, too.
        let _ = timeout_at(ends.min(looked + LOOKED_AT_EVERY), change(&mut watching, turns, patience.goal)).await;
    };
    reasons::find(turns, request.log_lines, request.concurrency).await;
    ending
}

/// One look at what is known of the clusters.
async fn look(turns: &mut [Turn], watching: &Watching<'_, Listing>, request: &Request, world: &World, goal: Goal) {
    let places = watching.places().map(|(place, listed)| (place.clone(), listed.clone()));
    let live = Arc::new(Live::of(places));
    health::judge(turns, &live, request).await;
    if goal == Goal::Synced {
        last_sync::read(turns, &live, request).await;
        compare::compare(turns, &live, request, world).await;
        // Extras may be of any kind, and looking for them costs a LIST each: only once all that git names is in sync.
        if !turns.iter().flat_map(|turn| &turn.resources).any(ResourceDrift::is_drift) {
            extras::find(turns, &live, request, &world.progress).await;
        }
    }
}

/// Returns when something has changed that the wait is about.
async fn change(watching: &mut Watching<'_, Listing>, turns: &[Turn], goal: Goal) {
    let in_git: HashSet<Key> =
        turns.iter().flat_map(|turn| turn.target.iter().flat_map(|target| target.iter())).map(Object::key).collect();
    loop {
        let changes = watching.changed().await;
        // What is extra is drift, too.
        let concerns = |key: &Key| goal == Goal::Synced || in_git.contains(key);
        if changes.of_sight || changes.objects.iter().any(concerns) {
            return;
        }
    }
}

/// The result of one look.
enum Verdict {
    Ended(Ending),
    /// Not yet, and for what.
    Waiting(Vec<String>),
}

fn verdict(turns: &[Turn], patience: Patience, is_first_look: bool) -> Verdict {
    let mut waiting = waiting_for(turns, patience.goal);
    // What cannot be reported at first will not be reported later; an API server that goes away meanwhile may come back.
    let is_told = !has_error(turns);
    if is_first_look && !is_told {
        return Verdict::Ended(Ending::Failed);
    } else if is_told && waiting.is_empty() {
        return Verdict::Ended(Ending::Reached);
    }
    if !is_told {
        waiting.push("an answer of the cluster".to_owned());
    }
    let degraded = degraded(turns);
    if patience.goal == Goal::Healthy && !patience.ignores_degraded && !degraded.is_empty() {
        return Verdict::Ended(Ending::Degraded(degraded));
    }
    Verdict::Waiting(waiting)
}

fn has_error(turns: &[Turn]) -> bool {
    turns.iter().any(|turn| run::has_error(&turn.conditions))
}

/// The resources that are not ready, in words, in stable order.
fn waiting_for(turns: &[Turn], goal: Goal) -> Vec<String> {
    turns.iter().flat_map(|turn| of_application(turn, goal)).collect()
}

fn of_application(turn: &Turn, goal: Goal) -> Vec<String> {
    let Some(health) = &turn.health else { return vec![turn.application.name.clone()] };
    let resources = health.resources.iter();
    match goal {
        Goal::Healthy if health.status <= HealthStatus::Suspended && !is_any_missing(turn) => Vec::new(),
        Goal::Healthy => {
            let words = resources.filter_map(|resource| {
                let status = resource.health.as_ref().map(|health| health.status)?;
                (status > HealthStatus::Suspended).then(|| format!("{} ({status})", resource.key()))
            });
            words.collect()
        }
        Goal::Synced if run::sync_status(&turn.conditions, &turn.resources) == SyncStatus::Synced => Vec::new(),
        Goal::Synced => {
            let drifted = turn.resources.iter().filter(|resource| resource.state != ResourceState::InSync);
            drifted.map(|resource| format!("{}/{}", resource.gvk.kind, resource.name)).collect()
        }
        Goal::Deleted => {
            let is_there = |health: Option<HealthStatus>| health != Some(HealthStatus::Missing);
            let left = resources.filter(|resource| is_there(resource.health.as_ref().map(|health| health.status)));
            left.map(|resource| resource.key().to_string()).collect()
        }
    }
}

/// Argo CD's health does not mind what is missing; whoever waits for it to be healthy does.
fn is_any_missing(turn: &Turn) -> bool {
    let resources = turn.health.iter().flat_map(|health| &health.resources);
    resources.filter_map(|resource| resource.health.as_ref()).any(|health| health.status == HealthStatus::Missing)
}

fn degraded(turns: &[Turn]) -> Vec<String> {
    let resources = turns.iter().filter_map(|turn| turn.health.as_ref()).flat_map(|health| &health.resources);
    let degraded = resources.filter_map(|resource| {
        let health = resource.health.as_ref().filter(|health| health.status == HealthStatus::Degraded)?;
        Some(match health.message.as_str() {
            "" => resource.key().to_string(),
            message => format!("{}: {message}", resource.key()),
        })
    });
    degraded.collect()
}
