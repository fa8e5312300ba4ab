//! What the arguments ask for, made ready: manifests read and selected, sources and clusters at hand.
//!
//! In: the arguments that every command has. Out: a [`Request`] and the [`World`], or the findings that forbid a run.

use std::io::IsTerminal;
use std::sync::Arc;

use super::arguments::selection::SelectionArguments;
use super::arguments::source::SourceArguments;
use super::manifests::{self, StandardInput};
use super::session::Session;
use crate::app::settings::{ComparisonSettings, RenderingSettings, Settings};
use crate::app::{self, Application, InvalidApplication, Manifests, Selection};
use crate::cluster::{ClusterSettings, Clusters};
use crate::finding::{Finding, Severity};
use crate::fleet::{Request, World};
use crate::source::Sources;

/// Applications in the order of the input, those whose manifests are wrong among them.
pub(super) type Applications = Vec<Result<Application, Box<InvalidApplication>>>;

/// Reads the manifests and keeps those that were asked for.
pub(super) fn request(
    selection: &SelectionArguments,
    sources: &SourceArguments,
    concurrency: usize,
    session: &Session,
) -> Result<Request, Vec<Finding>> {
    let (applications, mut findings) = applications(selection, session)?;
    let argocd = selection.argocd()?;
    let (settings, rendering) = settings(&argocd.settings)?;
    findings.extend(argocd.warnings.iter().cloned());
    sources.repositories.know(&argocd.servers);
    let mut render = sources.render_settings()?;
    render.take(rendering);
    findings.extend(sources.repositories.read()?.warnings);
    Ok(Request {
        applications,
        findings,
        render,
        concurrency,
        instance_label: selection.instance_label.clone(),
        argocd_namespace: selection.argocd_namespace.clone(),
        settings,
        settings_from_cluster: false,
        repositories_from_cluster: false,
        strict: false,
        state_namespace: None,
        accept_move: false,
        health: None,
        log_lines: None,
    })
}

/// The applications of the manifests that were asked for, in order, and what was odd while reading them.
pub(super) fn applications(
    selection: &SelectionArguments,
    session: &Session,
) -> Result<(Applications, Vec<Finding>), Vec<Finding>> {
    let manifests = read(selection)?;
    for (kind, count) in &manifests.ignored {
        session.progress.note(format!("skipped {count} of {kind}"));
    }
    for detail in &manifests.details {
        session.progress.note(format!("skipped {}", detail.message));
    }
    Ok((manifests.applications, manifests.findings))
}

/// What Argo CD's settings say about comparing and rendering.
fn settings(settings: &Settings) -> Result<(ComparisonSettings, RenderingSettings), Vec<Finding>> {
    // Nothing that is known is not the same as settings that say nothing.
    if settings.file.is_empty() {
        return Ok(Default::default());
    }
    let rendering = RenderingSettings::of(settings);
    let (settings, errors) = ComparisonSettings::of(settings);
    if errors.is_empty() {
        Ok((settings, rendering))
    } else {
        Err(errors.iter().map(|error| Finding::of(error)).collect())
    }
}

fn read(arguments: &SelectionArguments) -> Result<Manifests, Vec<Finding>> {
    let findings = |errors: Vec<app::SelectionError>| errors.iter().map(|error| Finding::of(error)).collect::<Vec<_>>();
    let selection =
        Selection::new(&arguments.app, arguments.selector.as_deref(), &arguments.project).map_err(findings)?;
    let mut standard_input = std::io::stdin().lock();
    let is_terminal = std::io::stdin().is_terminal();
    let read = manifests::read(&arguments.paths, StandardInput { reader: &mut standard_input, is_terminal });
    let mut manifests = app::read(&read.texts);
    let unreadable = read.errors.iter().map(|error| Finding::of(error));
    manifests.findings.splice(0..0, unreadable);
    // What cannot be read at all comes first: it explains why nothing was found.
    if manifests.applications.is_empty() && manifests.findings.iter().any(|finding| finding.severity == Severity::Error)
    {
        return Err(manifests.findings);
    }
    selection.apply(manifests).map_err(findings)
}

/// Everything that a run may read.
pub(super) fn world(
    sources: SourceArguments,
    mut clusters: ClusterSettings,
    concurrency: usize,
    session: &Session,
) -> Result<World, Vec<Finding>> {
    let sources = sources.settings(concurrency)?;
    clusters.cache_dir.clone_from(&sources.cache_dir);
    let sources = Sources::new(sources, session.progress.clone()).map_err(|error| vec![Finding::of(&error)])?;
    Ok(World {
        sources: Arc::new(sources),
        clusters: Arc::new(Clusters::new(clusters, session.progress.clone())),
        progress: session.progress.clone(),
        cancel: session.cancel.clone(),
    })
}
