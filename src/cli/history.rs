//! `trueup history`: what was synced, when, by whom, and how the last attempt ended.

use std::sync::Arc;

use super::arguments::cluster::ClusterArguments;
use super::arguments::output::{FormatArguments, OutputArguments};
use super::arguments::selection::SelectionArguments;
use super::arguments::state::StateArguments;
use super::manifests::ManifestPath;
use super::request;
use super::session::{Look, Session};
use crate::cluster::Clusters;
use crate::finding::Finding;
use crate::fleet::syncs::{self, ApplicationSyncs, Subject};
use crate::report::{ExitRules, exit_status_of, history as report};

/// Show what was synced, when and by whom, and how the last attempt ended
///
/// A PATH that is not a file is the name of an application whose record is in --state-namespace. Fetches and compares
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
    format: FormatArguments,
    #[command(flatten)]
    telling: OutputArguments,
}

impl HistoryArguments {
    pub(super) fn look(&self) -> Look {
        Look {
            verbosity: self.telling.verbosity(),
            context_lines: None,
            show_ignored: false,
            exit: ExitRules::default(),
        }
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
    let HistoryArguments { mut selection, state, cluster, .. } = arguments;
    let state_namespace = state.state_namespace.as_deref();
    let (names, paths): (Vec<_>, Vec<_>) = selection.paths.into_iter().partition(is_name);
    selection.paths = paths;
    let mut subjects = named(&names, state_namespace)?;
    let mut findings = Vec::new();
    if !selection.paths.is_empty() {
        let (applications, found) = request::applications(&selection, session)?;
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
    let settings = cluster.settings();
    let concurrency = settings.concurrency;
    let clusters = Arc::new(Clusters::new(settings, session.progress.clone()));
    Ok((syncs::read(subjects, &clusters, concurrency).await, findings))
}

/// Whether it is an application's name: there is no such file, and no folder is in it.
fn is_name(path: &ManifestPath) -> bool {
    match path {
        ManifestPath::StandardInput => false,
        ManifestPath::Path(path) => path.components().count() == 1 && path.extension().is_none() && !path.exists(),
    }
}

fn named(names: &[ManifestPath], state_namespace: Option<&str>) -> Result<Vec<Subject>, Vec<Finding>> {
    let names = names.iter().filter_map(|name| match name {
        ManifestPath::Path(name) => name.to_str(),
        ManifestPath::StandardInput => None,
    });
    let subject = |name: &str| match state_namespace {
        Some(namespace) => Ok(Subject::named(name, namespace)),
        None => Err(vec![
            Finding::error(
                "trueup::cli::no_state_namespace",
                format!("`{name}` is not a file, and no namespace is given"),
            )
            .with_help("pass the namespace of its state with --state-namespace, or the Application's manifest"),
        ]),
    };
    names.map(subject).collect()
}
