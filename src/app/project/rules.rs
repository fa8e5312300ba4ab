//! The rules that hold for the Applications of one project: its own, and those of its global projects.

use std::sync::Arc;

use super::decode::AppProject;
use super::integrity::IntegrityPolicy;
use super::pattern::RulePattern;
use crate::app::windows::SyncWindow;
use crate::object::Origin;

/// A part of a rule, and the line that it stands at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) origin: Origin,
}

/// A list of rules. Not given is not the same as empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RuleList<T> {
    pub(super) items: Vec<Placed<T>>,
    /// The line of the list; `None` where it is not given.
    pub(super) origin: Option<Origin>,
}

impl<T> Default for RuleList<T> {
    fn default() -> Self {
        Self { items: Vec::new(), origin: None }
    }
}

impl<T: Clone> RuleList<T> {
    /// Appends the rules of a global project, as Go's `append` does: what was not given stays so unless there is something to add.
    fn append(&mut self, other: &Self) {
        if other.items.is_empty() {
            return;
        }
        self.items.extend(other.items.iter().cloned());
        self.origin = self.origin.take().or_else(|| other.origin.clone());
    }
}

/// An entry of `destinations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DestinationRule {
    pub(super) server: RulePattern,
    pub(super) name: RulePattern,
    pub(super) namespace: RulePattern,
}

/// An entry of a list of kinds; the name is empty in a list of namespaced kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResourceRule {
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) name: String,
}

/// Every rule that is checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RuleSet {
    pub(super) source_repos: RuleList<RulePattern>,
    pub(super) destinations: RuleList<DestinationRule>,
    pub(super) cluster_allowed: RuleList<ResourceRule>,
    pub(super) cluster_denied: RuleList<ResourceRule>,
    pub(super) namespace_allowed: RuleList<ResourceRule>,
    pub(super) namespace_denied: RuleList<ResourceRule>,
    pub(super) source_namespaces: RuleList<String>,
    pub(super) windows: Vec<Arc<SyncWindow>>,
    pub(super) integrity: Vec<IntegrityPolicy>,
    /// The line of `permitOnlyProjectScopedClusters`, where it is on.
    pub(super) only_scoped_clusters: Option<Origin>,
}

/// The rules of a project, with those of its global projects.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectRules {
    /// The project.
    pub project: Arc<AppProject>,
    pub(super) set: RuleSet,
    /// The clusters that belong to the project alone: server and name.
    pub(super) own_clusters: Vec<(String, String)>,
}

impl ProjectRules {
    /// The name of the project.
    pub fn name(&self) -> &str {
        &self.project.name
    }

    /// The entries of `sourceRepos`.
    pub fn source_repos(&self) -> impl Iterator<Item = &str> {
        self.set.source_repos.items.iter().map(|entry| entry.value.text.as_str())
    }

    /// The entries of `destinations`: server, name and namespace.
    pub fn destinations(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.set.destinations.items.iter().map(|entry| {
            let rule = &entry.value;
            (rule.server.text.as_str(), rule.name.text.as_str(), rule.namespace.text.as_str())
        })
    }

    /// The sync windows, those of global projects last.
    pub fn windows(&self) -> &[Arc<SyncWindow>] {
        &self.set.windows
    }

    /// Appends the rules of a global project.
    pub(super) fn append(&mut self, global: &RuleSet) {
        let set = &mut self.set;
        set.cluster_allowed.append(&global.cluster_allowed);
        set.cluster_denied.append(&global.cluster_denied);
        set.namespace_allowed.append(&global.namespace_allowed);
        set.namespace_denied.append(&global.namespace_denied);
        set.source_repos.append(&global.source_repos);
        set.destinations.append(&global.destinations);
        set.windows.extend(global.windows.iter().cloned());
    }
}
