//! The first stage: expands what generates Applications, and then selects the applications of the run.
//!
//! Takes the applications and ApplicationSets of a [`Request`]. Returns those that the run is about; a selection that matches
//! nothing is an error. Selection comes after expansion: a generated Application can be named like any other, and so can one
//! that only another one contains.

use super::affected::{self, Changes};
use super::descend::{self, Child, Descent};
use super::expand::{self, Expanded};
use crate::app::changed::Affected;
use crate::app::{Application, Applications, InvalidApplication, Lineage, QualifiedName, SelectionError};
use crate::finding::{Code, Finding, Severity};
use crate::fleet::batch::Batch;
use crate::fleet::{Request, World};

/// The applications of a run, without those that they contain.
pub(crate) async fn select(request: &mut Request, world: &World) -> Result<Batch<Application>, Vec<SelectionError>> {
    select_applications(request, world).await.map(Batch::of)
}

/// The applications of a run, and all that they contain; rendered without a cluster.
pub(crate) async fn select_all(
    request: &mut Request,
    world: &World,
) -> Result<Batch<Application>, Vec<SelectionError>> {
    let mut selected = select_applications(request, world).await?;
    if request.with_children {
        let selection = request.selection.clone();
        let is_wanted = |_: &Request, _: &Child| false;
        let before = request.findings.len();
        let found = below(&selected, |_| true, request, world, &is_wanted).await;
        // What cannot be rendered here is what the caller looks into.
        request.findings.truncate(before);
        let is_selected = |one: &_| selection.matches_below(one);
        selected.extend(found.into_iter().filter(is_selected));
    }
    Ok(Batch::of(selected))
}

/// The same, as Applications.
pub async fn select_applications(request: &mut Request, world: &World) -> Result<Applications, Vec<SelectionError>> {
    let mut applications = std::mem::take(&mut request.applications);
    let generated = generated(&applications, request, world).await;
    applications.extend(generated);
    // What `--changed-since` leaves out is not rendered.
    request.census.is_complete = request.selection.is_everything() && request.changes.is_none();
    request.census.applications.extend(applications.iter().filter_map(|one| match one {
        Ok(application) => Some(application.qualified_name(&request.argocd_namespace)),
        Err(invalid) => invalid.qualified_name(&request.argocd_namespace),
    }));
    if request.with_children && request.selection.may_match_below(&applications) {
        let found = search(&applications, request, world).await;
        applications.extend(found);
    }
    let selected = request.selection.select(applications)?;
    let selected = affected(selected, request, world).await;
    let (own, others) = request.selection.split(selected);
    request.elsewhere = others;
    Ok(own)
}

/// The Applications that the ApplicationSets of the manifests generate.
async fn generated(written: &Applications, request: &mut Request, world: &World) -> Applications {
    if request.sets.is_empty() {
        return Applications::new();
    }
    let names: Vec<QualifiedName> =
        written.iter().flatten().map(|application| application.qualified_name(&request.argocd_namespace)).collect();
    let Request { sets, facts, .. } = request;
    let Expanded { applications: found, sets, findings } =
        expand::expand_sets(sets, &names, facts, &world.sources, &world.cancel).await;
    request.census.add_sets(sets);
    request.findings.extend(findings);
    let mut applications = Applications::new();
    for found in found {
        let generated_by = found.generated_by(&request.argocd_namespace);
        let lineage = Lineage {
            generated_by,
            set_origin: found.set_origin.clone(),
            rollout: found.rollout,
            ..Lineage::default()
        };
        applications.extend(expand::read(&found, &lineage, &mut request.findings));
    }
    applications
}

/// Everything below the Applications that are not selected, as far as something selected may be there: these are rendered only
/// to find it.
async fn search(applications: &Applications, request: &mut Request, world: &World) -> Applications {
    let selection = request.selection.clone();
    let is_wanted = |_: &Request, child: &Child| selection.matches(&child.application);
    let mut found = below(applications, |one| !selection.matches(one), request, world, &is_wanted).await;
    // What a flag names may be below what another flag names.
    if !selection.matches_each(applications.iter().chain(&found)) {
        let more = below(applications, |one| selection.matches(one), request, world, &is_wanted).await;
        found.extend(more);
    }
    found
}

/// Those that the changes can affect, and of the others the applications below them that the changes can affect.
async fn affected(selected: Applications, request: &mut Request, world: &World) -> Applications {
    let Some(changes) = request.changes.clone() else { return selected };
    if !changes.concerns_any(selected.iter().flatten()) {
        let message = "no application comes from the repository that changed";
        let finding = Finding::warning(Code::FleetChangesUnknown, message);
        request.findings.push(finding.with_help("every application is kept; compare its remotes with `repoURL`"));
        return selected;
    }
    let (mut kept, left_out) = judged(selected, &changes, request, world).await;
    if left_out.is_empty() || !request.with_children {
        return kept;
    }
    let mut children = Applications::new();
    match all_below(&left_out, request, world).await {
        Some(found) => children = found,
        // What is below an application that cannot be rendered is not known: it is kept, and the others are looked at alone.
        None => {
            for one in left_out {
                let alone = Applications::from([one]);
                match all_below(&alone, request, world).await {
                    Some(found) => children.extend(found),
                    None => kept.extend(alone),
                }
            }
        }
    }
    let selection = request.selection.clone();
    let children = children.into_iter().filter(|child| selection.matches_below(child)).collect();
    let (children, _) = judged(children, &changes, request, world).await;
    kept.extend(children);
    kept
}

/// Everything below applications; nothing where one of them cannot be rendered.
async fn all_below(applications: &Applications, request: &mut Request, world: &World) -> Option<Applications> {
    let before = request.findings.len();
    let found = below(applications, |_| true, request, world, &|_, _| false).await;
    let unread = request.findings.split_off(before);
    (!unread.iter().any(|finding| finding.severity == Severity::Error)).then_some(found)
}

/// Those that the changes can affect, and the others.
async fn judged(
    applications: Applications,
    changes: &Changes,
    request: &Request,
    world: &World,
) -> (Applications, Applications) {
    let (mut kept, mut left_out) = (Applications::new(), Applications::new());
    for entry in applications {
        let verdict = match &entry {
            Ok(application) => affected::judge(application, changes, request, world).await,
            Err(_) => Affected::Unknown("its manifest is invalid".to_owned()),
        };
        if changes.explains {
            let name = match &entry {
                Ok(application) => application.qualified_name(&request.argocd_namespace).to_string(),
                Err(invalid) => invalid.shown_name(),
            };
            world.progress.explain(format!("{name}: {verdict}"));
        }
        if verdict.is_kept() { kept.push(entry) } else { left_out.push(entry) }
    }
    (kept, left_out)
}

async fn below(
    applications: &Applications,
    is_searched: impl Fn(&Result<Application, Box<InvalidApplication>>) -> bool,
    request: &mut Request,
    world: &World,
    is_wanted: &impl Fn(&Request, &Child) -> bool,
) -> Applications {
    let seen = applications.iter().chain(&request.elsewhere).map(|one| one.as_ref().map_err(|invalid| &**invalid));
    let mut descent = Descent::of(seen, &request.argocd_namespace);
    let level = applications.iter().filter(|one| is_searched(one)).flatten().cloned().collect();
    let before = request.findings.len();
    let mut found = descend::search(level, &mut descent, request, world, is_wanted).await;
    // A cycle, or a child that stands twice, is reported of what the run is about.
    found.findings.extend(request.findings.split_off(before));
    request.findings.extend(found.warnings());
    found.children.into_iter().map(|child| child.application).collect()
}
