//! `trueup repo`: which repositories are known, what opens each, and whether it answers.

use std::process::ExitCode;
use std::time::Duration;

use super::arguments::cluster::ClusterArguments;
use super::arguments::comparing::FromCluster;
use super::arguments::generators::GeneratorArguments;
use super::arguments::output::{ListFormatArguments, OutputArguments};
use super::arguments::selection::SelectionArguments;
use super::arguments::source::SourceArguments;
use super::arguments::syncing::parse_patience;
use super::manifests::ManifestPath;
use super::request;
use super::session::{self, Look, Session};
use crate::finding::Finding;
use crate::fleet::commands::repositories::{self, RepositoryList};
use crate::fleet::{self, Request};
use crate::report::repositories as report;

/// List repositories and credential templates, and check whether they answer
#[derive(Debug, clap::Args)]
pub(super) struct RepoArguments {
    #[command(subcommand)]
    command: RepoCommand,
}

#[derive(Debug, clap::Subcommand)]
enum RepoCommand {
    /// List repositories and credential templates, and what opens each
    ///
    /// The repositories are those of Argo CD's Secrets (`--repositories`, `--repositories-from-cluster`) and those that the
    /// Applications of PATH name. Of several templates the longest URL counts; a Secret of a project comes before one of none.
    List(Box<RepoListArguments>),
    /// List them, and ask each whether it answers with its credentials
    ///
    /// Asks git for its references, a Helm repository for its index, a registry for its tags, side by side. Exits with 2 if
    /// one does not answer.
    Check(Box<RepoCheckArguments>),
}

#[derive(Debug, clap::Args)]
struct RepoListArguments {
    /// Application manifests: files, folders, or `-` for standard input
    #[arg(value_name = "PATH")]
    paths: Vec<ManifestPath>,
    /// List the repositories of PATH alone, without those of the Applications that these contain
    #[arg(long)]
    no_children: bool,
    #[command(flatten)]
    generators: GeneratorArguments,
    /// Read repository Secrets, TLS certificates and SSH host keys from Argo CD's cluster
    #[arg(long, help_heading = "Sources")]
    repositories_from_cluster: bool,
    /// Set the namespace of Argo CD
    #[arg(long, value_name = "NAMESPACE", default_value = "argocd", help_heading = "Sources")]
    argocd_namespace: String,
    #[command(flatten)]
    sources: SourceArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    #[command(flatten)]
    format: ListFormatArguments,
    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Debug, clap::Args)]
struct RepoCheckArguments {
    /// Wait this long for each answer; 0 for no limit
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_patience)]
    timeout: Duration,
    #[command(flatten)]
    list: RepoListArguments,
}

/// Runs one of them.
pub(super) fn repo(arguments: RepoArguments) -> ExitCode {
    match arguments.command {
        RepoCommand::List(arguments) => session::run(&look(&arguments), |session| show(*arguments, None, session)),
        RepoCommand::Check(arguments) => {
            let RepoCheckArguments { timeout, list } = *arguments;
            session::run(&look(&list), |session| show(list, Some(timeout), session))
        }
    }
}

fn look(arguments: &RepoListArguments) -> Look {
    Look::plain(arguments.output.verbosity())
}

/// Lists, asks where there is a time for that, prints.
async fn show(arguments: RepoListArguments, timeout: Option<Duration>, mut session: Session) -> u8 {
    let outputs = match arguments.format.outputs() {
        Ok(outputs) => outputs,
        Err(findings) => return session.refuse(&findings),
    };
    let read = read(arguments, timeout, &session).await;
    session.end_progress().await;
    let list = match read {
        Ok(list) => list,
        Err(findings) => return session.refuse(&findings),
    };
    session.terminal.findings(&list.all_findings());
    let unwritten = session.terminal.reports(&outputs, |format, _view| report::write(&list, format));
    session.end(&unwritten, list.exit_status())
}

async fn read(
    arguments: RepoListArguments,
    timeout: Option<Duration>,
    session: &Session,
) -> Result<RepositoryList, Vec<Finding>> {
    let RepoListArguments { paths, no_children, generators, argocd_namespace, mut sources, cluster, .. } = arguments;
    if let Some(timeout) = timeout {
        sources.fetch_timeout = timeout.as_secs().max(1);
    }
    let keyring = sources.repositories.read()?.keyring;
    let (settings, from_cluster) = (cluster.settings(), arguments.repositories_from_cluster);
    let concurrency = settings.concurrency;
    let selection =
        SelectionArguments { paths, argocd_namespace, no_children, generators, ..SelectionArguments::default() };
    let (request, world) = if selection.paths.is_empty() {
        let warnings = sources.repositories.read()?.warnings;
        let request = Request { render: sources.render_settings()?, findings: warnings, ..Request::default() };
        let argocd_namespace = selection.argocd_namespace.clone();
        (Request { argocd_namespace, ..request }, request::world(sources, settings, session)?)
    } else {
        request::request(&selection, sources, settings, FromCluster::default(), session).await?
    };
    let request = Request { repositories_from_cluster: from_cluster, ..request };
    let mut request = fleet::read_settings(request, &world).await;
    let applications = fleet::select_applications(&mut request, &world).await;
    let applications = match applications {
        Ok(applications) => applications,
        Err(_) if selection.paths.is_empty() => Vec::new(),
        Err(errors) => return Err(request::unselected(errors, &selection.chosen())),
    };
    let mut list = repositories::list(keyring.repositories(), &applications);
    list.findings.splice(0..0, request.findings);
    if timeout.is_some() {
        repositories::check(&mut list, &world, concurrency).await;
    }
    Ok(list)
}
