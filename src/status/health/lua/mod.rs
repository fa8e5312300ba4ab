//! A team's own health checks: Argo CD's scripts, run where they can do no harm.
//!
//! In: a [`Script`] and a live object. Out: its verdict; a script that fails, takes too long or too much is `Unknown`, with
//! its message and line. States are kept and used again, and each run has globals of its own.
//!
//! ```text
//! script ─► compiled once ─┐
//! object ─► table ─────────┴─► globals of one run ─► verdict          hook: time; allocator: memory
//! ```
//!
//! Rule: Argo CD util/lua. Its Lua is 5.1 with `goto`, which `LuaJIT` has; the compiler stays off, for its code asks no hook.

mod convert;
mod limits;
mod machine;
mod matching;
mod pattern;
mod times;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Health;
use crate::app::settings::Script;
use crate::object::Object;
pub use limits::Clock;
use machine::Machine;

/// How often a script may run out of time before it is not run any more: there may be ten thousand objects of its kind.
const GIVEN_UP_AFTER: u32 = 3;

/// Runs scripts, from as many threads as like to.
pub(super) struct Scripts {
    clock: Clock,
    /// States that are free.
    machines: Mutex<Vec<Machine>>,
    /// The scripts that ran out of time, and how often.
    timeouts: Mutex<Vec<(Arc<Script>, u32)>>,
}

impl Scripts {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, machines: Mutex::default(), timeouts: Mutex::default() }
    }

    /// Where they take the time from.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// The verdict of a script; none when it returns nothing.
    pub(super) fn run(&self, script: &Arc<Script>, object: &Object) -> Option<Health> {
        let timeouts = self.timeouts_of(script);
        if timeouts >= GIVEN_UP_AFTER {
            let words = format!("{} {timeouts} times, and is not run again", machine::TIMEOUT);
            return Some(Health::unknown(format!("{}: {words}", script.name)));
        }
        let free = locked(&self.machines).pop();
        let machine = match free {
            Some(machine) => Ok(machine),
            None => Machine::new(self.clock),
        };
        match machine.and_then(|mut machine| machine.run(script, object).map(|verdict| (machine, verdict))) {
            Ok((machine, verdict)) => {
                locked(&self.machines).push(machine);
                verdict
            }
            // A state in which something went wrong may be full: it is thrown away.
            Err(failure) => {
                if failure.is_timeout {
                    self.count_timeout(script);
                }
                Some(Health::unknown(format!("{}{}", failure.place, failure.words)))
            }
        }
    }

    fn timeouts_of(&self, script: &Arc<Script>) -> u32 {
        let timeouts = locked(&self.timeouts);
        timeouts.iter().find(|(known, _)| Arc::ptr_eq(known, script)).map_or(0, |(_, count)| *count)
    }

    fn count_timeout(&self, script: &Arc<Script>) {
        let mut timeouts = locked(&self.timeouts);
        match timeouts.iter_mut().find(|(known, _)| Arc::ptr_eq(known, script)) {
            Some((_, count)) => *count += 1,
            None => timeouts.push((Arc::clone(script), 1)),
        }
    }
}

/// A lock poisoned by a panic is safe to use: only complete values are stored.
fn locked<Held>(mutex: &Mutex<Held>) -> MutexGuard<'_, Held> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
