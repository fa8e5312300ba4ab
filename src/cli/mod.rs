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

/// One-shot GitOps reconciler for Kubernetes: does each cluster hold what git says, and if not, who moved?
///
/// Takes Argo CD `Application` manifests, brings the git repositories they name, renders them, and compares with the
/// live clusters. No server, no controller, nothing kept on the machine but a cache.
#[derive(Debug, Parser)]
#[command(name = "trueup", version, max_term_width = 100, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  all in sync, or done
  1  drift found, or left after a sync
  2  the answer could not be found: bad input, git, render, cluster
  3  something does not work, or was waited for in vain
  4  a policy or the account does not let it be done
  5  another run holds the lock

When several apply, 2 wins, then 4, 5, 3, 1.";

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
