//! Waits until every application is as it should be: healthy, synced, or gone.
//!
//! In: a [`Request`], and what to wait for. Out: the [`Run`] as it was at last, and how the wait ended. Sources are fetched
//! and rendered once, the clusters are listed once and watched from then on. Whenever something of the applications has
//! changed they are looked at again, until the goal is reached, the time is over, or something has failed that will not
//! repair itself.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::app::SelectionError;
use crate::cluster::Watching;
use crate::finding::{Code, Finding};
use crate::fleet::application::{Commits, Compared, Extras, Listed, OnCluster, Purpose, Rendered};
use crate::fleet::batch::Batch;
use crate::fleet::condition::Conditions;
use crate::fleet::live::{Listing, Live};
use crate::fleet::reporting::{Reported, WithHealth};
use crate::fleet::run::{self, ApplicationHealth};
use crate::fleet::stages::select::select;
use crate::fleet::stages::{compare, extras, health, last_sync, list, reasons, settings, watch};
use crate::fleet::targets::targets;
use crate::fleet::{ApplicationRun, Request, Run, SyncStatus, World};
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
                Finding::error(Code::WaitDegraded, format!("gave up waiting: {} degraded", counted(what.len())))
                    .with_cause(what.join("; "))
                    .with_help("`--ignore-degraded` keeps waiting"),
            ),
            Self::TimedOut(what) => Some(
                Finding::error(Code::WaitTimeout, format!("timed out waiting after {} s", timeout.as_secs()))
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
pub async fn wait(request: Request, world: &World, patience: Patience) -> Result<(Run, Ending), Vec<SelectionError>> {
    let ends = Instant::now() + patience.timeout;
    let mut request = settings::read(request, world).await;
    let applications = select(&mut request, world).await?;
    let rendered = targets(applications, &mut request, &Purpose::Keep, world).await;
    let others = Others::of(&rendered);
    let (rendered, places) = rendered.split();
    let (looks, ending) = until(rendered, others, &request, world, patience, ends).await;
    let run = places.join(looks).end(std::mem::take(&mut request.findings), world);
    Ok((health::judge_unknown(run, &request), ending))
}

/// The applications that have no target, as far as a wait is about them.
pub(crate) struct Others {
    are_all_valid: bool,
    are_in_doubt: bool,
}

impl Others {
    pub(crate) fn of<T>(batch: &Batch<T>) -> Self {
        let are_in_doubt = batch.left().any(|left| left.conditions.block_comparison());
        Self { are_all_valid: !batch.has_invalid(), are_in_doubt }
    }

    /// And one more with each of these conditions.
    pub(crate) fn and(self, mut others: impl Iterator<Item = Conditions>) -> Self {
        let are_in_doubt = self.are_in_doubt || others.any(|conditions| conditions.block_comparison());
        Self { are_in_doubt, ..self }
    }
}

/// One look at an application.
pub(crate) struct WaitLook {
    pub(crate) health: Option<ApplicationHealth>,
    /// The errors and warnings of judging it.
    pub(crate) conditions: Conditions,
    of: Found,
}

/// How far it was looked at.
enum Found {
    Listed(Box<Listed>),
    Compared(Box<Compared>),
}

impl WaitLook {
    fn resources(&self) -> &[ResourceDrift] {
        match &self.of {
            Found::Listed(_) => &[],
            Found::Compared(compared) => &compared.resources,
        }
    }

    fn into_rendered(self) -> Rendered {
        match self.of {
            Found::Listed(listed) => listed.rendered,
            Found::Compared(compared) => compared.into_rendered(),
        }
    }
}

impl OnCluster for WaitLook {
    fn listed(&self) -> &Listed {
        match &self.of {
            Found::Listed(listed) => listed,
            Found::Compared(compared) => compared.listed(),
        }
    }

    fn all_conditions(&self) -> Conditions {
        let judged = self.listed().all_conditions().and(&self.conditions);
        match &self.of {
            Found::Listed(_) => judged,
            Found::Compared(compared) => judged.and(&compared.all_conditions()),
        }
    }
}

impl Reported for WaitLook {
    fn report(self) -> ApplicationRun {
        let conditions = self.all_conditions().into_vec();
        let run = match self.of {
            Found::Listed(listed) => listed.report(),
            Found::Compared(compared) => compared.report(),
        };
        ApplicationRun { conditions, health: self.health, ..run }
    }
}

/// Waits for rendered applications.
pub(crate) async fn until(
    mut rendered: Vec<Rendered>,
    others: Others,
    request: &Request,
    world: &World,
    patience: Patience,
    ends: Instant,
) -> (Vec<WaitLook>, Ending) {
    let clusters = list::clusters(&rendered);
    let mut watching = watch::open(&rendered, &clusters, request.concurrency, &world.progress).await;
    let mut shown = Vec::new();
    let mut is_first_look = true;
    let (mut looks, ending) = loop {
        let looked = Instant::now();
        let looks = look(rendered, &watching, request, world, patience.goal).await;
        let waiting = match verdict(&looks, &others, patience, is_first_look) {
            _ if !others.are_all_valid => break (looks, Ending::Failed),
            Verdict::Ended(ending) => break (looks, ending),
            Verdict::Waiting(waiting) if Instant::now() >= ends => break (looks, Ending::TimedOut(waiting)),
            Verdict::Waiting(waiting) => waiting,
        };
        is_first_look = false;
        if waiting != shown {
            world.progress.waiting_for(&waiting);
            shown = waiting;
        }
        rendered = looks.into_iter().map(WaitLook::into_rendered).collect();
        sleep_until(ends.min(looked + patience.interval)).await;
        // That nothing has changed until then is an answer, too.
        let _ = timeout_at(ends.min(looked + LOOKED_AT_EVERY), change(&mut watching, &rendered, patience.goal)).await;
    };
    let mut subjects: Vec<reasons::Subject<'_>> = looks
        .iter_mut()
        .filter_map(|look| Some((Arc::clone(&look.listed().connection.cluster), look.health.as_mut()?)))
        .collect();
    reasons::explain(&mut subjects, request).await;
    (looks, ending)
}

/// One look at what is known of the clusters.
async fn look(
    rendered: Vec<Rendered>,
    watching: &Watching<'_, Listing>,
    request: &Request,
    world: &World,
    goal: Goal,
) -> Vec<WaitLook> {
    let places = watching.places().map(|(place, listed)| (place.clone(), listed.clone()));
    let listed = list::listed(rendered, &Arc::new(Live::of(places)));
    let judged = health::judge(listed, request).await;
    if goal != Goal::Synced {
        let look =
            |WithHealth { of, health, conditions }| WaitLook { health, conditions, of: Found::Listed(Box::new(of)) };
        return judged.into_iter().map(look).collect();
    }
    let mut listed = Vec::new();
    let mut healths = Vec::new();
    for WithHealth { of, health, conditions } in judged {
        listed.push(of);
        healths.push((health, conditions));
    }
    let compared = compare_listed(listed, request, world).await;
    let look =
        |(compared, (health, conditions))| WaitLook { health, conditions, of: Found::Compared(Box::new(compared)) };
    compared.into_iter().zip(healths).map(look).collect()
}

/// Compares with what is watched.
async fn compare_listed(listed: Vec<Listed>, request: &Request, world: &World) -> Vec<Compared> {
    let observed = last_sync::read(listed, request).await;
    let differences = compare::compare(&observed, request, world).await;
    // Extras may be of any kind, and looking for them costs a LIST each: only once all that git names is in sync.
    let extras = if differences.iter().flat_map(|one| &one.resources).any(ResourceDrift::is_drift) {
        observed.iter().map(|_| Extras::default()).collect()
    } else {
        extras::find(&observed, request, &world.progress).await
    };
    let compared = observed.into_iter().zip(differences).zip(extras);
    compared
        .map(|((observed, differences), extras)| Compared::of(observed, differences, extras, Commits::new()))
        .collect()
}

/// Returns when something has changed that the wait is about.
async fn change(watching: &mut Watching<'_, Listing>, rendered: &[Rendered], goal: Goal) {
    let in_git: HashSet<Key> = rendered.iter().flat_map(|rendered| rendered.target.iter()).map(Object::key).collect();
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

fn verdict(looks: &[WaitLook], others: &Others, patience: Patience, is_first_look: bool) -> Verdict {
    let mut waiting: Vec<String> = looks.iter().flat_map(|look| waiting_for(look, patience.goal)).collect();
    // What cannot be reported at first will not be reported later; an API server that goes away meanwhile may come back.
    let is_known = !others.are_in_doubt && !looks.iter().any(|look| look.all_conditions().block_comparison());
    if is_first_look && !is_known {
        return Verdict::Ended(Ending::Failed);
    } else if is_known && waiting.is_empty() {
        return Verdict::Ended(Ending::Reached);
    }
    if !is_known {
        waiting.push("an answer of the cluster".to_owned());
    }
    let degraded = degraded(looks);
    if patience.goal == Goal::Healthy && !patience.ignores_degraded && !degraded.is_empty() {
        return Verdict::Ended(Ending::Degraded(degraded));
    }
    Verdict::Waiting(waiting)
}

/// The resources of an application that are not ready, in words, in stable order.
fn waiting_for(look: &WaitLook, goal: Goal) -> Vec<String> {
    let Some(health) = &look.health else { return vec![look.listed().application.name.clone()] };
    let resources = health.resources.iter();
    match goal {
        Goal::Healthy if health.status <= HealthStatus::Suspended && !is_any_missing(health) => Vec::new(),
        Goal::Healthy => {
            let words = resources.filter_map(|resource| {
                let status = resource.health.as_ref().map(|health| health.status)?;
                (status > HealthStatus::Suspended).then(|| format!("{} ({status})", resource.key()))
            });
            words.collect()
        }
        Goal::Synced if is_synced(look) => Vec::new(),
        Goal::Synced => {
            let drifted = look.resources().iter().filter(|resource| resource.state != ResourceState::InSync);
            drifted.map(|resource| format!("{}/{}", resource.gvk.kind, resource.name)).collect()
        }
        Goal::Deleted => {
            let is_there = |health: Option<HealthStatus>| health != Some(HealthStatus::Missing);
            let left = resources.filter(|resource| is_there(resource.health.as_ref().map(|health| health.status)));
            left.map(|resource| resource.key().to_string()).collect()
        }
    }
}

fn is_synced(look: &WaitLook) -> bool {
    run::sync_status(&look.all_conditions().into_vec(), look.resources()) == SyncStatus::Synced
}

/// Argo CD's health does not mind what is missing; whoever waits for it to be healthy does.
fn is_any_missing(health: &ApplicationHealth) -> bool {
    let judged = health.resources.iter().filter_map(|resource| resource.health.as_ref());
    judged.into_iter().any(|health| health.status == HealthStatus::Missing)
}

fn degraded(looks: &[WaitLook]) -> Vec<String> {
    let resources = looks.iter().filter_map(|look| look.health.as_ref()).flat_map(|health| &health.resources);
    let degraded = resources.filter_map(|resource| {
        let health = resource.health.as_ref().filter(|health| health.status == HealthStatus::Degraded)?;
        Some(match health.message.as_str() {
            "" => resource.key().to_string(),
            message => format!("{}: {message}", resource.key()),
        })
    });
    degraded.collect()
}
