//! `trueup render`: print the target state; no cluster is needed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::output::OutputArguments;
use super::arguments::selection::SelectionArguments;
use super::arguments::source::SourceArguments;
use super::request;
use super::session::{Look, Session};
use crate::cluster::ClusterSettings;
use crate::finding::Finding;
use crate::fleet::{self, Rendered, RenderedApplication, Renders};
use crate::object::Kinds;
use crate::object::kinds::{KubeVersion, NEWEST_KUBERNETES, parse_kube_version};
use crate::report::ExitRules;
use crate::report::folder::{self, Written};
use crate::report::manifests::{self, ManifestFormat};

/// Print what git says should be in the clusters; no cluster is needed
///
/// Namespaces are filled in by the kinds of Kubernetes itself and by the CustomResourceDefinitions rendered beside.
/// Exits with 2 when an application could not be rendered.
#[derive(Debug, clap::Args)]
pub(super) struct RenderArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    sources: SourceArguments,
    /// The Kubernetes version to render for
    #[arg(long, value_name = "VERSION", default_value = NEWEST_KUBERNETES, value_parser = parse_kube_version, help_heading = "Sources")]
    kube_version: KubeVersion,
    /// How many things are done side by side
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "Sources")]
    concurrency: u16,
    /// The format of the manifests
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t, help_heading = "Output")]
    output: ManifestFormat,
    /// Write each object into a file of its own, in a folder for each application; files that are no longer rendered are removed
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    output_dir: Option<PathBuf>,
    /// Render twice, and fail where something is made up anew each time
    #[arg(long, help_heading = "Output")]
    check: bool,
    #[command(flatten)]
    telling: OutputArguments,
}

impl RenderArguments {
    pub(super) fn look(&self) -> Look {
        Look { verbosity: self.telling.verbosity(), context_lines: 0, show_ignored: false, exit: ExitRules::default() }
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
        let printed = session.terminal.data(manifests::write(&objects, format).as_bytes());
        printed.err().iter().map(|error| Finding::of(error)).collect()
    };
    if failed.is_empty() { run.exit_code(&ExitRules::default()) } else { session.refuse(&failed) }
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
            Ok(Written { changed, unchanged, removed, kept }) => {
                session.terminal.line(&format!("{name}: {changed} written, {unchanged} unchanged, {removed} removed"));
                session.terminal.findings(&kept);
            }
            Err(error) => failed.push(Finding::of(&error).about(name)),
        }
    }
    failed
}

async fn target(arguments: RenderArguments, session: &Session) -> Result<Rendered, Vec<Finding>> {
    let RenderArguments { selection, sources, kube_version, concurrency, check, .. } = arguments;
    let concurrency = usize::from(concurrency);
    let request = request::request(&selection, &sources, concurrency, session)?;
    let world = request::world(sources, ClusterSettings::default(), concurrency, session)?;
    let kinds = Arc::new(Kinds::builtin(&kube_version.to_string()));
    let renders = if check { Renders::Twice } else { Renders::Once };
    Ok(fleet::render(request, &world, kinds, renders).await)
}
