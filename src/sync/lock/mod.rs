//! One sync of an application at a time: a Lease beside the state.
//!
//! In: a cluster, the place of the state, who asks. Out: a [`Lock`] that is renewed while the work goes on, or who has it.
//! A holder that died is taken over after its time. The lock is given back by emptying `holderIdentity`, as client-go's
//! `ReleaseOnCancel` does: that needs no right to delete, and the Lease keeps count of how often it changed hands.
//!
//! Rules: `coordination.k8s.io/v1` Lease; client-go tools/leaderelection for renewing and taking over.

mod error;
mod fence;
mod lease;

pub use error::LockError;
pub use fence::{Fence, Fenced};

use std::hash::{BuildHasher, Hasher, RandomState};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use self::lease::Standing;
use super::ownership::{Claim, Removal, delete};
use super::state::Place;
use crate::cluster::{Cluster, ClusterError, Propagation, Reason, Refusal, Validation, Writing, Written};
use crate::object::Object;
use crate::process::Cancel;

/// How often somebody who waits looks again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// No lock of ours is held longer without a sign of life.
pub const LONGEST: Duration = Duration::from_secs(300);
/// No lock of ours is held shorter: it would be lost between two renewals.
pub const SHORTEST: Duration = Duration::from_secs(3);
/// How soon a renewal that got no answer is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// To whom a lock is lost that was not renewed in time.
const EXPIRED: &str = "no known run: it expired before it could be renewed";
/// How often a lock is given back against somebody who writes to it, too.
const TRIES: usize = 5;

/// For how long a lock is held without a sign of life, and how often one is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockTerms {
    /// How long it is held after the last renewal.
    pub duration: Duration,
    /// How often it is renewed.
    pub renewal: Duration,
}

impl LockTerms {
    /// Held for so long, and renewed at each third of it: one renewal may be lost.
    pub fn of(duration: Duration) -> Self {
        Self { duration, renewal: duration / 3 }
    }
}

impl Default for LockTerms {
    fn default() -> Self {
        Self::of(Duration::from_secs(30))
    }
}

/// How a lock is waited for, and on which terms it is then held.
#[derive(Debug, Clone, Copy)]
pub struct LockPatience<'a> {
    /// How long at most.
    pub time: Duration,
    /// The terms.
    pub terms: LockTerms,
    /// Whether somebody no longer wants to wait.
    pub stop: &'a Cancel,
}

impl LockPatience<'_> {
    /// Waits so long; whether somebody no longer wants to.
    async fn is_over_within(&self, time: Duration) -> bool {
        timeout(time, self.stop.cancelled()).await.is_ok()
    }
}

/// A lock that is held.
pub struct Lock {
    cluster: Arc<dyn Cluster>,
    place: Place,
    holder: String,
    terms: LockTerms,
    hand: Mutex<Hand>,
    fence: Arc<Fence>,
}

/// The known state of the Lease.
struct Hand {
    /// The Lease as it was written last.
    lease: Object,
    /// When it was taken, at the earliest, by the clock of the fence.
    taken: Duration,
    /// Who has it instead.
    lost_to: Option<String>,
}

/// Who has a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub name: String,
    /// Since when (RFC 3339).
    pub since: String,
}

/// Who asks, so that nobody else has the same name: the machine, the process, and a number.
pub fn identity(host: &str, process: u32) -> String {
    // Each of these is seeded again.
    let number = RandomState::new().build_hasher().finish();
    format!("{host}_{process}_{number:016x}")
}

/// Who has the lock now; nobody where there is none, or its holder died.
pub async fn holder(cluster: &dyn Cluster, place: &Place) -> Result<Option<Holder>, ClusterError> {
    let Some(lease) = cluster.get(&place.lease()).await? else { return Ok(None) };
    Ok(match lease::standing(&lease, Timestamp::now()) {
        Standing::Free | Standing::Expired | Standing::Doubtful => None,
        Standing::Held => {
            Some(Holder { name: lease::holder(&lease).to_owned(), since: lease::since(&lease).to_owned() })
        }
    })
}

impl Lock {
    /// Takes the lock, waiting for it so long at most.
    pub async fn take(
        cluster: Arc<dyn Cluster>,
        place: Place,
        holder: &str,
        patience: Duration,
    ) -> Result<Self, LockError> {
        let patience = LockPatience { time: patience, terms: LockTerms::default(), stop: &Cancel::new() };
        Self::take_on(cluster, place, holder, patience).await
    }

    /// Takes the lock on other terms.
    pub async fn take_on(
        cluster: Arc<dyn Cluster>,
        place: Place,
        holder: &str,
        patience: LockPatience<'_>,
    ) -> Result<Self, LockError> {
        let terms = patience.terms;
        if place.namespace.is_empty() {
            return Err(LockError::NoNamespace);
        }
        let begun = Instant::now();
        loop {
            let held = match try_to_take(&*cluster, &place, holder, patience).await {
                Ok(hand) => {
                    // Whoever takes it over waits for all of its time: the work has to know before.
                    let limit = terms.duration.saturating_sub(terms.renewal);
                    let fence = Arc::new(Fence::new(limit, hand.taken));
                    let holder = holder.to_owned();
                    return Ok(Self { cluster, place, holder, terms, hand: Mutex::new(hand), fence });
                }
                Err(error @ LockError::Held { .. }) => error,
                Err(error) => return Err(error),
            };
            let left = patience.time.saturating_sub(begun.elapsed());
            if left.is_zero() || patience.is_over_within(left.min(LOOK_AGAIN)).await {
                return Err(held);
            }
        }
    }

    /// How old it is, for whoever is about to write.
    pub fn fence(&self) -> Arc<Fence> {
        Arc::clone(&self.fence)
    }

    /// Does the work, renewing the lock beside it. When the lock is lost, the work is reported to stop after its step in
    /// flight: `lost` is called once.
    pub async fn hold<T>(&self, work: impl Future<Output = T>, lost: impl FnOnce()) -> T {
        let mut work = pin!(work);
        tokio::select! {
            // What is done is done, even where the lock is lost in the same moment.
            biased;
            done = &mut work => return done,
            () = self.keep() => lost(),
        }
        work.await
    }

    /// Gives it back; tells if it was lost before.
    pub async fn release(self) -> Result<(), LockError> {
        let hand = self.hand.into_inner();
        if let Some(holder) = hand.lost_to {
            return Err(LockError::Lost { holder });
        }
        let mut lease = hand.lease;
        for _ in 0..TRIES {
            let freed = lease::freed(&lease, Timestamp::now());
            match self.cluster.replace(&freed, Validation::Strict, Writing::Really).await? {
                Written::Done(_) => return Ok(()),
                Written::Refused(refusal) if is_replaced(&refusal) => {}
                Written::Refused(refusal) => return Err(refused(&self.place, refusal)),
            }
            lease = match self.cluster.get(&self.place.lease()).await? {
                // Whoever deleted it has freed it.
                None => return Ok(()),
                Some(now) if lease::holder(&now) == self.holder => now,
                Some(now) => return Err(LockError::Lost { holder: lease::holder(&now).to_owned() }),
            };
        }
        Err(LockError::Lost { holder: self.holder })
    }

    /// Gives it back, and takes the Lease away: there is nothing left to lock. An account that may not delete leaves an
    /// empty one.
    pub async fn remove(self) -> Result<(), LockError> {
        let hand = self.hand.lock().await;
        let (uid, is_held) = (hand.lease.uid().to_owned(), hand.lost_to.is_none());
        drop(hand);
        if is_held {
            let claim = Claim::Lock(&self.holder, &uid);
            if let Ok(Removal::Gone | Removal::Going | Removal::Absent) =
                delete(&*self.cluster, &self.place.lease(), &claim, Propagation::Background).await
            {
                return Ok(());
            }
        }
        self.release().await
    }

    /// Renews it until it is lost.
    async fn keep(&self) {
        loop {
            let is_due = timeout(self.terms.renewal, self.fence.expired()).await.is_err();
            let mut hand = self.hand.lock().await;
            if !is_due {
                hand.lost_to = Some(EXPIRED.to_owned());
                return;
            }
            let time_left = self.terms.duration.saturating_sub(self.fence.age().saturating_add(self.terms.renewal));
            let renewed = timeout(time_left, self.renew(&mut hand)).await;
            let lost_to = match renewed {
                Ok(Ok(())) => continue,
                Ok(Err(holder)) => holder,
                Err(_elapsed) => EXPIRED.to_owned(),
            };
            hand.lost_to = Some(lost_to);
            return;
        }
    }

    /// Gives a sign of life, however often it takes; tells who has the lock when it is lost.
    async fn renew(&self, hand: &mut Hand) -> Result<(), String> {
        loop {
            let begun = fence::now();
            let renewed = lease::renewed(&hand.lease, Timestamp::now());
            match self.cluster.replace(&renewed, Validation::Strict, Writing::Really).await {
                Ok(Written::Done(lease)) => {
                    hand.lease = *lease;
                    self.fence.renew(begun);
                    return Ok(());
                }
                Ok(Written::Refused(refusal)) if is_replaced(&refusal) => {
                    match self.cluster.get(&self.place.lease()).await {
                        Ok(Some(now)) if lease::holder(&now) == self.holder => {
                            hand.lease = now;
                            continue;
                        }
                        Ok(Some(now)) => return Err(named(lease::holder(&now))),
                        Ok(None) => return Err("no run: the Lease was deleted".to_owned()),
                        Err(_) => {}
                    }
                }
                // Whoever answers that may answer otherwise in a second; in the end the time is over.
                Ok(Written::Refused(_)) | Err(_) => {}
            }
            sleep(TRY_AGAIN).await;
        }
    }
}

/// Takes the lock if nobody has it.
async fn try_to_take(
    cluster: &dyn Cluster,
    place: &Place,
    holder: &str,
    patience: LockPatience<'_>,
) -> Result<Hand, LockError> {
    let terms = patience.terms;
    let mut is_watched = false;
    loop {
        let lease = cluster.get(&place.lease()).await?;
        if let Some(lease) = &lease {
            match lease::standing(lease, Timestamp::now()) {
                Standing::Free | Standing::Expired => {}
                // A holder that lives renews it meanwhile, and then the Lease is no longer what was read.
                Standing::Doubtful if !is_watched => {
                    let renewal = LockTerms::of(lease::duration(lease).min(LONGEST)).renewal;
                    if patience.is_over_within(renewal + LOOK_AGAIN).await {
                        return Err(held(lease));
                    }
                    is_watched = true;
                }
                Standing::Doubtful | Standing::Held => return Err(held(lease)),
            }
        }
        let taken = fence::now();
        let now = Timestamp::now();
        let answer = match &lease {
            None => {
                cluster.create(&lease::made(place, holder, terms, now), Validation::Strict, Writing::Really).await?
            }
            Some(lease) => {
                let taken = lease::taken(lease, holder, terms, now);
                cluster.replace(&taken, Validation::Strict, Writing::Really).await?
            }
        };
        match answer {
            Written::Done(lease) => return Ok(Hand { lease: *lease, taken, lost_to: None }),
            // Somebody was faster: who it was says the Lease.
            Written::Refused(refusal) if lease.is_none() && refusal.reason == Reason::AlreadyExists => {}
            Written::Refused(refusal) if lease.is_some() && is_replaced(&refusal) => {}
            Written::Refused(refusal) => return Err(refused(place, refusal)),
        }
    }
}

/// Whether the Lease is no longer the one that was read.
fn is_replaced(refusal: &Refusal) -> bool {
    matches!(refusal.reason, Reason::Conflict | Reason::NotFound)
}

fn held(lease: &Object) -> LockError {
    LockError::Held {
        holder: lease::holder(lease).to_owned(),
        since: lease::since(lease).to_owned(),
        duration: lease::duration(lease),
    }
}

fn refused(place: &Place, refusal: Refusal) -> LockError {
    LockError::Refused { name: place.name.clone(), refusal }
}

fn named(holder: &str) -> String {
    if holder.is_empty() { "no run: the Lease was released".to_owned() } else { holder.to_owned() }
}
