//! The command line: arguments, environment and signals in, an exit code out.
//!
//! One file a verb, and each verb reads like the diagram in docs/design.md. Below this room nobody reads the environment.

mod about;
mod apps_from;
mod arguments;
mod built;
mod can_i;
mod cluster;
mod customizations;
mod delete;
mod diff;
mod doctor;
mod expand;
mod health;
mod help;
mod history;
mod inputs;
pub mod manifests;
mod mentions;
mod policy;
mod project;
mod reconcile;
mod registered;
mod render;
mod repo;
mod request;
mod rollback;
mod session;
mod sync;
mod undo;
mod wait;
mod watch;
mod whoami;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::fleet::jq;
use crate::render::jsonnet;
use crate::report::ExitStatus;
use crate::{process, storage};

/// Compare Kubernetes clusters with git, report drift and who caused it, and sync on request
///
/// Reads Argo CD `Application` manifests, fetches and renders their sources, and compares them with the live clusters.
/// Needs no server and no controller, and keeps nothing on the machine but a cache.
#[derive(Debug, clap::Parser)]
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
        "Exit codes:\n{table}  130, 143  stopped by Ctrl-C or SIGTERM\n\nOf several codes the first of 2, 4, 5, 3, 1 \
         counts."
    )
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Diff(Box<diff::DiffArguments>),
    #[command(visible_alias = "list")]
    Status(Box<diff::StatusArguments>),
    Plan(Box<sync::PlanArguments>),
    #[command(visible_alias = "apply")]
    Sync(Box<sync::SyncArguments>),
    Reconcile(Box<reconcile::ReconcileArguments>),
    Rollback(Box<rollback::RollbackArguments>),
    Delete(Box<delete::DeleteArguments>),
    History(Box<history::HistoryArguments>),
    Render(Box<render::RenderArguments>),
    Health(Box<health::HealthArguments>),
    Wait(Box<wait::WaitArguments>),
    Expand(Box<expand::ExpandArguments>),
    Whoami(Box<whoami::WhoamiArguments>),
    #[command(name = "can-i")]
    CanI(Box<can_i::CanIArguments>),
    Policy(Box<policy::PolicyCommandArguments>),
    Project(project::ProjectArguments),
    Doctor(Box<doctor::DoctorArguments>),
    Cluster(Box<cluster::ClusterArguments>),
    Repo(Box<repo::RepoArguments>),
    Version(about::VersionArguments),
    Completion(about::CompletionArguments),
    #[command(hide = true)]
    Man(about::ManArguments),
    /// End the children of another process of this program when it is gone
    #[command(name = process::WATCHDOG, hide = true)]
    Watchdog,
    /// Evaluate Jsonnet for another process of this program
    #[command(name = jsonnet::WORKER, hide = true)]
    JsonnetWorker,
    /// Run a jq expression for another process of this program
    #[command(name = jq::WORKER, hide = true)]
    JqWorker,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let parsed = command().try_get_matches().and_then(|matches| Arguments::from_arg_matches(&matches));
    let command = parsed.unwrap_or_else(|error| help::with_tip(error).exit()).command;
    storage::private_from_now_on();
    if let Ok(program) = std::env::current_exe() {
        process::end_children_with_this_process(program);
    }
    let code = run(command);
    storage::remove_temporary_folders();
    code
}

/// The command line, with what `-h` shows.
fn command() -> clap::Command {
    help::with_pages(Arguments::command())
}

fn run(command: Command) -> ExitCode {
    match command {
        Command::Diff(arguments) => session::run(&arguments.look(), |session| diff::diff(*arguments, session)),
        Command::Status(arguments) => {
            let arguments = arguments.into_diff();
            session::run(&arguments.look(), |session| diff::diff(arguments, session))
        }
        Command::Plan(arguments) => {
            let arguments = arguments.into_sync();
            session::run(&arguments.look(), |session| sync::sync(arguments, session))
        }
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
        Command::Expand(arguments) => session::run(&arguments.look(), |session| expand::expand(*arguments, session)),
        Command::Whoami(arguments) => session::run(&arguments.look(), |session| whoami::whoami(*arguments, session)),
        Command::CanI(arguments) => session::run(&arguments.look(), |session| can_i::can_i(*arguments, session)),
        Command::Policy(arguments) => session::run(&arguments.look(), |session| policy::policy(*arguments, session)),
        Command::Project(arguments) => session::run(&arguments.look(), |session| project::project(arguments, session)),
        Command::Doctor(arguments) => session::run(&arguments.look(), |session| doctor::doctor(*arguments, session)),
        Command::Cluster(arguments) => cluster::run(*arguments),
        Command::Repo(arguments) => repo::repo(*arguments),
        Command::Version(arguments) => session::run(&about::look(), |session| about::version(arguments, session)),
        Command::Completion(arguments) => {
            session::run(&about::look(), |session| about::completion(arguments, self::command(), session))
        }
        Command::Man(arguments) => {
            session::run(&about::look(), |session| about::man(arguments, self::command(), session))
        }
        Command::Watchdog => {
            process::watch(std::io::stdin().lock());
            ExitCode::SUCCESS
        }
        Command::JsonnetWorker => served(jsonnet::serve(std::io::stdin().lock(), std::io::stdout().lock())),
        Command::JqWorker => served(jq::serve(std::io::stdin().lock(), std::io::stdout().lock())),
    }
}

/// The exit code of a child that works for another process of this program.
fn served(result: std::io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The other process reads it; there is nobody to tell when it does not.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::from(ExitStatus::Error.code())
        }
    }
}
