//! Finds the Applications that other Applications contain, level by level.
//!
//! In: applications, and the objects that each of them renders. Out: the Applications among these objects, and those that the
//! ApplicationSets among them generate, each with its parent. An application that was seen before is taken once.
//!
//! Rules: Argo CD's "app of apps": a child is an object of its parent, and one without a namespace is in that of the parent's
//! destination. Cycles are named; Argo CD does not see them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::expand::{self, Expanded};
use super::{fetch, load, render};
use crate::app::appset::FoundApplication;
use crate::app::source::SourceBlock;
use crate::app::{
    self, Application, Destination, Given, InvalidApplication, Lineage, ManifestFolder, ManifestText, QualifiedName,
};
use crate::finding::{Code, Finding, Severity};
use crate::fleet::application::{Built, Fetched, Loaded, Purpose};
use crate::fleet::batch::Batch;
use crate::fleet::condition::Conditions;
use crate::fleet::{Request, World};
use crate::object::annotations::is_skipped;
use crate::object::kinds::NEWEST_KUBERNETES;
use crate::object::{Kinds, Object, yaml};
use crate::source::locate;

/// The API group of Argo CD.
pub(crate) const ARGO_GROUP: &str = "argoproj.io";

/// How many Applications may be above one another.
const MAX_DEPTH: usize = 20;

/// An Application that another one contains.
#[derive(Debug, Clone)]
pub struct Child {
    /// The Application, with its lineage.
    pub application: Result<Application, Box<InvalidApplication>>,
    /// Its manifest.
    pub found: FoundApplication,
}

impl Child {
    /// Where it comes from.
    pub fn lineage(&self) -> &Lineage {
        match &self.application {
            Ok(application) => &application.lineage,
            Err(invalid) => &invalid.lineage,
        }
    }
}

/// An application that was seen, or one whose manifest is wrong.
pub(crate) type Seen<'run> = Result<&'run Application, &'run InvalidApplication>;

/// An application and the objects that it renders.
pub(crate) struct Parent<'run> {
    pub(crate) application: &'run Application,
    pub(crate) objects: &'run [Object],
    /// Whether these are all of them.
    pub(crate) is_complete: bool,
}

impl<'run> Parent<'run> {
    pub(crate) fn of(built: &'run Built) -> Self {
        Self { application: &built.application, objects: &built.target, is_complete: built.gaps.is_empty() }
    }
}

/// The applications that a run has seen.
#[derive(Debug, Default)]
pub(crate) struct Descent {
    /// The applications that contain others.
    parents: BTreeSet<QualifiedName>,
    known: BTreeMap<QualifiedName, Known>,
}

#[derive(Debug, Default)]
struct Known {
    parent: Option<QualifiedName>,
    parent_origin: String,
    wave: i64,
    deploys: Option<Deployed>,
}

/// What an application deploys, and where: two manifests of one application have to agree on it.
#[derive(Debug, PartialEq)]
struct Deployed {
    sources: Vec<SourceBlock>,
    destination: Destination,
    project: String,
}

impl Deployed {
    fn of(application: &Application) -> Self {
        let block = |source| SourceBlock::of(source, application.source_form);
        Self {
            sources: application.sources.iter().map(block).collect(),
            destination: application.destination.clone(),
            project: application.project.clone(),
        }
    }
}

impl Descent {
    /// Begins with the applications at the top.
    pub(crate) fn of<'run>(applications: impl IntoIterator<Item = Seen<'run>>, default_namespace: &str) -> Self {
        let mut descent = Self::default();
        for seen in applications {
            let (name, lineage) = match seen {
                Ok(application) => (Some(application.qualified_name(default_namespace)), &application.lineage),
                Err(invalid) => (invalid.qualified_name(default_namespace), &invalid.lineage),
            };
            let Some(name) = name else { continue };
            let deploys = seen.ok().map(Deployed::of);
            let Lineage { parent, parent_origin, wave, .. } = lineage.clone();
            descent.known.insert(name, Known { parent, parent_origin, wave, deploys });
        }
        descent
    }

    /// Notes the parent that an application was found to have.
    pub(crate) fn place(&self, loaded: &mut Loaded, default_namespace: &str) {
        let name = loaded.application.qualified_name(default_namespace);
        let parent = self.parent_of(&name).cloned();
        let has_children = self.parents.contains(&name);
        if loaded.application.lineage.parent != parent {
            let depth = self.above(&name).len();
            let Some(known) = self.known.get(&name) else { return };
            let (wave, parent_origin) = (known.wave, known.parent_origin.clone());
            let application = Arc::make_mut(&mut loaded.application);
            application.lineage = Lineage { parent, depth, parent_origin, wave, ..application.lineage.clone() };
        }
        if has_children {
            Arc::make_mut(&mut loaded.application).lineage.has_children = true;
        }
    }

    /// The Application that contains one, as far as it was found.
    pub(crate) fn parent_of(&self, name: &QualifiedName) -> Option<&QualifiedName> {
        self.known.get(name)?.parent.as_ref()
    }

    /// The Applications above one, the nearest first.
    fn above(&self, name: &QualifiedName) -> Vec<QualifiedName> {
        std::iter::successors(self.parent_of(name), |above| self.parent_of(above)).cloned().collect()
    }

    /// Every application that these contain and that was not seen before.
    pub(crate) async fn below(&mut self, parents: &[Parent<'_>], request: &mut Request, world: &World) -> Vec<Child> {
        let mut children = Vec::new();
        for parent in parents {
            add_projects(parent, request);
            let texts = contained(parent);
            let origin = origin_of(parent.application);
            if texts.is_empty() {
                if parent.is_complete {
                    let name = parent.application.qualified_name(&request.argocd_namespace);
                    request.census.parents.insert(name, origin);
                }
                continue;
            }
            let Expanded { applications, sets, findings } =
                expand::expand(&texts, &mut request.facts, &world.sources, &world.cancel).await;
            let name = parent.application.qualified_name(&request.argocd_namespace);
            let has_error = findings.iter().any(|finding| finding.severity == Severity::Error);
            if parent.is_complete && !has_error {
                request.census.parents.insert(name.clone(), origin.clone());
            }
            self.parents.insert(name.clone());
            request.census.add_sets(sets);
            request.findings.extend(findings);
            for found in applications {
                if let Some(child) = self.child(found, (&name, &origin), request) {
                    children.push(child);
                }
            }
        }
        children
    }

    /// An Application as a child of another one; nothing where it was seen before.
    fn child(
        &mut self,
        found: FoundApplication,
        (parent, origin): (&QualifiedName, &str),
        request: &mut Request,
    ) -> Option<Child> {
        let name = found.qualified_name(&request.argocd_namespace);
        request.census.applications.insert(name.clone());
        let above = self.above(parent);
        let mut path = above.iter().rev().chain([parent]);
        if let Some(start) = path.position(|above| *above == name) {
            let path: Vec<&QualifiedName> = above.iter().rev().chain([parent]).skip(start).collect();
            request.findings.push(cycle(&path, &name));
            return None;
        }
        let depth = above.len() + 1;
        if depth > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} Applications are above one another");
            let finding = Finding::error(Code::FleetApplicationDepth, message);
            if !request.findings.contains(&finding) {
                request.findings.push(finding);
            }
            return None;
        }
        let generated_by = found.generated_by(&request.argocd_namespace);
        let (wave, rollout) = (found.wave, found.rollout);
        let lineage = Lineage {
            generated_by,
            parent: Some(parent.clone()),
            has_children: false,
            depth,
            set_origin: found.set_origin.clone(),
            parent_origin: origin.to_owned(),
            wave,
            rollout,
        };
        let application = expand::read(&found, &lineage, &mut request.findings)?;
        let deploys = application.as_ref().ok().map(Deployed::of);
        let Some(known) = self.known.get_mut(&name) else {
            let parent_origin = origin.to_owned();
            self.known.insert(name, Known { parent: Some(parent.clone()), parent_origin, wave, deploys });
            return Some(Child { application, found });
        };
        let is_same = known.deploys == deploys;
        if known.parent.is_none() {
            (known.parent, known.wave) = (Some(parent.clone()), wave);
            origin.clone_into(&mut known.parent_origin);
        } else if known.parent.as_ref() == Some(parent) {
            return None;
        }
        if !is_same || known.parent.as_ref() != Some(parent) {
            let message = format!("{name} is rendered by {parent}, and stands elsewhere, too");
            let finding = Finding::warning(Code::FleetRepeatedChild, message);
            request.findings.push(finding.with_help("its first manifest is taken; keep one of them"));
        }
        None
    }
}

fn cycle(path: &[&QualifiedName], again: &QualifiedName) -> Finding {
    let path: Vec<String> = path.iter().copied().chain([again]).map(ToString::to_string).collect();
    let message = format!("Applications contain each other: {}", path.join(" → "));
    Finding::warning(Code::FleetApplicationCycle, message).with_help("it is expanded once")
}

/// The repositories of an application: another one of its name has others.
fn origin_of(application: &Application) -> String {
    application.sources.iter().map(|source| source.repo_url.host_and_path()).collect::<Vec<_>>().join(" ")
}

/// Whether an object is one that Argo CD reads.
pub(crate) fn is_argo_object(object: &Object) -> bool {
    object.gvk().group == ARGO_GROUP && matches!(object.kind(), "Application" | "ApplicationSet" | "AppProject")
}

/// Adds the AppProjects among the objects of an application; Argo CD reads those in its own namespace.
fn add_projects(parent: &Parent<'_>, request: &mut Request) {
    let is_read = |object: &&Object| {
        let namespace = [object.namespace(), &parent.application.destination.namespace];
        let namespace = namespace.into_iter().find(|namespace| !namespace.is_empty());
        object.kind() == "AppProject"
            && is_argo_object(object)
            && !is_skipped(object)
            && namespace.is_none_or(|namespace| namespace == request.argocd_namespace)
    };
    let projects: Vec<&Object> = parent.objects.iter().filter(is_read).collect();
    for project in projects {
        let manifests = app::read(&[text(parent.application, project)]);
        // That it is no Application is no fault.
        let is_fault = |finding: &Finding| finding.code != Some(Code::AppNoApplication);
        request.findings.extend(manifests.findings.into_iter().filter(is_fault));
        request.projects.add_found(manifests.projects);
    }
}

/// The Applications and ApplicationSets among the objects of an application, as files.
fn contained(parent: &Parent<'_>) -> Vec<ManifestText> {
    let is_expanded = |object: &&Object| is_argo_object(object) && object.kind() != "AppProject" && !is_skipped(object);
    parent.objects.iter().filter(is_expanded).map(|object| text(parent.application, object)).collect()
}

fn text(parent: &Application, object: &Object) -> ManifestText {
    let mut manifest = object.to_value();
    let namespace = &parent.destination.namespace;
    if object.namespace().is_empty() && !namespace.is_empty() {
        manifest["metadata"]["namespace"] = namespace.as_str().into();
    }
    let file = object.origin().map(|origin| origin.file.to_string());
    let path = file.as_deref().and_then(|file| Path::new(file).parent()).unwrap_or(Path::new("")).to_owned();
    // A `repoURL` of `.` is the repository that the manifest comes from.
    let folder = parent.sources.first().map_or_else(
        || parent.folder.clone(),
        |source| {
            let url = locate(source.repo_url.with_credentials(), &parent.folder);
            ManifestFolder::Repository { url, path }
        },
    );
    ManifestText {
        name: file.unwrap_or_else(|| format!("a manifest of {}", parent.name)),
        bytes: yaml::write(&manifest).into_bytes(),
        folder,
        given: Given::ByName,
    }
}

/// What rendering without a cluster gave.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// Every Application below those that were rendered, level by level.
    pub(crate) children: Vec<Child>,
    /// What was said while rendering.
    pub(crate) findings: Vec<Finding>,
}

impl Search {
    /// What could not be looked into, as warnings: for Applications that are only rendered to find others.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = Finding> {
        let errors = self.findings.iter().filter(|finding| finding.severity == Severity::Error);
        errors.map(|finding| Finding {
            severity: Severity::Warning,
            message: format!("{}; the Applications that it contains are not known", finding.message),
            ..finding.clone()
        })
    }
}

/// Everything below some applications, rendered for the newest Kubernetes: no cluster is asked. Below an Application that is
/// wanted nothing is searched.
pub(crate) async fn search(
    applications: Vec<Application>,
    descent: &mut Descent,
    request: &mut Request,
    world: &World,
    is_wanted: impl Fn(&Request, &Child) -> bool,
) -> Search {
    let mut search = Search::default();
    let mut level = applications;
    while !level.is_empty() && !world.cancel.is_cancelled() {
        let Search { children, findings } = below(level, descent, request, world).await;
        let unwanted = children.iter().filter(|child| !is_wanted(request, child));
        level = unwanted.filter_map(|child| child.application.as_ref().ok()).cloned().collect();
        search.children.extend(children);
        search.findings.extend(findings);
    }
    search
}

async fn below(level: Vec<Application>, descent: &mut Descent, request: &mut Request, world: &World) -> Search {
    let loaded = load::load_all(Batch::of(level.into_iter().map(Ok)), &Purpose::Keep);
    let fetched = loaded.through(async |loaded| fetch::fetch(loaded, world, request.concurrency).await).await;
    let kinds = Arc::new(Kinds::builtin(NEWEST_KUBERNETES));
    let built = render::build(fetched, &kinds, request, world).await;
    let conditions = built.left().map(|left| &left.conditions).chain(built.iter().map(|built| &built.conditions));
    let findings = conditions.flat_map(Conditions::iter).map(|condition| condition.finding.clone()).collect();
    let parents: Vec<Parent<'_>> = built.iter().map(Parent::of).collect();
    let children = descent.below(&parents, request, world).await;
    Search { children, findings }
}

/// Renders applications whose clusters do not answer, as far as that works.
pub(crate) async fn build(fetched: Vec<Fetched>, request: &Request, world: &World) -> Batch<Built> {
    let kinds = Arc::new(Kinds::builtin(NEWEST_KUBERNETES));
    render::build(Batch::of(fetched.into_iter().map(Ok)), &kinds, request, world).await
}

/// Everything below the Applications of manifests, level by level, and what went wrong; no cluster is asked.
pub async fn below_found(
    found: &[FoundApplication],
    mut request: Request,
    world: &World,
) -> (Vec<Child>, Vec<Finding>) {
    let mut findings = Vec::new();
    let read = found.iter().filter_map(|found| expand::read(found, &Lineage::default(), &mut findings));
    let applications: Vec<_> = read.collect();
    let seen = applications.iter().map(|one| one.as_ref().map_err(|invalid| &**invalid));
    let mut descent = Descent::of(seen, &request.argocd_namespace);
    let mut level = Vec::new();
    for application in applications {
        match application {
            Ok(application) => level.push(application),
            Err(invalid) => findings.extend(invalid.findings),
        }
    }
    let search = search(level, &mut descent, &mut request, world, |_, _| false).await;
    findings.extend(search.findings);
    findings.extend(request.findings);
    let invalid = search.children.iter().filter_map(|child| child.application.as_ref().err());
    findings.extend(invalid.flat_map(|invalid| invalid.findings.iter().cloned()));
    (search.children, findings)
}
