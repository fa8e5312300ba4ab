//! Looks for orphans: objects in the applications' namespaces that belong to no application (`--orphans`, and where an
//! application's project has `orphanedResources`).
//!
//! In: compared applications. Out: the same with the orphans of each destination's namespace. The metadata of each namespaced kind is
//! listed once for all applications of a cluster: in the one namespace, or in the whole cluster where there are several. What
//! cannot be listed is a warning.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use crate::app::project::OrphanedResources;
use crate::cluster::{Cluster, ClusterError, ListRequest};
use crate::finding::{Code, Finding};
use crate::fleet::Request;
use crate::fleet::application::Compared;
use crate::fleet::condition::ConditionKind;
use crate::fleet::live::{ClusterId, identity};
use crate::object::{GroupKind, Key, KindFacts, Object, Scope};
use crate::status::orphans::{is_ignored, is_orphan};
use crate::status::tracking::Tracking;

/// The applications with the orphans around them, where that was asked for.
pub(crate) async fn find(mut compared: Vec<Compared>, request: &Request) -> Vec<Compared> {
    let wanted: Vec<Option<OrphanedResources>> = compared.iter().map(|one| wanted(one, request)).collect();
    if wanted.iter().all(Option::is_none) {
        return compared;
    }
    let mut known: HashMap<ClusterId, BTreeSet<Key>> = HashMap::new();
    let mut spaces: BTreeMap<ClusterId, BTreeSet<String>> = BTreeMap::new();
    for (one, wanted) in compared.iter().zip(&wanted) {
        let cluster = identity(&one.connection.cluster);
        let known = known.entry(cluster).or_default();
        known.extend(one.target.iter().map(Object::key));
        known.extend(one.record.baseline.iter().flat_map(|baseline| baseline.keys().cloned()));
        if wanted.is_none() {
            continue;
        }
        let namespace = &one.application.destination.namespace;
        spaces.entry(cluster).or_default().extend(Some(namespace.clone()).filter(|namespace| !namespace.is_empty()));
    }
    let of_nobody = Tracking {
        instance_name: String::new(),
        label_key: request.label_key(),
        installation_id: None,
        applyset_id: String::new(),
    };
    let mut found = HashMap::new();
    for (id, namespaces) in spaces {
        let Some(one) = compared.iter().find(|one| identity(&one.connection.cluster) == id) else { continue };
        let is_wanted = |kind: &GroupKind| !request.settings.exclusions.excludes(kind, one.server());
        let kinds = one.kinds().iter().filter(|facts| facts.is_listable() && facts.scope == Scope::Namespaced);
        let kinds: Vec<KindFacts> = kinds.filter(|facts| is_wanted(&facts.gvk.group_kind())).cloned().collect();
        let cluster = Arc::clone(&one.connection.cluster);
        let known = known.remove(&id).unwrap_or_default();
        let is_kept = |live: &Object| is_orphan(live, &known, &of_nobody);
        let mut around = Around::list(&*cluster, kinds, &namespaces, request.concurrency, is_kept).await;
        around.silent = one.kinds().unavailable.keys().cloned().collect();
        found.insert(id, around);
    }
    for (one, wanted) in compared.iter_mut().zip(wanted) {
        let (Some(around), Some(wanted)) = (found.get(&identity(&one.connection.cluster)), wanted) else { continue };
        let namespace = one.application.destination.namespace.clone();
        let orphans = around.by_namespace.get(&namespace).into_iter().flatten();
        one.orphans = orphans.filter(|key| !wanted.ignore.iter().any(|rule| is_ignored(rule, key))).cloned().collect();
        if wanted.warn && !one.orphans.is_empty() {
            let finding = warning(&one.application.project, one.orphans.len());
            one.conditions.add(ConditionKind::OrphanedResourceWarning, finding);
        }
        if let Some(finding) = around.unlisted_in(&namespace) {
            one.conditions.add(ConditionKind::OrphansUnseenWarning, finding);
        }
    }
    compared
}

/// How the orphans around an application are reported; nothing where they are not looked for.
fn wanted(one: &Compared, request: &Request) -> Option<OrphanedResources> {
    let project = request.projects.get(&one.application.project);
    project
        .and_then(|project| project.orphaned_resources.clone())
        .or_else(|| request.orphans.then(OrphanedResources::default))
}

fn warning(project: &str, count: usize) -> Finding {
    let resources = if count == 1 { "resource belongs" } else { "resources belong" };
    let message = format!("{count} {resources} to no application, and project `{project}` wants a warning");
    let help = "delete them, add them to git, or add them to `orphanedResources.ignore` of the project";
    Finding::warning(Code::StatusOrphans, message).with_help(help)
}

/// The orphans of one cluster.
#[derive(Default)]
struct Around {
    by_namespace: BTreeMap<String, BTreeSet<Key>>,
    /// The kinds that could not be listed, by namespace, and why.
    unlisted: BTreeMap<(String, GroupKind), ClusterError>,
    /// APIs that do not answer.
    silent: Vec<String>,
}

impl Around {
    async fn list(
        cluster: &dyn Cluster,
        kinds: Vec<KindFacts>,
        namespaces: &BTreeSet<String>,
        concurrency: usize,
        is_kept: impl Fn(&Object) -> bool,
    ) -> Self {
        let mut this = Self::default();
        let lists = kinds.into_iter().map(|facts| async move {
            let listed = list_kind(cluster, &facts, namespaces).await;
            (facts.gvk.group_kind(), listed)
        });
        let mut lists = stream::iter(lists).buffer_unordered(concurrency.max(1));
        while let Some((kind, listed)) = lists.next().await {
            for (namespace, listed) in listed {
                match listed {
                    Ok(objects) => {
                        for object in
                            objects.iter().filter(|live| namespaces.contains(live.namespace()) && is_kept(live))
                        {
                            let orphans = this.by_namespace.entry(object.namespace().to_owned()).or_default();
                            orphans.insert(object.key());
                        }
                    }
                    // Its objects went with it.
                    Err(ClusterError::Vanished { .. }) => {}
                    Err(error) => {
                        this.unlisted.insert((namespace, kind.clone()), error);
                    }
                }
            }
        }
        this
    }

    /// What could not be looked at in a namespace.
    fn unlisted_in(&self, namespace: &str) -> Option<Finding> {
        let unlisted = self.unlisted.iter().filter(|((place, _), _)| place.is_empty() || place == namespace);
        let mut names: Vec<String> = unlisted.clone().map(|((_, kind), _)| kind.to_string()).collect();
        names.extend(self.silent.iter().map(|api| format!("every kind of `{api}`, which does not answer")));
        if names.is_empty() || namespace.is_empty() {
            return None;
        }
        let message =
            format!("orphaned resources of some kinds are not reported: they cannot be listed in `{namespace}`");
        let why = unlisted.map(|(_, error)| error).find(|error| !matches!(error, ClusterError::Forbidden { .. }));
        let finding = Finding::warning(Code::StatusOrphansUnseen, message)
            .with_cause(names.join(", "))
            .with_help("grant the account `list` on them, or run without `--orphans`");
        Some(match why {
            Some(error) => finding.with_cause(error.to_string()),
            None => finding,
        })
    }
}

type ListedIn = (String, Result<Vec<Object>, ClusterError>);

/// One LIST: of the namespace, or of the cluster where there are several; of each namespace where that is forbidden.
async fn list_kind(cluster: &dyn Cluster, facts: &KindFacts, namespaces: &BTreeSet<String>) -> Vec<ListedIn> {
    let list = async |namespace: Option<String>| {
        let request = ListRequest { gvk: facts.gvk.clone(), namespace: namespace.clone(), metadata_only: true };
        (namespace.unwrap_or_default(), cluster.list(&request).await)
    };
    if namespaces.len() > 1 {
        let whole = list(None).await;
        if !matches!(whole.1, Err(ClusterError::Forbidden { .. })) {
            return vec![whole];
        }
    }
    let mut listed = Vec::new();
    for namespace in namespaces {
        listed.push(list(Some(namespace.clone())).await);
    }
    listed
}
