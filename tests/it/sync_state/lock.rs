//! One sync at a time: the Lease beside the state.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trueup::process::Cancel;
use trueup::sync::lock::{Lock, LockError, LockPatience, LockTerms, holder, identity};

use super::{Site, connection};
use crate::harness::or_skip;

const LEASE: &str = "lease/trueup-shop";
const AT_ONCE: Duration = Duration::ZERO;

impl Site {
    async fn lock(&self, holder: &str, patience: Duration) -> Result<Lock, LockError> {
        Lock::take(self.connection.clone(), self.place.clone(), holder, patience).await
    }

    async fn lock_for(&self, holder: &str, patience: Duration, seconds: u64) -> Result<Lock, LockError> {
        let terms = LockTerms { duration: Duration::from_secs(seconds), renewal: Duration::from_millis(500) };
        let patience = LockPatience { time: patience, terms, stop: &Cancel::new() };
        Lock::take_on(self.connection.clone(), self.place.clone(), holder, patience).await
    }

    /// What kubectl says of the Lease's spec.
    fn lease(&self) -> Value {
        self.get(LEASE)["spec"].take()
    }

    /// A Lease that somebody holds who renewed it at this time.
    fn held_since(&self, renewed: jiff::Timestamp, seconds: u64) {
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "trueup-shop"},
            "spec": {"holderIdentity": "somebody", "leaseDurationSeconds": seconds, "leaseTransitions": 3,
                     "acquireTime": format!("{renewed:.6}"), "renewTime": format!("{renewed:.6}")},
        });
        self.cluster.apply(lease);
    }
}

fn is_held_by(result: Result<Lock, LockError>, expected: &str) -> bool {
    matches!(result, Err(LockError::Held { holder, .. }) if holder == expected)
}

/// Eight CI jobs start in the same second.
#[test]
fn of_many_who_ask_at_once_one_gets_the_lock() {
    let site = or_skip!(Site::new());
    let names: Vec<String> = (0..8).map(|number| identity("runner", number)).collect();

    let taken = site.block_on(futures::future::join_all(names.iter().map(|name| site.lock(name, AT_ONCE))));

    let won: Vec<_> = taken.iter().zip(&names).filter(|(lock, _)| lock.is_ok()).map(|(_, name)| name).collect();
    assert_eq!(won.len(), 1);
    for error in taken.iter().filter_map(|lock| lock.as_ref().err()) {
        assert!(matches!(error, LockError::Held { holder, .. } if holder == won[0]), "{error}");
    }
    assert_eq!(site.lease()["holderIdentity"], **won[0]);
    let seen = site.block_on(holder(&*site.connection, &site.place)).unwrap().unwrap();
    assert_eq!(seen.name, *won[0]);
}

/// The next run does not wait for a time to pass: it is given back.
#[test]
fn a_lock_that_is_given_back_is_free_at_once() {
    let site = or_skip!(Site::new());
    site.block_on(async {
        site.lock("first", AT_ONCE).await.unwrap().release().await.unwrap();
        let second = site.lock("second", AT_ONCE).await.unwrap();
        assert!(is_held_by(site.lock("third", AT_ONCE).await, "second"));
        second.release().await.unwrap();
        assert_eq!(holder(&*site.connection, &site.place).await.unwrap(), None);
    });
    let lease = site.lease();
    assert_eq!((&lease["holderIdentity"], &lease["leaseTransitions"]), (&json!(""), &json!(1)));
}

/// A node died with a sync on it an hour ago.
#[test]
fn a_holder_that_died_is_taken_over() {
    let site = or_skip!(Site::new());
    site.held_since(jiff::Timestamp::now() - Duration::from_secs(3600), 30);
    let lock = site.block_on(site.lock("next", AT_ONCE)).unwrap();
    let lease = site.lease();
    assert_eq!((&lease["holderIdentity"], &lease["leaseTransitions"]), (&json!("next"), &json!(4)));
    assert_eq!(lease["leaseDurationSeconds"], 30);
    site.block_on(lock.release()).unwrap();
}

/// Two machines whose clocks are a minute apart: the one behind is alive, and its lock is left alone.
#[test]
fn a_holder_whose_clock_is_behind_keeps_its_lock() {
    let site = or_skip!(Site::new());
    site.held_since(jiff::Timestamp::now() - Duration::from_secs(60), 3);
    let taken = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(1));
            site.held_since(jiff::Timestamp::now() - Duration::from_secs(60), 3);
        });
        site.block_on(site.lock_for("next", AT_ONCE, 30))
    });
    assert!(is_held_by(taken, "somebody"));
    // Then it gives no sign of life any more.
    let lock = site.block_on(site.lock_for("next", AT_ONCE, 30)).unwrap();
    assert_eq!(site.lease()["holderIdentity"], "next");
    site.block_on(lock.release()).unwrap();
}

/// A sync that takes longer than the lease: nobody takes it over while it works.
#[test]
fn a_lock_is_renewed_while_the_work_goes_on() {
    let site = or_skip!(Site::new());
    site.block_on(async {
        let lock = site.lock_for("worker", AT_ONCE, 3).await.unwrap();
        let lost = AtomicUsize::new(0);
        let work = async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            assert!(is_held_by(site.lock("other", AT_ONCE).await, "worker"));
            "done"
        };
        let done = lock.hold(work, || _ = lost.fetch_add(1, Ordering::SeqCst)).await;
        assert_eq!((done, lost.load(Ordering::SeqCst)), ("done", 0));
        lock.release().await.unwrap();
    });
}

/// Somebody forces the lock away: the work is told once, ends in its own time, and the new holder is left alone.
#[test]
fn work_whose_lock_is_lost_is_told() {
    let site = or_skip!(Site::new());
    let lock = site.block_on(site.lock_for("worker", AT_ONCE, 30)).unwrap();
    let thief = r#"{"spec": {"holderIdentity": "thief"}}"#;
    site.cluster.kubectl(["patch", LEASE, "--type=merge", "--patch", thief]);
    site.block_on(async {
        let (told, telling) = tokio::sync::oneshot::channel();
        let work = async {
            telling.await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        };
        lock.hold(work, || told.send(()).unwrap()).await;
        let error = lock.release().await.unwrap_err();
        assert_eq!(error, LockError::Lost { holder: "thief".to_owned() });
    });
    assert_eq!(site.lease()["holderIdentity"], "thief");
}

/// Somebody labels the Lease: that takes it from nobody.
#[test]
fn a_lease_that_somebody_edits_stays_with_its_holder() {
    let site = or_skip!(Site::new());
    let lock = site.block_on(site.lock_for("worker", AT_ONCE, 30)).unwrap();
    site.cluster.kubectl(["label", LEASE, "team=shop"]);
    site.block_on(async {
        let work = tokio::time::sleep(Duration::from_secs(1));
        lock.hold(work, || panic!("nobody took it")).await;
    });
    site.cluster.kubectl(["label", LEASE, "team=other", "--overwrite"]);
    site.block_on(lock.release()).unwrap();
    assert_eq!(site.get(LEASE)["metadata"]["labels"]["team"], "other");
}

/// `--lock-timeout`: the second run waits for the first.
#[test]
fn who_waits_gets_the_lock_when_it_is_free() {
    let site = or_skip!(Site::new());
    site.block_on(async {
        let first = site.lock("first", AT_ONCE).await.unwrap();
        let begun = Instant::now();
        assert!(is_held_by(site.lock("impatient", Duration::from_secs(1)).await, "first"));
        assert!(begun.elapsed() >= Duration::from_secs(1));
        let (second, ()) = tokio::join!(site.lock("second", Duration::from_secs(30)), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            first.release().await.unwrap();
        });
        second.unwrap().release().await.unwrap();
    });
}

/// An account that may not write Leases is told so, with the server's words.
#[test]
fn a_lock_that_may_not_be_written_is_refused() {
    let site = or_skip!(Site::new());
    let account = site.cluster.account("reader").may("get", "leases.coordination.k8s.io");
    let reader = connection(account.kubeconfig());
    let taken = site.block_on(Lock::take(reader, site.place.clone(), "reader", AT_ONCE));
    let Err(error @ LockError::Refused { .. }) = taken else { panic!("it was let") };
    assert_eq!(error.to_string(), "Lease `trueup-shop`, which is the lock, cannot be written");
    let account = site.cluster.account("syncer").may("get,create,update", "leases.coordination.k8s.io");
    let syncer = connection(account.kubeconfig());
    site.block_on(async {
        Lock::take(syncer, site.place.clone(), "syncer", AT_ONCE).await.unwrap().release().await.unwrap();
    });
}
