//! A run that goes on beside its test: it is waited for, and it gets signals.
//!
//! In: a child. Out: its [`Outcome`]. One that is dropped is killed, so that no test leaves a program behind.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::run::Outcome;

/// How often is looked whether something came about.
const PAUSE: Duration = Duration::from_millis(20);
/// How long is waited for what surely comes about.
const PATIENCE: Duration = Duration::from_secs(60);

/// A run that was started.
pub(crate) struct Started {
    child: Child,
    time_limit: Duration,
    outcome: Option<Box<dyn FnOnce(Option<i32>) -> Outcome + Send>>,
}

impl Started {
    pub(super) fn new(
        child: Child,
        time_limit: Duration,
        outcome: impl FnOnce(Option<i32>) -> Outcome + Send + 'static,
    ) -> Self {
        Self { child, time_limit, outcome: Some(Box::new(outcome)) }
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, by its name without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status();
        assert!(sent.expect("kill is everywhere").success(), "the run ended before SIG{name}");
    }

    /// Waits for its end; any other exit code fails the test and shows the whole run.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Outcome {
        let outcome = self.outcome();
        assert!(outcome.code == Some(code), "expected exit code {code}\n{}", outcome.transcript());
        outcome
    }

    /// Waits for its end, whatever it is.
    pub(crate) fn outcome(mut self) -> Outcome {
        let ends = Instant::now() + self.time_limit;
        let code = loop {
            match self.child.try_wait().expect("it is our child") {
                Some(status) => break status.code(),
                None if Instant::now() >= ends => {
                    self.child.kill().expect("it is our child");
                    break self.child.wait().expect("it is our child").code();
                }
                None => std::thread::sleep(PAUSE),
            }
        };
        let outcome = self.outcome.take().expect("it is taken once");
        outcome(code)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something holds; it failing to come about fails the test.
#[track_caller]
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let ends = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < ends, "{what}: not within {} s", PATIENCE.as_secs());
        std::thread::sleep(PAUSE);
    }
}
