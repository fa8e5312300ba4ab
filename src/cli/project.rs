//! `trueup project`: what AppProjects allow, when they allow syncs, and what they forbid of the applications at hand.

use std::sync::Arc;

use jiff::Timestamp;

use super::arguments::comparing::FromCluster;
use super::arguments::output::{OutputArguments, OutputParser, resolve};
use super::arguments::selection::SelectionArguments;
use super::arguments::source::SourceArguments;
use super::request;
use super::session::{Look, Session};
use crate::cluster::ClusterSettings;
use crate::finding::Finding;
use crate::fleet::commands::project;
use crate::fleet::{Request, World};
use crate::object::Kinds;
use crate::object::kinds::NEWEST_KUBERNETES;
use crate::report::{Format, Output, exit_status_of, project as report};

/// How many repositories are fetched, and Applications rendered, side by side.
const CONCURRENCY: usize = 10;

/// Show AppProjects and sync windows, or check Applications against them; needs no cluster
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct ProjectArguments {
    #[command(subcommand)]
    command: ProjectCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ProjectCommand {
    List(Box<ListArguments>),
    Windows(Box<WindowsArguments>),
    Check(Box<CheckArguments>),
}

/// List the projects of manifests, with their sources, destinations and applications
#[derive(Debug, clap::Args)]
struct ListArguments {
    #[command(flatten)]
    shared: ProjectFlags,
}

/// Show which applications may be synced now, and when that changes
#[derive(Debug, clap::Args)]
struct WindowsArguments {
    #[command(flatten)]
    shared: ProjectFlags,
}

/// Render Applications, and report what their projects forbid
///
/// Exits with 4 if something is forbidden, and with 2 on errors.
#[derive(Debug, clap::Args)]
struct CheckArguments {
    #[command(flatten)]
    shared: ProjectFlags,
}

/// The flags that all of them have.
#[derive(Debug, clap::Args)]
struct ProjectFlags {
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    sources: SourceArguments,
    /// Write the report in this format, to standard output or FILE; repeatable
    #[arg(short, long, alias = "out", value_name = "FORMAT[=FILE]", value_parser = OutputParser(Format::OF_FACTS), help_heading = "Output")]
    output: Vec<Output>,
    #[command(flatten)]
    telling: OutputArguments,
}

impl ProjectArguments {
    pub(super) fn look(&self) -> Look {
        let shared = match &self.command {
            ProjectCommand::List(arguments) => &arguments.shared,
            ProjectCommand::Windows(arguments) => &arguments.shared,
            ProjectCommand::Check(arguments) => &arguments.shared,
        };
        Look::plain(shared.telling.verbosity())
    }
}

/// Reads, looks, reports.
pub(super) async fn project(arguments: ProjectArguments, mut session: Session) -> u8 {
    let done = match arguments.command {
        ProjectCommand::List(arguments) => Box::pin(list(arguments.shared, &mut session)).await,
        ProjectCommand::Windows(arguments) => Box::pin(windows(arguments.shared, &mut session)).await,
        ProjectCommand::Check(arguments) => Box::pin(check(arguments.shared, &mut session)).await,
    };
    done.unwrap_or_else(|findings| session.refuse(&findings))
}

impl ProjectFlags {
    async fn ready(self, session: &Session) -> Result<(Request, World, Vec<Output>, SelectionArguments), Vec<Finding>> {
        let outputs = resolve(&self.output)?;
        let clusters = ClusterSettings { concurrency: CONCURRENCY, ..ClusterSettings::default() };
        let ready =
            request::with_projects(&self.selection, self.sources, clusters, FromCluster::default(), session).await?;
        Ok((ready.0, ready.1, outputs, self.selection))
    }
}

async fn list(flags: ProjectFlags, session: &mut Session) -> Result<u8, Vec<Finding>> {
    let (mut request, world, outputs, selection) = flags.ready(session).await?;
    let projects =
        project::list(&mut request, &world).await.map_err(|errors| request::unselected(errors, &selection.chosen()))?;
    drop(world);
    session.end_progress().await;
    session.terminal.findings(&request.findings);
    let unwritten = session.terminal.reports(&outputs, |format, view| report::write_list(&projects, format, view));
    Ok(session.end(&unwritten, exit_status_of(&request.findings)))
}

async fn windows(flags: ProjectFlags, session: &mut Session) -> Result<u8, Vec<Finding>> {
    let (mut request, world, outputs, selection) = flags.ready(session).await?;
    let found = project::windows(&mut request, &world, Timestamp::now()).await;
    let (windows, more) = found.map_err(|errors| request::unselected(errors, &selection.chosen()))?;
    request.findings.extend(more);
    drop(world);
    session.end_progress().await;
    session.terminal.findings(&request.findings);
    let unwritten = session.terminal.reports(&outputs, |format, view| report::write_windows(&windows, format, view));
    Ok(session.end(&unwritten, exit_status_of(&request.findings)))
}

async fn check(flags: ProjectFlags, session: &mut Session) -> Result<u8, Vec<Finding>> {
    let (request, world, outputs, selection) = flags.ready(session).await?;
    let checked = Box::pin(project::check(request, &world, Arc::new(Kinds::builtin(NEWEST_KUBERNETES)))).await;
    let checked = checked.map_err(|errors| request::unselected(errors, &selection.chosen()))?;
    drop(world);
    session.end_progress().await;
    session.terminal.findings_of(&checked.run);
    let unwritten = session.terminal.reports(&outputs, |format, view| report::write_check(&checked, format, view));
    Ok(session.end(&unwritten, checked.exit_status()))
}
