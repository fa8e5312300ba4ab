//! The clusters that Argo CD's Secrets describe, for destinations: from files, or from the cluster that Argo CD runs in.

use super::arguments::generators::GeneratorArguments;
use super::arguments::selection::SelectionArguments;
use super::session::Session;
use crate::cluster::{ClusterSettings, Clusters};
use crate::finding::Finding;
use crate::fleet::stages::registered;

/// The clusters of a command that needs no [`World`](crate::fleet::World).
pub(super) async fn clusters(
    settings: ClusterSettings,
    untrusted: bool,
    selection: &SelectionArguments,
    session: &Session,
) -> Result<Clusters, Vec<Finding>> {
    let clusters = Clusters::new(ClusterSettings { untrusted, ..settings }, session.progress.clone());
    register(&selection.generators, &selection.argocd_namespace, &clusters).await?;
    Ok(clusters)
}

/// Adds the clusters of `--clusters`; the findings are about Secrets that no destination can mean.
pub(super) async fn register(
    generators: &GeneratorArguments,
    argocd_namespace: &str,
    clusters: &Clusters,
) -> Result<Vec<Finding>, Vec<Finding>> {
    clusters.register(generators.registered()?);
    if generators.asks_argocd() {
        let found = registered::read(clusters, argocd_namespace).await.map_err(|error| vec![Finding::of(&error)])?;
        clusters.register(found);
    }
    Ok(clusters.registered().nameless().collect())
}
