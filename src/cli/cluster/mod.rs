//! `trueup cluster`: which clusters are known, and the accounts by which Argo CD opens them.

mod add;
mod list;
mod registration;
mod remove;
mod rotate;

use std::process::ExitCode;

use self::add::ClusterAddArguments;
use self::list::ClusterListArguments;
use self::remove::ClusterRemoveArguments;
use self::rotate::ClusterRotateArguments;
use super::session;

/// List, add, rotate and remove clusters
#[derive(Debug, clap::Args)]
pub(super) struct ClusterArguments {
    #[command(subcommand)]
    command: ClusterCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ClusterCommand {
    List(Box<ClusterListArguments>),
    Add(Box<ClusterAddArguments>),
    Rotate(Box<ClusterRotateArguments>),
    #[command(name = "rm", visible_alias = "remove")]
    Remove(Box<ClusterRemoveArguments>),
}

/// Runs one of them.
pub(super) fn run(arguments: ClusterArguments) -> ExitCode {
    match arguments.command {
        ClusterCommand::List(arguments) => session::run(&arguments.look(), |session| list::list(*arguments, session)),
        ClusterCommand::Add(arguments) => {
            session::run_to_its_step(&arguments.look(), |session| add::add(*arguments, session))
        }
        ClusterCommand::Rotate(arguments) => {
            session::run_to_its_step(&arguments.look(), |session| rotate::rotate(*arguments, session))
        }
        ClusterCommand::Remove(arguments) => {
            session::run_to_its_step(&arguments.look(), |session| remove::remove(*arguments, session))
        }
    }
}
