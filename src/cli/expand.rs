//! `trueup expand`: the Applications that ApplicationSets generate; no cluster is needed.

use std::io::IsTerminal;
use std::path::PathBuf;

use super::apps_from;
use super::arguments::apps_from::{AppsFrom, parse_apps_from};
use super::arguments::generators::GeneratorArguments;
use super::arguments::inputs::InputArguments;
use super::arguments::output::OutputArguments;
use super::arguments::source::SourceArguments;
use super::built;
use super::manifests::{self, ManifestPath, StandardInput};
use super::request;
use super::session::{Look, Session, environment};
use crate::cluster::{ClusterEnvironment, ClusterSettings};
use crate::finding::Finding;
use crate::fleet::Request;
use crate::fleet::stages::held::{HeldScope, held_manifests};
use crate::fleet::stages::{descend, expand as expansion};
use crate::report::applications::{self, ApplicationDetails, ApplicationFormat, ExpandedApplication};
use crate::report::exit_status_of;

/// How many repositories are fetched, and Applications rendered, side by side.
const CONCURRENCY: usize = 10;

/// Print the Applications that ApplicationSets generate; needs no cluster
///
/// Applications that are written out are printed as they are. Exits with 2 if a generator or template fails, or if
/// names are invalid or stand twice; the other Applications are printed all the same.
#[derive(Debug, clap::Args)]
pub(super) struct ExpandArguments {
    /// Manifests of ApplicationSets and Applications: files, folders (searched recursively), or `-` for standard input
    #[arg(value_name = "PATH", required_unless_present_any = ["apps_from", "chart", "kustomization", "from_cluster"])]
    paths: Vec<ManifestPath>,
    /// Fetch manifests from a git repository: a file or folder in it, at a branch, tag or commit; repeatable
    #[arg(long, value_name = "URL[#PATH][@REVISION]", value_parser = parse_apps_from)]
    apps_from: Vec<AppsFrom>,
    #[command(flatten)]
    input: InputArguments,
    /// Render each Application, and expand the Applications and ApplicationSets that it contains
    #[arg(long)]
    recursive: bool,
    #[command(flatten)]
    generators: GeneratorArguments,
    /// Set Argo CD's namespace [default: that of each ApplicationSet; `argocd` with `--clusters argocd` or `--from-cluster`]
    #[arg(long, value_name = "NAMESPACE", help_heading = "Generators")]
    argocd_namespace: Option<String>,
    /// Use this kubeconfig with `--clusters argocd`, `--clusters kubeconfig` or `--from-cluster`
    #[arg(long, value_name = "FILE", help_heading = "Generators")]
    kubeconfig: Option<PathBuf>,
    /// Use this kubeconfig context with `--clusters argocd` or `--from-cluster`
    #[arg(long, value_name = "NAME", help_heading = "Generators")]
    context: Option<String>,
    #[command(flatten)]
    sources: SourceArguments,
    /// Print Applications in this format
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t, help_heading = "Output")]
    output: ApplicationFormat,
    /// Print which generator and parameters each value comes from
    #[arg(long, help_heading = "Output")]
    explain: bool,
    #[command(flatten)]
    telling: OutputArguments,
}

impl ExpandArguments {
    pub(super) fn look(&self) -> Look {
        Look::plain(self.telling.verbosity())
    }
}

/// Reads, expands, prints.
pub(super) async fn expand(arguments: ExpandArguments, mut session: Session) -> u8 {
    let format = arguments.output;
    let details = ApplicationDetails { explains: arguments.explain, is_recursive: arguments.recursive };
    let expanded = Box::pin(applications(arguments, &session)).await;
    session.end_progress().await;
    let Expanded { applications, findings } = match expanded {
        Ok(expanded) => expanded,
        Err(findings) => return session.refuse(&findings),
    };
    session.terminal.findings(&findings);
    let printed = session.terminal.data(applications::write(&applications, format, details).as_bytes());
    if let Err(error) = printed {
        return session.refuse(&[Finding::of(&error)]);
    }
    exit_status_of(&findings).code()
}

/// The Applications, in the order of the files and below their parents' level, and what went wrong.
#[derive(Default)]
struct Expanded {
    applications: Vec<ExpandedApplication>,
    findings: Vec<Finding>,
}

async fn applications(arguments: ExpandArguments, session: &Session) -> Result<Expanded, Vec<Finding>> {
    let ExpandArguments { paths, apps_from, input, sources, recursive, explain, .. } = arguments;
    let ExpandArguments { generators, argocd_namespace, kubeconfig, context, .. } = arguments;
    let read = {
        let mut standard_input = std::io::stdin().lock();
        let is_terminal = std::io::stdin().is_terminal();
        manifests::read_argo_cd(&paths, StandardInput { reader: &mut standard_input, is_terminal })
    };
    let findings: Vec<Finding> = read.errors.iter().map(|error| Finding::of(error)).collect();
    let mut expanded = Expanded { findings, ..Expanded::default() };
    let render = sources.render_settings()?;
    let (built, unbuilt) = built::read(&input, &sources, &render, session).await?;
    expanded.findings.extend(unbuilt);
    let environment = ClusterEnvironment::read(environment);
    let clusters =
        ClusterSettings { concurrency: CONCURRENCY, kubeconfig, context, environment, ..ClusterSettings::default() };
    let world = request::world(sources, clusters, session)?;
    let mut facts = generators.facts(argocd_namespace.as_deref(), &world.clusters).await?;
    facts.is_explained = explain;
    let mut request = Request { render, facts, concurrency: CONCURRENCY, ..Request::default() };
    request.argocd_namespace = argocd_namespace.unwrap_or_default();
    let mut texts = read.texts;
    let (fetched, unfetched) = apps_from::read(&apps_from, &world.sources, session).await;
    expanded.findings.extend(unfetched);
    texts.extend(fetched);
    texts.extend(built);
    if input.from_cluster {
        let namespace = Some(request.argocd_namespace.clone()).filter(|name| !name.is_empty());
        let argocd_namespace = namespace.unwrap_or_else(|| "argocd".to_owned());
        let scope = HeldScope { namespace: Some(argocd_namespace.clone()), argocd_namespace };
        let held = held_manifests(&world.clusters, &scope).await;
        expanded.findings.extend(held.findings);
        // What ApplicationSets generate is printed as they generate it now.
        texts.extend(held.applications.into_iter().chain(held.sets.into_iter().map(|(set, _)| set)));
    }
    let found = expansion::expand(&texts, &mut request.facts, &world.sources, &world.cancel).await;
    expanded.findings.extend(found.findings);
    let found = found.applications;
    let top = |found| ExpandedApplication { found, depth: 0, parent: String::new() };
    expanded.applications = found.iter().cloned().map(top).collect();
    if recursive {
        let (children, more) = descend::below_found(&found, request, &world).await;
        expanded.findings.extend(more);
        expanded.applications.extend(children.into_iter().map(|child| ExpandedApplication {
            depth: child.lineage().depth,
            parent: child.lineage().parent.as_ref().map(ToString::to_string).unwrap_or_default(),
            found: child.found,
        }));
    }
    Ok(expanded)
}
