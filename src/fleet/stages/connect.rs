//! Finds each application's cluster, and asks each cluster once for its kinds.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use crate::app::Destination;
use crate::cluster::{Cluster, ClusterError};
use crate::finding::{Code, Finding};
use crate::fleet::World;
use crate::fleet::application::{ClusterConnection, Connected, Fetched, NoConnection};
use crate::fleet::condition::ConditionKind;
use crate::fleet::live::{ClusterId, identity};
use crate::object::Kinds;

/// How many clusters are asked for their kinds at once, at least: one that is down must not keep the others waiting.
const CLUSTERS_AT_ONCE: usize = 100;

/// Connects fetched applications.
pub(crate) async fn connect(fetched: Vec<Fetched>, world: &World, concurrency: usize) -> Vec<Connected> {
    let destinations: Vec<&Destination> = fetched.iter().map(|fetched| &fetched.application.destination).collect();
    let connections = connections(&destinations, world, concurrency).await;
    fetched.into_iter().zip(connections).map(|(fetched, connection)| connected(fetched, connection)).collect()
}

/// An application with its connection; where there is none, that is one of its errors.
pub(crate) fn connected(mut fetched: Fetched, connection: Result<ClusterConnection, NoConnection>) -> Connected {
    if let Err(no) = &connection {
        fetched.loaded.conditions.add(ConditionKind::ComparisonError, no.error.clone());
    }
    Connected { fetched, connection }
}

/// The connection to each destination, in order.
pub(crate) async fn connections(
    destinations: &[&Destination],
    world: &World,
    concurrency: usize,
) -> Vec<Result<ClusterConnection, NoConnection>> {
    let found: Vec<Result<Arc<dyn Cluster>, ClusterError>> =
        destinations.iter().map(|destination| world.clusters.find(destination)).collect();
    let clusters: BTreeMap<ClusterId, Arc<dyn Cluster>> =
        found.iter().flatten().map(|cluster| (identity(cluster), Arc::clone(cluster))).collect();
    let kinds: HashMap<ClusterId, Result<Arc<Kinds>, ClusterError>> =
        stream::iter(clusters.into_iter().map(|(id, cluster)| async move { (id, cluster.kinds().await) }))
            .buffer_unordered(concurrency.max(CLUSTERS_AT_ONCE))
            .collect()
            .await;
    let connection = |found: Result<Arc<dyn Cluster>, ClusterError>| {
        let cluster = found.map_err(|error| NoConnection { cluster: None, error: Finding::of(&error) })?;
        match kinds.get(&identity(&cluster)) {
            Some(Ok(kinds)) => Ok(ClusterConnection { cluster, kinds: Arc::clone(kinds) }),
            Some(Err(error)) => Err(NoConnection { cluster: Some(cluster), error: Finding::of(error) }),
            None => Err(NoConnection { cluster: Some(cluster), error: not_asked() }),
        }
    };
    found.into_iter().map(connection).collect()
}

fn not_asked() -> Finding {
    Finding::error(Code::StatusFault, "the cluster was not asked for its kinds; this is a bug in trueup")
}
