//! The manifests of a run that are not files of PATH: from git (`--apps-from`), from a cluster (`--from-cluster`).
//!
//! In: the arguments, and the world. Out: [`Inputs`].

use super::apps_from;
use super::arguments::selection::SelectionArguments;
use super::session::Session;
use crate::app::ManifestText;
use crate::finding::Finding;
use crate::fleet::World;
use crate::fleet::stages::held::{HeldScope, held_manifests};

/// Argo CD's own namespace, unless it is named.
const ARGOCD_NAMESPACE: &str = "argocd";

/// Manifests, and what went wrong while they were read.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// Manifests that count like those of PATH.
    pub(super) texts: Vec<ManifestText>,
    /// Applications of a cluster, which count only where no other manifest has them.
    pub(super) held: Vec<ManifestText>,
    /// What went wrong.
    pub(super) findings: Vec<Finding>,
}

impl Inputs {
    /// Reads everything but the files of PATH; `self` is what is known already.
    pub(super) async fn read(mut self, arguments: &SelectionArguments, world: &World, session: &Session) -> Self {
        let (fetched, unfetched) = apps_from::read(&arguments.apps_from, &world.sources, session).await;
        self.texts.extend(fetched);
        self.findings.extend(unfetched);
        if arguments.input.from_cluster {
            self.read_cluster(&scope(arguments), world).await;
        }
        self
    }

    /// An ApplicationSet whose Applications are in the cluster is not expanded: they are what Argo CD made of it.
    async fn read_cluster(&mut self, scope: &HeldScope, world: &World) {
        let found = held_manifests(&world.clusters, scope).await;
        self.findings.extend(found.findings);
        self.held.extend(found.applications);
        self.held.extend(found.generated);
        self.texts.extend(found.projects);
        for (set, count) in found.sets {
            if count == 0 {
                self.texts.push(set);
            } else {
                world.progress.note(format!("{}: {count} Applications that it generated are read", set.name));
            }
        }
    }
}

/// The namespaces that Applications are read from.
pub(super) fn scope(arguments: &SelectionArguments) -> HeldScope {
    let named = Some(arguments.argocd_namespace.clone()).filter(|name| !name.is_empty());
    let argocd_namespace = named.unwrap_or_else(|| ARGOCD_NAMESPACE.to_owned());
    let own = || arguments.namespace.clone().unwrap_or_else(|| argocd_namespace.clone());
    HeldScope { namespace: (!arguments.all_namespaces).then(own), argocd_namespace }
}
