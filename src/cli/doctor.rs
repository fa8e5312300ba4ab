//! `trueup doctor`: what a run would find on this machine.

use std::path::PathBuf;

use super::arguments::apps_from::{AppsFrom, parse_apps_from};
use super::arguments::cluster::ClusterArguments;
use super::arguments::comparing::FromCluster;
use super::arguments::generators::GeneratorArguments;
use super::arguments::inputs::InputArguments;
use super::arguments::output::{FormatArguments, OutputArguments};
use super::arguments::selection::SelectionArguments;
use super::arguments::source::SourceArguments;
use super::manifests::ManifestPath;
use super::request;
use super::session::{Look, Session};
use crate::app::source::SourceKind;
use crate::finding::Finding;
use crate::fleet::Request;
use crate::fleet::commands::doctor::{self, Checkup, Tool};
use crate::report::doctor as report;

/// Check the programs, repositories and clusters that a run needs
///
/// Without PATH it checks only programs. Exits with 2 if an Application needs a program that is missing, or a repository
/// or cluster that cannot be reached. Without kustomize, `kubectl kustomize` counts.
#[derive(Debug, clap::Args)]
pub(super) struct DoctorArguments {
    /// Application manifests: files, folders, or `-` for standard input
    #[arg(value_name = "PATH")]
    paths: Vec<ManifestPath>,
    /// Fetch Application manifests from a git repository: a file or folder in it, at a branch, tag or commit; repeatable
    #[arg(long, value_name = "URL[#PATH][@REVISION]", value_parser = parse_apps_from)]
    apps_from: Vec<AppsFrom>,
    /// Leave out the Applications that other Applications contain
    #[arg(long)]
    no_children: bool,
    #[command(flatten)]
    generators: GeneratorArguments,
    #[command(flatten)]
    input: InputArguments,
    #[command(flatten)]
    sources: SourceArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    output: OutputArguments,
}

impl DoctorArguments {
    pub(super) fn look(&self) -> Look {
        Look::plain(self.output.verbosity())
    }
}

/// Checks everything and prints the result.
pub(super) async fn doctor(arguments: DoctorArguments, mut session: Session) -> u8 {
    let outputs = match arguments.format.outputs() {
        Ok(outputs) => outputs,
        Err(findings) => return session.refuse(&findings),
    };
    let checked = check(arguments, &session).await;
    session.end_progress().await;
    let checkup = match checked {
        Ok(checkup) => checkup,
        Err(findings) => return session.refuse(&findings),
    };
    session.terminal.findings(&checkup.findings);
    let unwritten = session.terminal.reports(&outputs, |format, _view| report::write(&checkup, format));
    session.end(&unwritten, checkup.exit_status())
}

async fn check(arguments: DoctorArguments, session: &Session) -> Result<Checkup, Vec<Finding>> {
    let DoctorArguments { paths, apps_from, no_children, generators, input, sources, cluster, .. } = arguments;
    let tools = tools(&sources);
    let clusters = cluster.settings();
    let selection =
        SelectionArguments { paths, apps_from, input, no_children, generators, ..SelectionArguments::default() };
    let (request, world) = if selection.is_named_only() {
        let concurrency = clusters.concurrency;
        (Request { concurrency, ..Request::default() }, request::world(sources, clusters, session)?)
    } else {
        request::request(&selection, sources, clusters, FromCluster::default(), session).await?
    };
    let checked = doctor::doctor(request, &world, &tools).await;
    checked.map_err(|errors| request::unselected(errors, &selection.chosen()))
}

/// The programs with the oldest supported version and the version of the image, one per line.
const TOOLS: &str = include_str!("../../tools.txt");

/// The oldest supported version of a program, major and minor.
fn oldest(name: &str) -> Option<(u64, u64)> {
    let mut lines = TOOLS.lines().map(|line| line.split_whitespace());
    let version = lines.find_map(|mut words| words.next().filter(|word| *word == name).and(words.next()))?;
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Every program that trueup may run.
fn tools(sources: &SourceArguments) -> Vec<Tool> {
    let named = |name: &str, named: &Option<PathBuf>| named.clone().unwrap_or_else(|| PathBuf::from(name));
    let kustomize = named("kustomize", &sources.programs.kustomize);
    let is_kubectl = kustomize.to_string_lossy().contains("kubectl");
    vec![
        Tool {
            name: "git",
            program: named("git", &sources.git),
            arguments: &["--version"],
            oldest: None,
            renders: None,
            stand_in: None,
            purpose: "used when the built-in git cannot fetch a repository: https://git-scm.com/downloads",
        },
        Tool {
            name: "ssh",
            program: PathBuf::from("ssh"),
            arguments: &["-V"],
            oldest: None,
            renders: None,
            stand_in: None,
            purpose: "fetches repositories with `ssh://` and `git@…` URLs: install an OpenSSH client",
        },
        Tool {
            name: "helm",
            program: named("helm", &sources.programs.helm),
            arguments: &["version", "--short"],
            oldest: oldest("helm"),
            renders: Some(SourceKind::Helm),
            stand_in: None,
            purpose: "renders Helm charts, 3.14 or newer, or 4: https://helm.sh/docs/intro/install; or name it with `--helm`",
        },
        Tool {
            name: "kustomize",
            program: kustomize.clone(),
            // kubectl would ask a cluster for its version, too.
            arguments: if is_kubectl { &["version", "--client"] } else { &["version"] },
            oldest: oldest(if is_kubectl { "kubectl" } else { "kustomize" }),
            renders: Some(SourceKind::Kustomize),
            stand_in: sources.programs.kustomize.is_none().then_some("kubectl"),
            purpose: "renders Kustomize sources, version 5: https://kubectl.docs.kubernetes.io/installation/kustomize; or name it with `--kustomize`",
        },
        Tool {
            name: "kubectl",
            program: PathBuf::from("kubectl"),
            arguments: &["version", "--client"],
            oldest: oldest("kubectl"),
            renders: None,
            stand_in: None,
            purpose: "renders Kustomize sources when kustomize is not installed: \
                 https://kubernetes.io/docs/tasks/tools",
        },
    ]
}
