//! What the arguments ask for, made ready: manifests read, sources and clusters at hand.
//!
//! In: the arguments that every command has. Out: a [`Request`] and the [`World`], or the findings that forbid a run.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use super::arguments::comparing::FromCluster;
use super::arguments::selection::{Chosen, SelectionArguments};
use super::arguments::source::{Overriding, SourceArguments};
use super::built;
use super::inputs::{self, Inputs};
use super::manifests::{self, ManifestError, StandardInput};
use super::registered;
use super::session::Session;
use crate::app::policy::{Policy, Subject};
use crate::app::project::Projects;
use crate::app::settings::{ComparisonSettings, RenderingSettings, Settings};
use crate::app::{self, Application, Applications, Manifests, Selection, SelectionError};
use crate::cluster::{ClusterSettings, Clusters};
use crate::finding::{Code, Finding, Severity};
use crate::fleet::{self, Permissions, Request, World};
use crate::source::{SourceSettings, Sources};

/// How many of the files that hold nothing of Argo CD are named.
const SHOWN_OTHERS: usize = 100;

/// Reads the manifests, and what is selected of them, and makes ready what a run may read.
pub(super) async fn request(
    selection: &SelectionArguments,
    sources: SourceArguments,
    clusters: ClusterSettings,
    from_cluster: FromCluster,
    session: &Session,
) -> Result<(Request, World), Vec<Finding>> {
    Box::pin(read_request(selection, sources, clusters, from_cluster, ManifestsWanted::Applications, session)).await
}

/// The same, where projects alone are enough.
pub(super) async fn with_projects(
    selection: &SelectionArguments,
    sources: SourceArguments,
    clusters: ClusterSettings,
    from_cluster: FromCluster,
    session: &Session,
) -> Result<(Request, World), Vec<Finding>> {
    Box::pin(read_request(selection, sources, clusters, from_cluster, ManifestsWanted::Projects, session)).await
}

/// What the manifests must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ManifestsWanted {
    Applications,
    /// Applications or AppProjects.
    Projects,
}

async fn read_request(
    selection: &SelectionArguments,
    sources: SourceArguments,
    clusters: ClusterSettings,
    from_cluster: FromCluster,
    wanted: ManifestsWanted,
    session: &Session,
) -> Result<(Request, World), Vec<Finding>> {
    let argocd = selection.argocd()?;
    let (settings, rendering) = settings(&argocd.settings)?;
    let overriding = sources.overriding();
    let mut warnings = argocd.warnings.clone();
    sources.repositories.know(&argocd.servers);
    let mut render = sources.render_settings()?;
    render.take(rendering);
    warnings.extend(sources.repositories.read()?.warnings);
    let concurrency = clusters.concurrency;
    let checkout = sources.checkout.clone().unwrap_or_else(|| ".".into());
    let (changes, unknown) = selection.changed.changes(&checkout)?;
    warnings.extend(unknown);
    let (texts, findings) = Box::pin(built::read(&selection.input, &sources, &render, session)).await?;
    let inputs = Inputs { texts, findings, ..Inputs::default() };
    let world = world(sources, clusters, session)?;
    let registered = registered::register(&selection.generators, &selection.argocd_namespace, &world.clusters);
    warnings.extend(registered.await?);
    let mut request = Request {
        render,
        concurrency,
        instance_label: selection.instance_label.clone(),
        argocd_namespace: selection.argocd_namespace.clone(),
        settings,
        changes,
        settings_from_cluster: from_cluster.settings,
        repositories_from_cluster: from_cluster.repositories,
        ..Request::default()
    };
    if !selection.apps_from.is_empty() {
        // The Secrets of the cluster may open the repository of the manifests.
        request = fleet::read_settings(request, &world).await;
    }
    let (manifests, selected, allowed) = read(selection, inputs, &world, wanted, session).await?;
    request.facts = selection.generators.facts(Some(&selection.argocd_namespace), &world.clusters).await?;
    // A cluster holds children beside their parents.
    request.with_children = !selection.no_children && !selection.input.from_cluster;
    (request.applications, request.sets, request.selection) = (manifests.applications, manifests.sets, selected);
    request.projects = Projects::new(manifests.projects);
    request.permissions = permissions(allowed, overriding, &argocd.settings)?;
    request.findings.splice(0..0, manifests.findings.into_iter().chain(warnings));
    Ok((request, world))
}

/// The applications of the manifests that were asked for, in order, and what was odd while reading them; for whoever needs
/// nothing but their names.
pub(super) async fn applications(
    selection: &SelectionArguments,
    sources: SourceArguments,
    clusters: ClusterSettings,
    session: &Session,
) -> Result<(Applications, Vec<Finding>), Vec<Finding>> {
    let (mut request, world) = request(selection, sources, clusters, FromCluster::default(), session).await?;
    let applications = fleet::select_applications(&mut request, &world).await;
    let mut applications = applications.map_err(|errors| unselected(errors, &selection.chosen()))?;
    let mut findings = request.findings;
    if let Some(permissions) = &request.permissions {
        let refusal = |application: &Application| permissions.refusal(application, &request.argocd_namespace, "get");
        applications.retain(|application| {
            let refused = application.as_ref().ok().and_then(refusal);
            findings.extend(refused.clone());
            refused.is_none()
        });
    }
    Ok((applications, findings))
}

/// Argo CD's settings about comparing and rendering.
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

/// What the person behind the run may do, where one is named.
fn permissions(
    allowed: Option<(Policy, Subject)>,
    overriding: Option<Overriding>,
    settings: &Settings,
) -> Result<Option<Permissions>, Vec<Finding>> {
    let Some((policy, subject)) = allowed else { return Ok(None) };
    let switch = |key| settings.switch(key).map_err(|error| vec![Finding::of(&error)]);
    let overriding = match overriding {
        Some(Overriding { flag, is_revision: true }) => {
            switch("application.sync.requireOverridePrivilegeForRevisionSync")?.then_some(flag)
        }
        overriding => overriding.map(|overriding| overriding.flag),
    };
    let enforces_rollback = switch("server.rbac.rollback.enforce.enable")?;
    Ok(Some(Permissions { policy: Arc::new(policy), subject, overriding, enforces_rollback }))
}

/// Every Application of the manifests, and the flags that select among them.
async fn read(
    arguments: &SelectionArguments,
    inputs: Inputs,
    world: &World,
    wanted: ManifestsWanted,
    session: &Session,
) -> Result<(Manifests, Selection, Option<(Policy, Subject)>), Vec<Finding>> {
    let Inputs { texts, held, findings: unread } = inputs.read(arguments, world, session).await;
    let findings = |errors: Vec<app::SelectionError>| errors.iter().map(|error| Finding::of(error)).collect::<Vec<_>>();
    let chosen = arguments.chosen();
    let apps: Vec<String> = arguments.app.iter().chain(&chosen.names).cloned().collect();
    let selection = Selection::new(&apps, arguments.selector.as_deref(), &arguments.project).map_err(findings)?;
    let selection = selection
        .in_namespace(arguments.namespace.as_deref(), &arguments.argocd_namespace)
        .in_shard(arguments.shard, &arguments.argocd_namespace);
    let mut standard_input = std::io::stdin().lock();
    let is_terminal = std::io::stdin().is_terminal();
    let mut read = manifests::read_argo_cd(&chosen.paths, StandardInput { reader: &mut standard_input, is_terminal });
    if chosen.is_default && read.texts.is_empty() && matches!(read.errors[..], [ManifestError::NoManifests { .. }]) {
        return Err(vec![no_path(&chosen)]);
    }
    read.texts.extend(texts);
    let allowed = arguments.policy.allowed(&read.texts)?;
    let mut manifests = app::read_beside(&read.texts, &held, &inputs::scope(arguments).argocd_namespace);
    if wanted == ManifestsWanted::Projects && !manifests.projects.is_empty() {
        manifests.findings.retain(|finding| finding.code != Some(Code::AppNoApplication));
    }
    let unreadable = read.errors.iter().map(|error| Finding::of(error)).chain(unread);
    manifests.findings.splice(0..0, unreadable);
    // What cannot be read at all comes first: it explains why nothing was found.
    let is_empty = manifests.applications.is_empty() && manifests.sets.is_empty();
    if is_empty && manifests.findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(manifests.findings);
    }
    for name in read.others.iter().take(SHOWN_OTHERS) {
        session.progress.note(format!("skipped {name}: nothing in it is of Argo CD"));
    }
    if let Some(more) = read.others.len().checked_sub(SHOWN_OTHERS).filter(|more| *more > 0) {
        session.progress.note(format!("skipped {more} more files that hold nothing of Argo CD"));
    }
    for (kind, count) in &manifests.ignored {
        session.progress.note(format!("skipped {count} of {kind}"));
    }
    for detail in &manifests.details {
        session.progress.note(format!("skipped {}", detail.message));
    }
    Ok((manifests, selection, allowed))
}

/// Nothing says where the manifests are.
fn no_path(chosen: &Chosen) -> Finding {
    let help = "name files or folders of Application manifests, as in `trueup diff apps/`";
    match chosen.names.first() {
        None => Finding::error(Code::CliNoPath, "no PATH is given, and the current folder holds no manifest")
            .with_help(help),
        Some(name) => neither(name, "the current folder holds no manifest of an Application"),
    }
}

/// Why nothing is selected. A word that was taken for a name may have been meant as a path.
pub(super) fn unselected(errors: Vec<SelectionError>, chosen: &Chosen) -> Vec<Finding> {
    let finding = |error: SelectionError| match &error {
        SelectionError::Nothing { flag: "--app", pattern, advice } if chosen.names.contains(pattern) => {
            neither(pattern, advice)
        }
        error => Finding::of(error),
    };
    errors.into_iter().map(finding).collect()
}

fn neither(name: &str, advice: &str) -> Finding {
    let as_path = manifests::nearest_path(Path::new(name));
    Finding::error(Code::CliNeither, format!("`{name}` is neither an Application nor a file or folder"))
        .with_help(format!("as an Application: {advice}; as a path: {as_path}"))
}

/// Everything that a run may read.
pub(super) fn world(
    sources: SourceArguments,
    mut clusters: ClusterSettings,
    session: &Session,
) -> Result<World, Vec<Finding>> {
    clusters.untrusted = sources.repositories.untrusted;
    let sources = sources.settings(clusters.concurrency)?;
    clusters.cache_dir.clone_from(&sources.cache_dir);
    Ok(World {
        sources: Arc::new(self::sources(sources, session)?),
        clusters: Arc::new(Clusters::new(clusters, session.progress.clone())),
        progress: session.progress.clone(),
        cancel: session.cancel.clone(),
    })
}

/// The repositories of a run.
pub(super) fn sources(settings: SourceSettings, session: &Session) -> Result<Sources, Vec<Finding>> {
    Sources::new(settings, session.progress.clone()).map_err(|error| vec![Finding::of(&error)])
}
