//! What can go wrong with a child program, apart from what it says itself.

use std::io;
use std::time::Duration;

use miette::Diagnostic;
use thiserror::Error;

/// A program that could not be run to its end.
#[derive(Debug, Error, Diagnostic)]
pub enum ProcessError {
    /// It is not there.
    #[error("program `{program}` is not installed")]
    #[diagnostic(code("trueup::process::not_found"), help("install it, or put its folder on `PATH`"))]
    NotFound {
        /// The program, as it was asked for.
        program: String,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// It is there, but the system does not start it.
    #[error("program `{program}` could not be started")]
    #[diagnostic(code("trueup::process::not_started"), help("check that it is executable, and that its folder exists"))]
    NotStarted {
        /// The program's name.
        program: String,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// It was started, and reading from it failed.
    #[error("program `{program}` could not be read from")]
    #[diagnostic(code("trueup::process::lost"), help("run the command again"))]
    Lost {
        /// The program's name.
        program: String,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// It was killed because its time was up.
    #[error("program `{program}` did not finish within {after:?}")]
    #[diagnostic(code("trueup::process::timeout"), help("see what it waits for by running it by hand"))]
    TimedOut {
        /// The program's name.
        program: String,
        /// How long it had.
        after: Duration,
    },
    /// The system gave it no more memory.
    #[error("program `{program}` used more than {} MiB of memory", limit >> 20)]
    #[diagnostic(code("trueup::process::memory"), help("look for a loop, or for something that grows without end"))]
    TooMuchMemory {
        /// The program's name.
        program: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// It was killed because the run was stopped.
    #[error("program `{program}` was stopped")]
    #[diagnostic(code("trueup::process::cancelled"), help("run the command again"))]
    Cancelled {
        /// The program's name.
        program: String,
    },
    /// It was killed because it wrote without end.
    #[error("program `{program}` wrote more than {limit} bytes")]
    #[diagnostic(code("trueup::process::output"), help("look at what it prints by running it by hand"))]
    TooMuchOutput {
        /// The program's name.
        program: String,
        /// How much it may write.
        limit: usize,
    },
}
