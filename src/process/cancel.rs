//! The one way to stop a run's work.
//!
//! In: a signal, or a caller who no longer needs the answer. Out: a flag for code that blocks ([`Cancel::flag`]) and a
//! future for code that waits ([`Cancel::cancelled`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Stops work that listens to it; cheap to clone, every clone is the same switch.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
    notify: Arc<Notify>,
    parent: Option<Arc<Cancel>>,
}

impl Cancel {
    /// A switch that nobody has turned yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A switch of its own that this one turns, too.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { parent: Some(Arc::new(self.clone())), ..Self::default() }
    }

    /// Stops everything that listens; a second call changes nothing.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    /// Whether it was turned.
    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::SeqCst) || self.parent.as_ref().is_some_and(|parent| parent.is_cancelled())
    }

    /// The flag itself, for libraries that look at one now and then.
    pub fn flag(&self) -> &AtomicBool {
        &self.flag
    }

    /// Returns when it is turned.
    pub async fn cancelled(&self) {
        match &self.parent {
            None => self.turned().await,
            Some(parent) => {
                tokio::select! {
                    () = self.turned() => {}
                    () = Box::pin(parent.cancelled()) => {}
                }
            }
        }
    }

    async fn turned(&self) {
        loop {
            // Listening starts before the flag is read: a turn in between is not missed.
            let turned = self.notify.notified();
            if self.flag.load(Ordering::SeqCst) {
                return;
            }
            turned.await;
        }
    }
}
