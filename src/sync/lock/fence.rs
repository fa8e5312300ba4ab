//! Keeps a holder that was paused from writing: each write asks how old the lock is.
//!
//! In: when the lock was renewed last. Out: whether it may still be written under it. A laptop that slept, a virtual machine
//! that was suspended, a process that was stopped: when it goes on, another run may have taken the lock over. So the age is
//! measured by a clock that counts suspension, and it is looked at before each write, not only when a renewal is due.
//! [`Fenced`] is the cluster of whoever works under a lock: every write passes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, ready};
use serde_json::Value;

use crate::cluster::layer;
use crate::cluster::{Cluster, ClusterError, Deleted, Deletion, ObjectName, Validation, Writing, Written};
use crate::object::Object;
use crate::process::Cancel;

/// How old a lock is, and whether it may be written under.
pub struct Fence {
    clock: fn() -> Duration,
    /// How old the last renewal may be.
    limit: Duration,
    /// When the lock was renewed, in milliseconds of the clock.
    renewed: AtomicU64,
    expired: Cancel,
}

impl Fence {
    /// The fence of a lock that was renewed at this time of the clock.
    pub(super) fn new(limit: Duration, renewed: Duration) -> Self {
        Self::with_clock(now, limit, renewed)
    }

    fn with_clock(clock: fn() -> Duration, limit: Duration, renewed: Duration) -> Self {
        let fence = Self { clock, limit, renewed: AtomicU64::new(0), expired: Cancel::new() };
        fence.renew(renewed);
        fence
    }

    /// The lock was renewed at this time of the clock.
    pub(super) fn renew(&self, at: Duration) {
        self.renewed.store(milliseconds(at), Ordering::SeqCst);
    }

    /// How long ago the lock was renewed.
    pub(super) fn age(&self) -> Duration {
        Duration::from_millis(milliseconds((self.clock)()).saturating_sub(self.renewed.load(Ordering::SeqCst)))
    }

    /// Whether the lock may be written under. Once it may not, it never may again: another run may be at work.
    pub fn is_open(&self) -> bool {
        if self.age() >= self.limit {
            self.expired.cancel();
        }
        !self.expired.is_cancelled()
    }

    /// Whether a write was kept from being done.
    pub fn has_expired(&self) -> bool {
        self.expired.is_cancelled()
    }

    /// Returns when a write was kept from being done.
    pub(super) async fn expired(&self) {
        self.expired.cancelled().await;
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The time of a clock that goes on while the machine is suspended.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn now() -> Duration {
    elapsed(rustix::time::clock_gettime(rustix::time::ClockId::Boottime))
}

/// The time of a clock that goes on while the machine sleeps; `std::time::Instant` stands still here.
#[cfg(target_vendor = "apple")]
pub(super) fn now() -> Duration {
    elapsed(rustix::time::clock_gettime(rustix::time::ClockId::Monotonic))
}

/// The time of a clock that never goes back.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) fn now() -> Duration {
    static BEGUN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    BEGUN.elapsed()
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn elapsed(time: rustix::time::Timespec) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// A cluster that is only written to while the lock holds.
pub struct Fenced {
    inner: Arc<dyn Cluster>,
    fence: Arc<Fence>,
}

impl Fenced {
    /// The cluster of whoever works under this lock.
    pub fn new(inner: Arc<dyn Cluster>, fence: Arc<Fence>) -> Self {
        Self { inner, fence }
    }

    /// Does a write, unless the lock is too old.
    fn guarded<'a, T: Send + 'a>(
        &'a self,
        writing: Writing,
        write: impl FnOnce() -> BoxFuture<'a, Result<T, ClusterError>>,
    ) -> BoxFuture<'a, Result<T, ClusterError>> {
        if writing == Writing::DryRun || self.fence.is_open() {
            return write();
        }
        ready(Err(ClusterError::LockExpired { cluster: self.inner.name().into() })).boxed()
    }
}

impl Cluster for Fenced {
    layer::forward_facts!();
    layer::forward_reads!();

    fn apply<'a>(
        &'a self,
        object: &'a Object,
        validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        self.guarded(writing, || self.inner.apply(object, validation, writing))
    }

    fn create<'a>(
        &'a self,
        object: &'a Object,
        validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        self.guarded(writing, || self.inner.create(object, validation, writing))
    }

    fn replace<'a>(
        &'a self,
        object: &'a Object,
        validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        self.guarded(writing, || self.inner.replace(object, validation, writing))
    }

    fn patch<'a>(
        &'a self,
        object: &'a ObjectName,
        patch: &'a Value,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        self.guarded(writing, || self.inner.patch(object, patch, writing))
    }

    fn delete<'a>(
        &'a self,
        object: &'a ObjectName,
        deletion: &'a Deletion,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Deleted, ClusterError>> {
        self.guarded(writing, || self.inner.delete(object, deletion, writing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::folder::Folder;

    static TIME: AtomicU64 = AtomicU64::new(0);

    fn clock() -> Duration {
        Duration::from_secs(TIME.load(Ordering::SeqCst))
    }

    /// A laptop sleeps for a minute in the middle of a sync: whatever it was about to write is not written, and nothing
    /// after it, also when the clock were to go back.
    #[test]
    fn after_a_pause_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let inner: Arc<dyn Cluster> = Arc::new(Folder::open(folder.path()).unwrap());
        let fence = Arc::new(Fence::with_clock(clock, Duration::from_secs(20), Duration::ZERO));
        let cluster = Fenced::new(inner, Arc::clone(&fence));
        let object = |name: &str| {
            let metadata = serde_json::json!({"name": name, "namespace": "shop"});
            Object::new(serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})).unwrap()
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let apply = |name: &str, writing| runtime.block_on(cluster.apply(&object(name), Validation::Strict, writing));

        TIME.store(19, Ordering::SeqCst);
        assert!(apply("in-time", Writing::Really).is_ok() && !fence.has_expired());
        fence.renew(clock());
        TIME.store(80, Ordering::SeqCst);
        assert!(matches!(apply("late", Writing::Really), Err(ClusterError::LockExpired { .. })));
        assert!(apply("asked", Writing::DryRun).is_ok());
        TIME.store(20, Ordering::SeqCst);
        assert!(matches!(apply("later", Writing::Really), Err(ClusterError::LockExpired { .. })));

        assert!(fence.has_expired());
        let written = std::fs::read_dir(folder.path().join("shop")).unwrap().count();
        assert_eq!(written, 1);
    }

    #[test]
    fn the_clock_goes_on() {
        let before = now();
        std::thread::sleep(Duration::from_millis(20));
        assert!(now() >= before + Duration::from_millis(20));
    }
}
