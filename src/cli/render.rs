//! `trueup render`: print the target state; no cluster is needed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::comparing::FromCluster;
use super::arguments::output::OutputArguments;
use super::arguments::selection::SelectionArguments;
use super::arguments::source::SourceArguments;
use super::request;
use super::session::{Look, Session, environment};
use crate::cluster::{ClusterEnvironment, ClusterSettings};
use crate::finding::Finding;
use crate::fleet::{self, Rendered, RenderedApplication, Renders};
use crate::object::kinds::{KubeVersion, NEWEST_KUBERNETES, parse_kube_version};
use crate::object::mask::holds_secret;
use crate::object::{Kinds, Object};
use crate::report::ExitRules;
use crate::report::folder::{self, WrittenFolder};
use crate::report::manifests::{self, ManifestFormat};

/// Print the rendered manifests; needs no cluster
///
/// Fills in namespaces by the kinds of Kubernetes and the rendered CustomResourceDefinitions.
/// Exits with 2 if an application cannot be rendered. Prints Secrets as they are.
#[derive(Debug, clap::Args)]
pub(super) struct RenderArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    sources: SourceArguments,
    /// Use this kubeconfig with `--from-cluster` or `--clusters`
    #[arg(long, value_name = "FILE", help_heading = "Selection")]
    kubeconfig: Option<PathBuf>,
    /// Use this kubeconfig context with `--from-cluster` or `--clusters`
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    context: Option<String>,
    /// Render for this Kubernetes version
    #[arg(long, value_name = "VERSION", default_value = NEWEST_KUBERNETES, value_parser = parse_kube_version, help_heading = "Sources")]
    kube_version: KubeVersion,
    /// Run at most this many operations in parallel
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "Sources")]
    concurrency: u16,
    /// Print manifests in this format
    #[arg(short, long, alias = "out", value_name = "FORMAT", value_enum, default_value_t, help_heading = "Output")]
    output: ManifestFormat,
    /// Write one file per object, in one folder per application; remove files that are no longer rendered
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    output_dir: Option<PathBuf>,
    /// Render twice, and fail if the results differ
    #[arg(long, help_heading = "Output")]
    check: bool,
    #[command(flatten)]
    telling: OutputArguments,
}

impl RenderArguments {
    pub(super) fn look(&self) -> Look {
        Look::plain(self.telling.verbosity())
    }
}

/// Reads, renders, prints.
pub(super) async fn render(arguments: RenderArguments, mut session: Session) -> u8 {
    let (format, folder) = (arguments.output, arguments.output_dir.clone());
    let rendered = target(arguments, &session).await;
    session.end_progress().await;
    let Rendered { applications, run } = match rendered {
        Ok(rendered) => rendered,
        Err(findings) => return session.refuse(&findings),
    };
    session.terminal.findings_of(&run);
    let failed = if let Some(folder) = folder {
        write(&folder, &applications, format, &session)
    } else {
        let objects: Vec<_> = applications.into_iter().filter_map(|it| it.objects).flatten().collect();
        warn_of_secrets(&objects, &session);
        let printed = session.terminal.data(manifests::write(&objects, format).as_bytes());
        printed.err().iter().map(|error| Finding::of(error)).collect()
    };
    if failed.is_empty() { run.exit_code(&ExitRules::default()) } else { session.refuse(&failed) }
}

/// Says that the output is not masked, as every report is.
fn warn_of_secrets(objects: &[Object], session: &Session) {
    let words = match objects.iter().filter(|object| holds_secret(object)).count() {
        0 => return,
        1 => "1 object with secrets is printed unmasked".to_owned(),
        count => format!("{count} objects with secrets are printed unmasked"),
    };
    session.terminal.line(&words);
}

/// Writes what was rendered; an application that was not keeps the files of its last time.
fn write(
    folder: &Path,
    applications: &[RenderedApplication],
    format: ManifestFormat,
    session: &Session,
) -> Vec<Finding> {
    let mut failed = Vec::new();
    for RenderedApplication { name, objects } in applications {
        let Some(objects) = objects else { continue };
        match folder::write(folder, name, objects, format) {
            Ok(WrittenFolder { changed, unchanged, removed, kept }) => {
                session.terminal.line(&format!("{name}: {changed} written, {unchanged} unchanged, {removed} removed"));
                session.terminal.findings(&kept);
            }
            Err(error) => failed.push(Finding::of(&error).about(name)),
        }
    }
    failed
}

async fn target(arguments: RenderArguments, session: &Session) -> Result<Rendered, Vec<Finding>> {
    let RenderArguments { selection, sources, kubeconfig, context, kube_version, concurrency, check, .. } = arguments;
    let concurrency = usize::from(concurrency);
    let environment = ClusterEnvironment::read(environment);
    let clusters = ClusterSettings { kubeconfig, context, concurrency, environment, ..ClusterSettings::default() };
    let (request, world) = request::request(&selection, sources, clusters, FromCluster::default(), session).await?;
    let kinds = Arc::new(Kinds::builtin(&kube_version.to_string()));
    let renders = if check { Renders::Twice } else { Renders::Once };
    let rendered = fleet::render(request, &world, kinds, renders).await;
    rendered.map_err(|errors| request::unselected(errors, &selection.chosen()))
}
