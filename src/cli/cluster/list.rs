//! `trueup cluster list`: every cluster that is known, and whether it answers.

use crate::cli::arguments::cluster::ClusterArguments;
use crate::cli::arguments::comparing::FromCluster;
use crate::cli::arguments::generators::GeneratorArguments;
use crate::cli::arguments::output::{ListFormatArguments, OutputArguments};
use crate::cli::arguments::selection::SelectionArguments;
use crate::cli::arguments::source::SourceArguments;
use crate::cli::manifests::ManifestPath;
use crate::cli::session::{Look, Session};
use crate::cli::{registered, request};
use crate::finding::Finding;
use crate::fleet;
use crate::fleet::commands::clusters::{self, ClusterList};
use crate::report::clusters as report;

/// List the clusters of the kubeconfig and of Argo CD's Secrets, and whether they answer
///
/// Asks all of them for their version, side by side. With PATH, counts the Applications that are deployed to each. Exits
/// with 2 if one does not answer.
#[derive(Debug, clap::Args)]
pub(crate) struct ClusterListArguments {
    /// Application manifests to count: files, folders, or `-` for standard input
    #[arg(value_name = "PATH")]
    paths: Vec<ManifestPath>,
    /// Count the Applications of PATH alone, without those that they contain
    #[arg(long)]
    no_children: bool,
    #[command(flatten)]
    generators: GeneratorArguments,
    /// Set the namespace of Argo CD, for `--clusters argocd`
    #[arg(long, value_name = "NAMESPACE", default_value = "argocd", help_heading = "Cluster")]
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

impl ClusterListArguments {
    pub(crate) fn look(&self) -> Look {
        Look::plain(self.output.verbosity())
    }
}

/// Asks every cluster and prints the answers.
pub(crate) async fn list(arguments: ClusterListArguments, mut session: Session) -> u8 {
    let outputs = match arguments.format.outputs() {
        Ok(outputs) => outputs,
        Err(findings) => return session.refuse(&findings),
    };
    let listed = read(arguments, &session).await;
    session.end_progress().await;
    let list = match listed {
        Ok(list) => list,
        Err(findings) => return session.refuse(&findings),
    };
    session.terminal.findings(&list.all_findings());
    let unwritten = session.terminal.reports(&outputs, |format, _view| report::write(&list, format));
    session.end(&unwritten, list.exit_status())
}

async fn read(arguments: ClusterListArguments, session: &Session) -> Result<ClusterList, Vec<Finding>> {
    let ClusterListArguments { paths, no_children, generators, argocd_namespace, sources, cluster, .. } = arguments;
    let selection =
        SelectionArguments { paths, argocd_namespace, no_children, generators, ..SelectionArguments::default() };
    let settings = cluster.settings();
    if selection.paths.is_empty() {
        let untrusted = sources.repositories.untrusted;
        let clusters = registered::clusters(settings, untrusted, &selection, session).await?;
        let mut list = clusters::list(None, &clusters).await.map_err(|error| vec![Finding::of(&error)])?;
        list.findings = clusters.registered().nameless().collect();
        return Ok(list);
    }
    let (mut request, world) = request::request(&selection, sources, settings, FromCluster::default(), session).await?;
    let applications = fleet::select_applications(&mut request, &world).await;
    let applications = applications.map_err(|errors| request::unselected(errors, &selection.chosen()))?;
    let list = clusters::list(Some(&applications), &world.clusters).await;
    let mut list = list.map_err(|error| vec![Finding::of(&error)])?;
    list.findings.splice(0..0, request.findings);
    Ok(list)
}
