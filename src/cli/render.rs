//! `trueup render`: print the target state; no cluster is needed.

use std::sync::Arc;

use super::arguments::output::OutputArguments;
use super::arguments::selection::SelectionArguments;
use super::arguments::source::SourceArguments;
use super::request;
use super::session::{Look, Session};
use crate::cluster::ClusterSettings;
use crate::finding::Finding;
use crate::fleet::{self, Rendered};
use crate::object::Kinds;
use crate::object::kinds::{KubeVersion, NEWEST_KUBERNETES, parse_kube_version};
use crate::report::ExitRules;
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
    let format = arguments.output;
    let rendered = target(arguments, &session).await;
    session.end_progress().await;
    let rendered = match rendered {
        Ok(rendered) => rendered,
        Err(findings) => return session.refuse(&findings),
    };
    session.terminal.findings(rendered.run.all_findings());
    match session.terminal.data(manifests::write(&rendered.objects, format).as_bytes()) {
        Ok(()) => rendered.run.exit_code(&ExitRules::default()),
        Err(error) => session.refuse(&[Finding::of(&error)]),
    }
}

async fn target(arguments: RenderArguments, session: &Session) -> Result<Rendered, Vec<Finding>> {
    let RenderArguments { selection, sources, kube_version, concurrency, .. } = arguments;
    let concurrency = usize::from(concurrency);
    let request = request::request(&selection, &sources, concurrency, session)?;
    let world = request::world(sources, ClusterSettings::default(), concurrency, session)?;
    let kinds = Arc::new(Kinds::builtin(&kube_version.to_string()));
    Ok(fleet::render(request, &world, kinds).await)
}
