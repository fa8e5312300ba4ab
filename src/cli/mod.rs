//! The command line: arguments, environment and signals in, an exit code out.
//!
//! One file a verb, and each verb reads like the diagram in docs/design.md. Below this room nobody reads the environment.

mod arguments;
mod customizations;
mod delete;
mod diff;
mod doctor;
mod health;
mod history;
pub mod manifests;
mod reconcile;
mod render;
mod request;
mod rollback;
mod session;
mod sync;
mod undo;
mod wait;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::render::jsonnet;
use crate::report::ExitStatus;

/// Compare Kubernetes clusters with git, report drift and who caused it, and sync on request
///
/// Reads Argo CD `Application` manifests, fetches and renders their sources, and compares them with the live clusters.
/// Needs no server and no controller, and keeps nothing on the machine but a cache.
#[derive(Debug, Parser)]
#[command(name = "trueup", version, max_term_width = 100, arg_required_else_help = true, after_help = exit_codes())]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// The table of exit codes, as `--help` shows it.
fn exit_codes() -> String {
    let row = |status: &ExitStatus| format!("  {}  {}\n", status.code(), status.meaning());
    let table: String = ExitStatus::ALL.iter().map(row).collect();
    format!(
        "Exit codes:\n{table}  130, 143  ended by Ctrl-C or SIGTERM\n\nOf several codes the first of 2, 4, 5, 3, 1 counts."
    )
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Diff(Box<diff::DiffArguments>),
    Sync(Box<sync::SyncArguments>),
    Reconcile(Box<reconcile::ReconcileArguments>),
    Rollback(Box<rollback::RollbackArguments>),
    Delete(Box<delete::DeleteArguments>),
    History(Box<history::HistoryArguments>),
    Render(Box<render::RenderArguments>),
    Health(Box<health::HealthArguments>),
    Wait(Box<wait::WaitArguments>),
    Doctor(Box<doctor::DoctorArguments>),
    /// Evaluate Jsonnet for another process of this program
    #[command(name = jsonnet::WORKER, hide = true)]
    JsonnetWorker,
}

/// Runs the program.
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Diff(arguments) => session::run(&arguments.look(), |session| diff::diff(*arguments, session)),
        Command::Sync(arguments) => {
            session::run_to_its_step(&arguments.look(), |session| sync::sync(*arguments, session))
        }
        Command::Reconcile(arguments) => {
            session::run_to_its_step(&arguments.look(), |session| reconcile::reconcile(*arguments, session))
        }
        Command::Rollback(arguments) => {
            session::run_to_its_step(&arguments.look(), |session| rollback::rollback(*arguments, session))
        }
        Command::Delete(arguments) => {
            session::run_to_its_step(&arguments.look(), |session| delete::delete(*arguments, session))
        }
        Command::History(arguments) => session::run(&arguments.look(), |session| history::history(*arguments, session)),
        Command::Render(arguments) => session::run(&arguments.look(), |session| render::render(*arguments, session)),
        Command::Health(arguments) => session::run(&arguments.look(), |session| health::health(*arguments, session)),
        Command::Wait(arguments) => session::run(&arguments.look(), |session| wait::wait(*arguments, session)),
        Command::Doctor(arguments) => session::run(&arguments.look(), |session| doctor::doctor(*arguments, session)),
        Command::JsonnetWorker => match jsonnet::serve(std::io::stdin().lock(), std::io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // The other process reads it; there is nobody to tell when it does not.
                let _ = writeln!(std::io::stderr(), "{error}");
                ExitCode::from(2)
            }
        },
    }
}
