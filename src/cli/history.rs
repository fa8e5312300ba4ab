//! `trueup history`: what was synced, when, by whom, and how the last attempt ended.

use super::arguments::cluster::ClusterArguments;
use super::arguments::output::{FormatArguments, OutputArguments};
use super::arguments::selection::{SelectionArguments, name_of};
use super::arguments::source::SourceArguments;
use super::arguments::state::StateArguments;
use super::manifests::ManifestPath;
use super::registered;
use super::request;
use super::session::{Look, Session};
use crate::finding::{Code, Finding};
use crate::fleet::commands::history::{self as syncs, ApplicationSyncs, Subject};
use crate::report::{exit_status_of, history as report};

/// Show what was synced, when and by whom, and how the last attempt ended
///
/// With --state-namespace, a name needs no manifest: its record is in that namespace of the cluster. Fetches and compares
/// nothing. Exits with 2 if a record cannot be read.
#[derive(Debug, clap::Args)]
pub(super) struct HistoryArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    state: StateArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    #[command(flatten)]
    sources: SourceArguments,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    telling: OutputArguments,
}

impl HistoryArguments {
    pub(super) fn look(&self) -> Look {
        Look::plain(self.telling.verbosity())
    }
}

/// Reads the states, and tells them.
pub(super) async fn history(arguments: HistoryArguments, mut session: Session) -> u8 {
    let outputs = match arguments.format.outputs() {
        Ok(outputs) => outputs,
        Err(findings) => return session.refuse(&findings),
    };
    let read = read(arguments, &session).await;
    session.end_progress().await;
    let (syncs, mut findings) = match read {
        Ok(read) => read,
        Err(findings) => return session.refuse(&findings),
    };
    findings.extend(syncs.iter().flat_map(ApplicationSyncs::findings));
    session.terminal.findings(&findings);
    let unwritten = session.terminal.reports(&outputs, |format, view| report::write(&syncs, format, view));
    session.end(&unwritten, exit_status_of(&findings))
}

async fn read(
    arguments: HistoryArguments,
    session: &Session,
) -> Result<(Vec<ApplicationSyncs>, Vec<Finding>), Vec<Finding>> {
    let HistoryArguments { mut selection, state, cluster, sources, .. } = arguments;
    let untrusted = sources.repositories.untrusted;
    let state_namespace = state.state_namespace.as_deref();
    let settings = cluster.settings();
    let mut subjects = Vec::new();
    let mut findings = Vec::new();
    if let Some(namespace) = state_namespace {
        let is_record = |path: &ManifestPath| name_of(path).is_some_and(|name| !name.contains('/'));
        let (names, paths): (Vec<_>, Vec<_>) = selection.paths.into_iter().partition(is_record);
        subjects = names.iter().filter_map(name_of).map(|name| Subject::named(name, namespace)).collect();
        selection.paths = paths;
    }
    if subjects.is_empty() || !selection.is_named_only() {
        let read = request::applications(&selection, sources, settings.clone(), session).await;
        let (applications, found) = read.map_err(|mut findings| {
            findings.extend(selection.chosen().names.first().map(|name| unrecorded(name)));
            findings
        })?;
        findings = found;
        for application in applications {
            match application {
                Ok(application) => {
                    subjects.push(Subject::of(&application, &selection.argocd_namespace, state_namespace));
                }
                Err(invalid) => findings.extend(invalid.findings),
            }
        }
    }
    let concurrency = settings.concurrency;
    let clusters = registered::clusters(settings, untrusted, &selection, session).await?;
    Ok((syncs::read(subjects, &clusters, concurrency).await, findings))
}

/// Without a manifest nothing says where the record is.
fn unrecorded(name: &str) -> Finding {
    Finding::error(Code::CliNoStateNamespace, format!("nothing says where the record of `{name}` is"))
        .with_help("give its manifest, or the namespace of its record with `--state-namespace`")
}
