//! What a run knows about the applications that there are, and which of those on record are no longer generated.
//!
//! In: the applications that were seen, the ApplicationSets that were expanded, the parents that were rendered; and the record
//! of an application. Out: what becomes of it. Pure. What could only be missing because something failed is no removal.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::QualifiedName;
use crate::app::appset::ExpandedSet;
use crate::finding::{Code, Finding};
use crate::sync::state::RecordedLineage;

/// What a run knows about the applications that there are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Census {
    /// Every application that was seen, those that are not selected included.
    pub(crate) applications: BTreeSet<QualifiedName>,
    /// The ApplicationSets that were expanded.
    pub(crate) sets: BTreeMap<QualifiedName, ExpandedSet>,
    /// The Applications whose children are all known, each with its repositories.
    pub(crate) parents: BTreeMap<QualifiedName, String>,
    /// Whether the run is about everything in PATH.
    pub(crate) is_complete: bool,
}

/// What becomes of the objects of an application that is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovedObjects {
    /// They are deleted; dependents in the background or not.
    Deleted {
        /// Whether dependents are deleted afterwards.
        in_background: bool,
    },
    /// They stay, and only the record goes.
    Kept,
}

impl Census {
    pub(crate) fn add_sets(&mut self, sets: impl IntoIterator<Item = ExpandedSet>) {
        self.sets.extend(sets.into_iter().map(|set| (set.name.clone(), set)));
    }

    /// What becomes of the objects of a recorded application, where it is a removal.
    pub(crate) fn removal(&self, recorded: &RecordedLineage) -> Option<RemovedObjects> {
        if !self.is_complete || self.applications.contains(&recorded.qualified_name()) {
            return None;
        }
        let set = recorded.generated_by.as_deref().and_then(|set| self.sets.get(&qualified(set)));
        let set = set.filter(|set| set.origin == recorded.set_origin);
        let is_gone = match (set, &recorded.generated_by, &recorded.parent) {
            (Some(set), ..) => !set.has_failed && set.allows_removal,
            // A set that is no longer there was in its parent.
            (None, _, Some(parent)) => self.parents.get(&qualified(parent)) == Some(&recorded.parent_origin),
            (None, ..) => false,
        };
        let finalizer = recorded.finalizer.as_deref().filter(|_| set.is_none_or(|set| !set.preserves_resources));
        is_gone.then_some(match finalizer {
            Some(finalizer) => RemovedObjects::Deleted { in_background: finalizer.ends_with("/background") },
            None => RemovedObjects::Kept,
        })
    }
}

/// `namespace/name`, or a name.
pub(crate) fn qualified(text: &str) -> QualifiedName {
    let (namespace, name) = text.split_once('/').unwrap_or(("", text));
    QualifiedName { namespace: namespace.to_owned(), name: name.to_owned() }
}

/// An application that is to go, or went, as it is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedApplication {
    /// Its name.
    pub name: QualifiedName,
    /// The cluster's name.
    pub cluster: String,
    /// The namespace of its destination.
    pub namespace: String,
    /// The ApplicationSet that generated it.
    pub generated_by: Option<String>,
    /// The Application that contained it.
    pub parent: Option<String>,
    /// How many objects it has on record.
    pub objects: usize,
    /// What becomes of them.
    pub outcome: RemovedObjects,
    /// Whether it is gone.
    pub is_removed: bool,
}

impl RemovedApplication {
    /// What is said of one that was not removed.
    pub(crate) fn finding(&self) -> Finding {
        let by = match (&self.generated_by, &self.parent) {
            (Some(set), _) => format!("ApplicationSet {set} no longer generates it"),
            (None, Some(parent)) => format!("{parent} no longer contains it"),
            (None, None) => "it is no longer generated".to_owned(),
        };
        let objects = if self.objects == 1 { "1 object".to_owned() } else { format!("{} objects", self.objects) };
        let what = match self.outcome {
            RemovedObjects::Kept => format!("its {objects} would be kept"),
            RemovedObjects::Deleted { .. } => format!("{objects} would be deleted"),
        };
        let place = format!("on {} in namespace {}", self.cluster, self.namespace);
        let message = format!("{} is to be removed: {by}; {what} {place}", self.name);
        Finding::warning(Code::FleetRemoval, message).with_help("`trueup sync --allow-removals` removes it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(generated_by: Option<&str>, parent: Option<&str>, finalizer: Option<&str>) -> RecordedLineage {
        RecordedLineage {
            namespace: "argocd".to_owned(),
            name: "web".to_owned(),
            project: "default".to_owned(),
            generated_by: generated_by.map(str::to_owned),
            set_origin: "git/shops".to_owned(),
            parent_origin: "git/root".to_owned(),
            parent: parent.map(str::to_owned),
            finalizer: finalizer.map(str::to_owned),
        }
    }

    fn census() -> Census {
        let set = |name: &str| ExpandedSet {
            name: qualified(name),
            origin: "git/shops".to_owned(),
            has_failed: false,
            allows_removal: true,
            preserves_resources: false,
        };
        let mut census = Census {
            is_complete: true,
            parents: BTreeMap::from([(qualified("argocd/root"), "git/root".to_owned())]),
            ..Census::default()
        };
        census.add_sets([
            set("argocd/shops"),
            ExpandedSet { has_failed: true, ..set("argocd/failed") },
            ExpandedSet { allows_removal: false, ..set("argocd/only") },
            ExpandedSet { preserves_resources: true, ..set("argocd/kept") },
        ]);
        census
    }

    #[test]
    fn only_what_is_certainly_no_longer_generated_is_a_removal() {
        let finalizer = Some("resources-finalizer.argocd.argoproj.io");
        let background = Some("resources-finalizer.argocd.argoproj.io/background");
        let deleted = |in_background| Some(RemovedObjects::Deleted { in_background });
        for (what, recorded, expected) in [
            ("a set that shrank", recorded(Some("argocd/shops"), None, finalizer), deleted(false)),
            ("its finalizer's way", recorded(Some("argocd/shops"), None, background), deleted(true)),
            ("without a finalizer", recorded(Some("argocd/shops"), None, None), Some(RemovedObjects::Kept)),
            ("a set that keeps objects", recorded(Some("argocd/kept"), None, finalizer), Some(RemovedObjects::Kept)),
            ("a set that failed", recorded(Some("argocd/failed"), Some("argocd/root"), finalizer), None),
            ("a set that only creates", recorded(Some("argocd/only"), None, finalizer), None),
            ("a set of another run", recorded(Some("argocd/other"), None, finalizer), None),
            (
                "a set that left its parent",
                recorded(Some("argocd/other"), Some("argocd/root"), finalizer),
                deleted(false),
            ),
            ("a child that left its parent", recorded(None, Some("argocd/root"), finalizer), deleted(false)),
            ("a child of a parent that failed", recorded(None, Some("argocd/team"), finalizer), None),
        ] {
            assert_eq!(census().removal(&recorded), expected, "{what}");
        }
        let gone = recorded(Some("argocd/shops"), None, finalizer);
        let stranger = RecordedLineage { set_origin: "git/strangers".to_owned(), ..gone.clone() };
        assert_eq!(census().removal(&stranger), None, "another set of this name");
        let selected = Census { is_complete: false, ..census() };
        assert_eq!(selected.removal(&gone), None, "a part of PATH");
        let there = Census { applications: BTreeSet::from([qualified("argocd/web")]), ..census() };
        assert_eq!(there.removal(&gone), None, "it is written out now");
    }
}
