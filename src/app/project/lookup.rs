//! Every project of a run, and which rules hold for one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decode::{AppProject, InvalidProject};
use super::pattern::RulePattern;
use super::rules::{DestinationRule, Placed, ProjectRules, ResourceRule, RuleList, RuleSet};
use crate::app::settings::GlobalProject;
use crate::object::Origin;

/// The project that is there when nobody defines it.
const DEFAULT: &str = "default";

/// The AppProjects of the manifests.
#[derive(Debug, Clone, Default)]
pub struct Projects {
    definitions: BTreeMap<String, Definition>,
}

/// What is known of a name.
#[derive(Debug, Clone)]
enum Definition {
    One(Arc<AppProject>),
    /// Its manifest is wrong.
    Invalid(Origin),
    /// Several manifests define it.
    Several(Vec<Origin>),
}

/// Clusters and repositories that belong to one project, by their Secrets.
#[derive(Debug, Clone, Default)]
pub struct ProjectScoped {
    /// Clusters.
    pub clusters: Vec<ScopedCluster>,
    /// Repositories: the project, the URL.
    pub repositories: Vec<(String, String)>,
}

/// A cluster that belongs to one project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopedCluster {
    /// The project.
    pub project: String,
    /// The API server's URL.
    pub server: String,
    /// Its name.
    pub name: String,
    /// The only namespaces that are managed; empty for all.
    pub namespaces: Vec<String>,
}

/// What the name of a project stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum ProjectLookup {
    /// No AppProject was given at all.
    Unchecked,
    /// The project.
    Found(Box<ProjectRules>),
    /// AppProjects were given, and none has this name.
    Missing {
        /// The names that there are.
        known: Vec<String>,
    },
    /// Its manifest is wrong.
    Invalid(Origin),
    /// Several manifests define it.
    Several(Vec<Origin>),
}

impl Projects {
    /// The projects of manifests.
    pub fn new(projects: impl IntoIterator<Item = Result<AppProject, Box<InvalidProject>>>) -> Self {
        let mut this = Self::default();
        for project in projects {
            let (name, origin) = match &project {
                Ok(project) => (project.name.clone(), project.origin.clone()),
                Err(invalid) => (invalid.name.clone(), invalid.origin.clone()),
            };
            let definition = match this.definitions.remove(&name) {
                None => match project {
                    Ok(project) => Definition::One(Arc::new(project)),
                    Err(_) => Definition::Invalid(origin),
                },
                Some(Definition::One(first)) => Definition::Several(vec![first.origin.clone(), origin]),
                Some(Definition::Invalid(first)) => Definition::Several(vec![first, origin]),
                Some(Definition::Several(mut places)) => {
                    places.push(origin);
                    Definition::Several(places)
                }
            };
            this.definitions.insert(name, definition);
        }
        this
    }

    /// Adds the projects that an Application contains; one that is defined already stays as it is.
    pub fn add_found(&mut self, projects: impl IntoIterator<Item = Result<AppProject, Box<InvalidProject>>>) {
        for (name, definition) in Self::new(projects).definitions {
            self.definitions.entry(name).or_insert(definition);
        }
    }

    /// Whether no AppProject was given.
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    /// The well-defined projects, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<AppProject>> {
        self.definitions.values().filter_map(|definition| match definition {
            Definition::One(project) => Some(project),
            Definition::Invalid(_) | Definition::Several(_) => None,
        })
    }

    /// A project that is defined once, and correctly.
    pub fn get(&self, name: &str) -> Option<&AppProject> {
        match self.definitions.get(name) {
            Some(Definition::One(project)) => Some(project),
            Some(Definition::Invalid(_) | Definition::Several(_)) | None => None,
        }
    }

    /// The rules of a project, with those of its global projects and what belongs to it alone.
    pub fn rules(&self, name: &str, globals: &[GlobalProject], scoped: &ProjectScoped) -> ProjectLookup {
        if self.is_empty() {
            return ProjectLookup::Unchecked;
        }
        let project = match self.definitions.get(name) {
            Some(Definition::One(project)) => Arc::clone(project),
            Some(Definition::Invalid(place)) => return ProjectLookup::Invalid(place.clone()),
            Some(Definition::Several(places)) => return ProjectLookup::Several(places.clone()),
            None if name == DEFAULT => Arc::new(permissive()),
            None => return ProjectLookup::Missing { known: self.definitions.keys().cloned().collect() },
        };
        let mut rules = ProjectRules { set: project.rules.clone(), project, own_clusters: Vec::new() };
        add_scoped(&mut rules, scoped);
        let labels = rules.project.labels.clone();
        for global in globals.iter().filter(|global| global.project != name && global.selects(&labels)) {
            match self.definitions.get(&global.project) {
                Some(Definition::One(global)) => rules.append(&global.rules),
                // As in Argo CD, the first that is not there ends the list.
                _ => break,
            }
        }
        ProjectLookup::Found(Box::new(rules))
    }
}

fn add_scoped(rules: &mut ProjectRules, scoped: &ProjectScoped) {
    let place = |what: &str| Origin { file: what.into(), line: 0 };
    let name = rules.project.name.clone();
    for (_, url) in scoped.repositories.iter().filter(|(project, _)| *project == name) {
        let value = RulePattern::of_repositories(url);
        rules.set.source_repos.items.push(Placed { value, origin: place("its repository Secret") });
    }
    for cluster in scoped.clusters.iter().filter(|cluster| cluster.project == name) {
        let all = ["*".to_owned()];
        for namespace in if cluster.namespaces.is_empty() { &all[..] } else { &cluster.namespaces } {
            let value = DestinationRule {
                server: RulePattern::plain(&cluster.server),
                name: RulePattern::plain(""),
                namespace: RulePattern::plain(namespace),
            };
            rules.set.destinations.items.push(Placed { value, origin: place("its cluster Secret") });
        }
        rules.own_clusters.push((cluster.server.clone(), cluster.name.clone()));
    }
}

/// A list of one rule.
fn list<T>(value: T, origin: &Origin) -> RuleList<T> {
    RuleList { items: vec![Placed { value, origin: origin.clone() }], origin: Some(origin.clone()) }
}

/// The `default` project as Argo CD installs it: everything is allowed.
fn permissive() -> AppProject {
    let origin = Origin { file: "the `default` project of an installation".into(), line: 0 };
    let any = || RulePattern::plain("*");
    let kinds = ResourceRule { group: "*".to_owned(), kind: "*".to_owned(), name: String::new() };
    AppProject {
        name: DEFAULT.to_owned(),
        namespace: String::new(),
        labels: BTreeMap::new(),
        description: String::new(),
        orphaned_resources: None,
        rules: RuleSet {
            source_repos: list(RulePattern::of_repositories("*"), &origin),
            destinations: list(
                DestinationRule { server: any(), name: RulePattern::plain(""), namespace: any() },
                &origin,
            ),
            cluster_allowed: list(kinds, &origin),
            ..RuleSet::default()
        },
        origin,
        findings: Vec::new(),
    }
}
