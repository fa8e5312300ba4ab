//! A child that is spoken with while it runs, from a thread that may block.
//!
//! In: a [`Command`]. Out: its two ends, and what it complained about. Dropping it ends it, with its children.

use std::io::Read;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Command, ProcessError, ProcessGroup, WatchedChild, get_ready};

/// How much of what a child complains about is kept.
const COMPLAINT: usize = 16 << 10;

/// A running child, ended when this is dropped.
#[derive(Debug)]
pub struct Piped {
    child: Child,
    stderr_text: Arc<Mutex<Vec<u8>>>,
    ended: Arc<AtomicBool>,
    _watched: WatchedChild,
}

/// Ends a child from another thread, to wake who waits for it to speak.
#[derive(Debug, Clone, Copy)]
pub struct Killer(ProcessGroup);

impl Killer {
    /// Ends it, with its children.
    pub fn kill(self) {
        self.0.kill();
    }
}

impl Piped {
    /// Starts a child; its time is up when the caller says so ([`Piped::killer`]).
    pub fn start(command: &Command) -> Result<(Self, ChildStdin, ChildStdout), ProcessError> {
        let mut builder = command.prepared();
        builder.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        get_ready();
        let mut child = builder.spawn().map_err(|cause| command.not_started(cause))?;
        let watched = WatchedChild::group(Some(child.id()));
        let (Some(stdin), Some(stdout), Some(mut stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            let cause = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
            return Err(ProcessError::Lost { program: command.name(), cause });
        };
        let stderr_text = Arc::new(Mutex::new(Vec::new()));
        let collected = stderr_text.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok(read @ 1..) = stderr.read(&mut buffer) {
                let mut collected = collected.lock().unwrap_or_else(PoisonError::into_inner);
                let room = COMPLAINT.saturating_sub(collected.len());
                collected.extend_from_slice(&buffer[..read.min(room)]);
            }
        });
        Ok((Self { child, stderr_text, ended: Arc::default(), _watched: watched }, stdin, stdout))
    }

    /// Ends it from another thread.
    pub fn killer(&self) -> Killer {
        Killer(ProcessGroup(Some(self.child.id())))
    }

    /// Turns true when this is dropped: its number may then be another's, and must not be killed any more.
    pub fn ended(&self) -> Arc<AtomicBool> {
        self.ended.clone()
    }

    /// Waits for its end, and says whether that was exit code 0.
    pub fn succeeds(mut self) -> bool {
        self.child.wait().is_ok_and(|status| status.success())
    }

    /// Its standard error, once it has ended or `patience` is over.
    pub fn stderr_text(&mut self, patience: std::time::Duration) -> Vec<u8> {
        let until = std::time::Instant::now() + patience;
        while matches!(self.child.try_wait(), Ok(None)) && std::time::Instant::now() < until {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        // The thread that listens may be one read behind.
        std::thread::sleep(std::time::Duration::from_millis(10));
        self.stderr_text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Killing what has ended and was waited for could hit a stranger with the same number.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.killer().kill();
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
