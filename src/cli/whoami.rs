//! `trueup whoami`: who the clusters take this run for, and what it may do.

use super::arguments::cluster::ClusterArguments;
use super::arguments::comparing::FromCluster;
use super::arguments::output::{OutputArguments, OutputParser, resolve};
use super::arguments::selection::SelectionArguments;
use super::arguments::source::SourceArguments;
use super::request;
use super::session::{Look, Session};
use crate::finding::Finding;
use crate::fleet::commands::whoami::{self, Whoami};
use crate::report::{Format, Output, exit_status_of, whoami as report};

/// Show who the clusters take you for, and which rights each application lacks
///
/// Without PATH, the user and groups of the current context alone. With PATH, the rules that are missing for a diff, a sync and a prune.
/// Asks the clusters and tries nothing. Exits with 2 if a cluster or a source cannot be reached.
#[derive(Debug, clap::Args)]
pub(super) struct WhoamiArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    #[command(flatten)]
    sources: SourceArguments,
    /// Write the answer in this format, to standard output or FILE; repeatable
    #[arg(short, long, alias = "out", value_name = "FORMAT[=FILE]", value_parser = OutputParser(Format::OF_FACTS), help_heading = "Output")]
    output: Vec<Output>,
    #[command(flatten)]
    telling: OutputArguments,
}

impl WhoamiArguments {
    pub(super) fn look(&self) -> Look {
        Look::plain(self.telling.verbosity())
    }
}

/// Asks, and prints the answers.
pub(super) async fn whoami(arguments: WhoamiArguments, mut session: Session) -> u8 {
    let outputs = match resolve(&arguments.output) {
        Ok(outputs) => outputs,
        Err(findings) => return session.refuse(&findings),
    };
    let asked = ask(arguments, &session).await;
    session.end_progress().await;
    let whoami = match asked {
        Ok(whoami) => whoami,
        Err(findings) => return session.refuse(&findings),
    };
    session.terminal.findings(&whoami.findings);
    let unwritten = session.terminal.reports(&outputs, |format, _view| report::write(&whoami, format));
    session.end(&unwritten, exit_status_of(&whoami.findings))
}

async fn ask(arguments: WhoamiArguments, session: &Session) -> Result<Whoami, Vec<Finding>> {
    let WhoamiArguments { selection, cluster, sources, .. } = arguments;
    let clusters = cluster.settings();
    let chosen = selection.chosen();
    if chosen.is_default && chosen.names.is_empty() {
        let world = request::world(sources, clusters, session)?;
        return Ok(whoami::whoami_here(&world).await);
    }
    let (request, world) = request::request(&selection, sources, clusters, FromCluster::default(), session).await?;
    let asked = Box::pin(whoami::whoami(request, &world)).await;
    asked.map_err(|errors| request::unselected(errors, &chosen))
}
