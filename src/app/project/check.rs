//! What the rules of a project forbid of an Application and of its objects.

use std::collections::HashMap;

use super::integrity::{IntegrityMode, IntegrityPolicy};
use super::pattern::{RulePattern, name_matches};
use super::rules::{DestinationRule, Placed, ProjectRules, ResourceRule, RuleList};
use super::violation::{ProjectRule, Violation, ViolationSubject};
use crate::app::project_glob::ProjectGlob;
use crate::app::{Application, Source};
use crate::gotemplate::go_regex;
use crate::object::{GroupKind, Origin};

use super::repo_url::normalized;

/// The cluster of an Application, as Argo CD knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DestinationCluster {
    /// The API server's URL; empty where it is not known.
    pub server: String,
    /// Its name; empty where it is not known.
    pub name: String,
}

impl DestinationCluster {
    /// How people call it.
    fn shown(&self) -> String {
        match (self.name.as_str(), self.server.as_str()) {
            ("", server) => server.to_owned(),
            (name, _) => format!("`{name}`"),
        }
    }
}

/// An object, as far as a project looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedResource<'object> {
    /// The API group.
    pub group: &'object str,
    /// The kind.
    pub kind: &'object str,
    /// The namespace; empty for cluster-scoped objects.
    pub namespace: &'object str,
    /// The name.
    pub name: &'object str,
    /// Whether the kind lives in namespaces.
    pub is_namespaced: bool,
}

/// The rule that forbids something, the entry that does, and its line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Forbidden {
    rule: ProjectRule,
    entry: Option<String>,
    place: Origin,
}

/// The rules of cluster-scoped kinds that concern one kind.
type ByName<'rules> = (Vec<&'rules Placed<ResourceRule>>, Vec<&'rules Placed<ResourceRule>>);

impl ProjectRules {
    /// What is forbidden of the Application itself: its sources, its destination, the namespace of its manifest.
    pub fn check_application(
        &self,
        application: &Application,
        controller_namespace: &str,
        cluster: &DestinationCluster,
    ) -> Vec<Violation> {
        let mut violations = self.check_sources(application);
        let namespace = &application.destination.namespace;
        if let Some(forbidden) = self.forbids_destination(cluster, namespace) {
            let subject = ViolationSubject::Destination { cluster: cluster.shown(), namespace: namespace.clone() };
            violations.push(self.violation(forbidden, subject));
        }
        let own = &application.namespace;
        if !own.is_empty() && own != controller_namespace && !self.permits_application_namespace(own) {
            let forbidden = self.not_allowed(ProjectRule::SourceNamespaces, &self.set.source_namespaces);
            violations
                .push(self.violation(forbidden, ViolationSubject::ApplicationNamespace { namespace: own.clone() }));
        }
        violations
    }

    /// Which of the Application's sources are forbidden; of a hydrator what it renders, too.
    pub fn check_sources(&self, application: &Application) -> Vec<Violation> {
        let dry = application.source_hydrator.as_ref().map(|hydrator| &hydrator.dry_source.repo_url);
        let mut violations: Vec<Violation> = Vec::new();
        for url in dry.into_iter().chain(application.sources.iter().map(|source| &source.repo_url)) {
            if let Some(forbidden) = self.forbids_source(url.with_credentials()) {
                let violation = self.violation(forbidden, ViolationSubject::Source { url: url.to_string() });
                if !violations.contains(&violation) {
                    violations.push(violation);
                }
            }
        }
        violations.extend(self.check_integrity(application));
        violations
    }

    /// Which of the Application's git sources need a signature. Until signatures are verified, these are refused.
    fn check_integrity(&self, application: &Application) -> Vec<Violation> {
        let is_git =
            |source: &&Source| source.chart.is_none() && !source.repo_url.with_credentials().starts_with("oci://");
        let unverified = |source: &Source| {
            let url = source.repo_url.with_credentials();
            let policies: Vec<&IntegrityPolicy> = self.set.integrity.iter().filter(|it| it.concerns(url)).collect();
            let (entry, policy) = match policies.as_slice() {
                [] => return None,
                [policy] if policy.mode == IntegrityMode::None => return None,
                [policy] => (None, policy),
                // As in Argo CD, a mistake here must not turn verification off.
                [policy, ..] => (Some(format!("{} policies", policies.len())), policy),
            };
            let rule = if policy.is_legacy { ProjectRule::SignatureKeys } else { ProjectRule::SourceIntegrity };
            let forbidden = Forbidden { rule, entry, place: policy.origin.clone() };
            Some(self.violation(forbidden, ViolationSubject::Source { url: source.repo_url.to_string() }))
        };
        application.sources.iter().filter(is_git).filter_map(unverified).collect()
    }

    /// Which objects are forbidden: by their kind, or by their namespace. One violation for each rule and kind, or namespace.
    pub fn check_resources<'object>(
        &self,
        resources: impl IntoIterator<Item = CheckedResource<'object>>,
        cluster: &DestinationCluster,
    ) -> Vec<Violation> {
        let mut kinds = KindRules { rules: self, namespaced: HashMap::new(), by_name: HashMap::new() };
        let mut namespaces: HashMap<&str, Option<Forbidden>> = HashMap::new();
        let mut found = FoundViolations { rules: self, list: Vec::new(), places: HashMap::new() };
        for resource in resources {
            let Some(forbidden) = kinds.forbids(&resource) else {
                if resource.is_namespaced {
                    let namespace = resource.namespace;
                    let forbidden =
                        namespaces.entry(namespace).or_insert_with(|| self.forbids_destination(cluster, namespace));
                    if let Some(forbidden) = forbidden {
                        found.in_namespace(forbidden, &resource, cluster);
                    }
                }
                continue;
            };
            found.of_kind(&forbidden, &resource);
        }
        found.list
    }

    /// Whether a live object is one that the project's applications may have at all.
    pub fn permits_live(&self, resource: &CheckedResource<'_>, cluster: &DestinationCluster) -> bool {
        self.check_resources([*resource], cluster).is_empty()
    }

    fn violation(&self, forbidden: Forbidden, subject: ViolationSubject) -> Violation {
        let Forbidden { rule, entry, place } = forbidden;
        Violation { project: self.name().to_owned(), rule, entry, place, subject }
    }

    /// No entry of a list allows something.
    fn not_allowed<T>(&self, rule: ProjectRule, list: &RuleList<T>) -> Forbidden {
        let place = list.origin.clone().unwrap_or_else(|| self.project.origin.clone());
        Forbidden { rule, entry: None, place }
    }

    fn forbids_source(&self, url: &str) -> Option<Forbidden> {
        let url = normalized(url);
        let mut is_allowed = false;
        for Placed { value, origin } in &self.set.source_repos.items {
            if value.denies(&url) {
                let entry = Some(value.text.clone());
                return Some(Forbidden { rule: ProjectRule::SourceRepos, entry, place: origin.clone() });
            }
            // A denial that does not name the URL allows it, as in Argo CD.
            is_allowed |= value.matches(&url);
        }
        (!is_allowed).then(|| self.not_allowed(ProjectRule::SourceRepos, &self.set.source_repos))
    }

    fn forbids_destination(&self, cluster: &DestinationCluster, namespace: &str) -> Option<Forbidden> {
        let mut is_allowed = false;
        for Placed { value, origin } in &self.set.destinations.items {
            match value.judge(cluster, namespace) {
                DestinationVerdict::Allowed => is_allowed = true,
                DestinationVerdict::Elsewhere => {}
                DestinationVerdict::Denied(pattern) => {
                    let entry = Some(pattern.text.clone());
                    return Some(Forbidden { rule: ProjectRule::Destinations, entry, place: origin.clone() });
                }
            }
        }
        if !is_allowed {
            return Some(self.not_allowed(ProjectRule::Destinations, &self.set.destinations));
        }
        let is_own = |(server, name): &(String, String)| *server == cluster.server || *name == cluster.name;
        let place = self.set.only_scoped_clusters.as_ref().filter(|_| !self.own_clusters.iter().any(is_own))?;
        let rule = ProjectRule::PermitOnlyProjectScopedClusters;
        Some(Forbidden { rule, entry: None, place: place.clone() })
    }

    fn permits_application_namespace(&self, namespace: &str) -> bool {
        self.set.source_namespaces.items.iter().any(|Placed { value, .. }| {
            let expression = value.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
            let expression = expression.and_then(|expression| go_regex(expression).ok());
            expression.is_some_and(|expression| expression.is_match(namespace))
                || ProjectGlob::new(value, &[]).is_ok_and(|glob| glob.matches(namespace) == Ok(true))
        })
    }
}

/// What one entry of `destinations` says.
enum DestinationVerdict<'rule> {
    Allowed,
    /// It says nothing.
    Elsewhere,
    Denied(&'rule RulePattern),
}

impl DestinationRule {
    // Argo CD's `isDestinationMatched`: a denial by name holds in every namespace; one by namespace needs the server.
    fn judge(&self, cluster: &DestinationCluster, namespace: &str) -> DestinationVerdict<'_> {
        let is_name = !cluster.name.is_empty() && self.name.matches(&cluster.name);
        let is_server = !cluster.server.is_empty() && self.server.matches(&cluster.server);
        let is_namespace = self.namespace.matches(namespace);
        if (is_server || is_name) && is_namespace {
            DestinationVerdict::Allowed
        } else if !is_name && self.name.is_deny {
            DestinationVerdict::Denied(&self.name)
        } else if !is_server && self.server.is_deny && is_namespace {
            DestinationVerdict::Denied(&self.server)
        } else if !is_namespace && self.namespace.is_deny && is_server {
            DestinationVerdict::Denied(&self.namespace)
        } else {
            DestinationVerdict::Elsewhere
        }
    }
}

impl ResourceRule {
    fn is_of_kind(&self, group: &str, kind: &str) -> bool {
        name_matches(&self.kind, kind) && name_matches(&self.group, group)
    }

    fn is_of_name(&self, name: &str) -> bool {
        self.name.is_empty() || name_matches(&self.name, name)
    }

    /// As the manifest has it: `apps/Deployment`, `Namespace named team-*`.
    fn shown(&self) -> String {
        let kind = GroupKind { group: self.group.clone(), kind: self.kind.clone() };
        if self.name.is_empty() { kind.to_string() } else { format!("{kind} named {}", self.name) }
    }
}

/// The rules about kinds, each kind looked at once.
struct KindRules<'rules, 'object> {
    rules: &'rules ProjectRules,
    namespaced: HashMap<(&'object str, &'object str), Option<Forbidden>>,
    by_name: HashMap<(&'object str, &'object str), ByName<'rules>>,
}

impl<'object> KindRules<'_, 'object> {
    fn forbids(&mut self, resource: &CheckedResource<'object>) -> Option<Forbidden> {
        let (group, kind) = (resource.group, resource.kind);
        let set = &self.rules.set;
        let of_kind =
            |list: &RuleList<ResourceRule>| list.items.iter().find(|rule| rule.value.is_of_kind(group, kind)).cloned();
        if resource.is_namespaced {
            let rules = self.rules;
            let forbids = || {
                if let Some(denied) = of_kind(&set.namespace_denied) {
                    return Some(denied_by(ProjectRule::NamespaceResourceBlacklist, &denied));
                }
                // Without a list every kind is allowed; with an empty one none is.
                let is_limited = set.namespace_allowed.origin.is_some();
                (is_limited && of_kind(&set.namespace_allowed).is_none())
                    .then(|| rules.not_allowed(ProjectRule::NamespaceResourceWhitelist, &set.namespace_allowed))
            };
            return self.namespaced.entry((group, kind)).or_insert_with(forbids).clone();
        }
        let (allowed, denied) = self.by_name.entry((group, kind)).or_insert_with(|| {
            let of_kind = |list: &'_ RuleList<ResourceRule>| -> Vec<usize> {
                let rules = list.items.iter().enumerate();
                rules.filter(|(_, rule)| rule.value.is_of_kind(group, kind)).map(|(index, _)| index).collect()
            };
            let allowed = of_kind(&set.cluster_allowed).into_iter().map(|index| &set.cluster_allowed.items[index]);
            let denied = of_kind(&set.cluster_denied).into_iter().map(|index| &set.cluster_denied.items[index]);
            (allowed.collect(), denied.collect())
        });
        let is_named = |rule: &&&Placed<ResourceRule>| rule.value.is_of_name(resource.name);
        if let Some(denied) = denied.iter().find(is_named) {
            return Some(denied_by(ProjectRule::ClusterResourceBlacklist, denied));
        }
        (!allowed.iter().any(|rule| rule.value.is_of_name(resource.name)))
            .then(|| self.rules.not_allowed(ProjectRule::ClusterResourceWhitelist, &set.cluster_allowed))
    }
}

fn denied_by(rule: ProjectRule, denied: &Placed<ResourceRule>) -> Forbidden {
    Forbidden { rule, entry: Some(denied.value.shown()), place: denied.origin.clone() }
}

/// The violations of objects, one for each rule and kind, or namespace.
struct FoundViolations<'rules, 'object> {
    rules: &'rules ProjectRules,
    list: Vec<Violation>,
    places: HashMap<(Forbidden, &'object str, &'object str), usize>,
}

impl<'object> FoundViolations<'_, 'object> {
    fn of_kind(&mut self, forbidden: &Forbidden, resource: &CheckedResource<'object>) {
        let object = match resource.namespace {
            "" => resource.name.to_owned(),
            namespace => format!("{namespace}/{}", resource.name),
        };
        self.add(forbidden, (resource.group, resource.kind), object, || ViolationSubject::Kind {
            kind: GroupKind { group: resource.group.to_owned(), kind: resource.kind.to_owned() },
            objects: Vec::new(),
        });
    }

    fn in_namespace(
        &mut self,
        forbidden: &Forbidden,
        resource: &CheckedResource<'object>,
        cluster: &DestinationCluster,
    ) {
        let object = format!("{}/{}", resource.kind, resource.name);
        self.add(forbidden, ("", resource.namespace), object, || ViolationSubject::Namespace {
            cluster: cluster.shown(),
            namespace: resource.namespace.to_owned(),
            objects: Vec::new(),
        });
    }

    fn add(
        &mut self,
        forbidden: &Forbidden,
        (group, name): (&'object str, &'object str),
        object: String,
        subject: impl FnOnce() -> ViolationSubject,
    ) {
        let place = *self.places.entry((forbidden.clone(), group, name)).or_insert_with(|| {
            self.list.push(self.rules.violation(forbidden.clone(), subject()));
            self.list.len() - 1
        });
        let subject = self.list.get_mut(place).map(|violation| &mut violation.subject);
        if let Some(ViolationSubject::Kind { objects, .. } | ViolationSubject::Namespace { objects, .. }) = subject {
            objects.push(object);
        }
    }
}
