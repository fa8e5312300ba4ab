//! Ends what a run started, where the run itself is killed and cannot do it.
//!
//! ```text
//! run ── "+g123" when a child starts, "-g123" when it has ended ──► watchdog (this program, once more, in a session of its own)
//! ```
//!
//! The system closes the run's end of the pipe however the run ends, also by SIGKILL; then the watchdog kills what is still
//! on its list, whole process groups, and ends. It starts with the first child, and not at all where nobody asked for it.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, Stdio};
use std::sync::{Mutex, PoisonError};

/// The argument that makes this program the watchdog.
pub const WATCHDOG: &str = "watchdog";

static WATCHDOG_OF_THIS_RUN: Mutex<Watchdog> = Mutex::new(Watchdog::None);

enum Watchdog {
    /// Nobody asked for one, or it could not be started.
    None,
    /// To be started with the first child: this program.
    Wanted(PathBuf),
    /// It listens.
    Running(ChildStdin),
}

/// From now on children end with this process, however it ends. `program` is this program.
pub fn end_children_with_this_process(program: PathBuf) {
    *WATCHDOG_OF_THIS_RUN.lock().unwrap_or_else(PoisonError::into_inner) = Watchdog::Wanted(program);
}

/// A child on the watchdog's list, until this is dropped.
#[derive(Debug)]
pub(crate) struct WatchedChild(Option<String>);

impl WatchedChild {
    /// A child that leads a process group, and everybody in it.
    pub(super) fn group(leader: Option<u32>) -> Self {
        Self::new('g', leader)
    }

    /// A child alone.
    pub(crate) fn process(id: Option<u32>) -> Self {
        Self::new('p', id)
    }

    fn new(kind: char, id: Option<u32>) -> Self {
        let entry = id.map(|id| format!("{kind}{id}"));
        if let Some(entry) = &entry {
            say(&format!("+{entry}\n"));
        }
        Self(entry)
    }
}

impl Drop for WatchedChild {
    fn drop(&mut self) {
        if let Some(entry) = &self.0 {
            say(&format!("-{entry}\n"));
        }
    }
}

/// Starts the watchdog where it is wanted: before a child is, so that it hears of the child at once.
pub(crate) fn get_ready() {
    let mut watchdog = WATCHDOG_OF_THIS_RUN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Watchdog::Wanted(program) = &*watchdog {
        // Without it, children still end with every run that is not killed.
        *watchdog = start(program).map_or(Watchdog::None, Watchdog::Running);
    }
}

fn say(line: &str) {
    let mut watchdog = WATCHDOG_OF_THIS_RUN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Watchdog::Running(pipe) = &mut *watchdog
        && pipe.write_all(line.as_bytes()).is_err()
    {
        *watchdog = Watchdog::None;
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the room that starts children")]
fn start(program: &std::path::Path) -> io::Result<ChildStdin> {
    let mut command = std::process::Command::new(program);
    command.arg(WATCHDOG).env_clear().stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    {
        // Who kills our process group does not mean it, and it keeps no folder from being unmounted.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.current_dir("/");
    }
    command.spawn()?.stdin.take().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
}

/// The watchdog's side: reads the list until the run is gone, then kills what is on it.
pub fn watch(input: impl BufRead) {
    #[cfg(unix)]
    let _ = rustix::process::setsid();
    let mut running = BTreeSet::new();
    for line in input.lines().map_while(Result::ok) {
        if let Some(entry) = line.strip_prefix('+') {
            running.insert(entry.to_owned());
        } else if let Some(entry) = line.strip_prefix('-') {
            running.remove(entry);
        }
    }
    for entry in &running {
        kill(entry);
    }
}

#[cfg(unix)]
fn kill(entry: &str) {
    use rustix::process::{Pid, Signal, kill_process, kill_process_group};
    let (kind, id) = entry.split_at_checked(1).unwrap_or_default();
    let Some(id) = id.parse().ok().filter(|id| *id > 1).and_then(Pid::from_raw) else { return };
    // It may have ended meanwhile: then there is nothing to kill.
    let _ = match kind {
        "g" => kill_process_group(id, Signal::KILL),
        _ => kill_process(id, Signal::KILL),
    };
}

#[cfg(not(unix))]
fn kill(_entry: &str) {}
