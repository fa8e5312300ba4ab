//! The command line: arguments, environment and signals in, an exit code out.

pub mod manifests;

use std::process::ExitCode;

/// Runs the program.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
