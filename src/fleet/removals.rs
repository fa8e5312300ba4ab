//! Applications that an earlier run synced, and that their ApplicationSet or parent no longer has.
//!
//! In: what a run knows about the applications that there are ([`Census`]), and the records in its clusters. Out: a [`Removal`]
//! for each. Nothing is removed here. What could only be missing because something failed is no removal: the whole of PATH
//! has to be in the run, and the ApplicationSet expanded, or the parent rendered, without an error.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::application::{Compared, Rendered};
use super::batch::Batch;
use super::census::{Census, RemovedApplication, RemovedObjects};
use super::{Request, World};
use crate::cluster::{Cluster, ClusterError, ListRequest};
use crate::finding::{Code, Finding};
use crate::object::{Gvk, Object};
use crate::sync::state::{Identity, Place, RecordedLineage, State, application_of, identity_of};

/// An application that is to go.
#[derive(Clone)]
pub(crate) struct Removal {
    pub(crate) recorded: RecordedLineage,
    pub(crate) cluster: Arc<dyn Cluster>,
    /// Where its record is.
    pub(crate) place: Place,
    pub(crate) identity: Identity,
    pub(crate) outcome: RemovedObjects,
    /// How many objects it has on record.
    pub(crate) objects: usize,
}

impl Removal {
    pub(crate) fn report(&self, is_removed: bool) -> RemovedApplication {
        RemovedApplication {
            name: self.recorded.qualified_name(),
            cluster: self.cluster.name().to_owned(),
            namespace: self.identity.namespace.clone(),
            generated_by: self.recorded.generated_by.clone(),
            parent: self.recorded.parent.clone(),
            objects: self.objects,
            outcome: self.outcome,
            is_removed,
        }
    }
}

/// Whether an application of the run may have generated others: it contains some, or did when it was synced.
pub(crate) fn may_be(compared: &Batch<Compared>, request: &Request) -> bool {
    let is_parent = |one: &Compared| {
        one.application.lineage.has_children || one.record.state.as_ref().is_ok_and(State::had_children)
    };
    request.census.is_complete && (!request.census.sets.is_empty() || compared.iter().any(is_parent))
}

/// The applications on record that this run's ApplicationSets and parents no longer have; and what could not be looked up.
pub(crate) async fn find(
    request: &Request,
    namespaces: &BTreeMap<String, BTreeSet<String>>,
    world: &World,
) -> (Vec<Removal>, Vec<Finding>) {
    let (mut removals, mut findings) = (Vec::new(), Vec::new());
    let census = &request.census;
    for cluster in world.clusters.found() {
        let of_cluster = namespaces.get(cluster.name()).cloned().unwrap_or_default();
        match records(&*cluster, request.state_namespace.as_deref(), &of_cluster).await {
            Ok(records) => {
                for record in records {
                    match removal(&record, &cluster, census).await {
                        Ok(removal) => removals.extend(removal),
                        Err(finding) => findings.push(finding),
                    }
                }
            }
            Err(error) => {
                let message =
                    format!("cluster {}: applications that are no longer generated are not known", cluster.name());
                findings.push(Finding::warning(Code::FleetRemovalsUnknown, message).with_cause(error.to_string()));
            }
        }
    }
    (removals, findings)
}

/// The namespaces of the run, by cluster.
pub(crate) fn namespaces(rendered: &Batch<Rendered>) -> BTreeMap<String, BTreeSet<String>> {
    let mut namespaces: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in rendered.iter() {
        let namespace = one.application.destination.namespace.clone();
        namespaces.entry(one.cluster().name().to_owned()).or_default().insert(namespace);
    }
    namespaces
}

/// The metadata of the records of applications that were generated. Who cannot list all of a cluster lists the namespaces of
/// the run.
async fn records(
    cluster: &dyn Cluster,
    state_namespace: Option<&str>,
    namespaces: &BTreeSet<String>,
) -> Result<Vec<Object>, ClusterError> {
    let gvk = Gvk::from_api_version("v1", "ConfigMap");
    let list = |namespace: Option<String>| ListRequest { gvk: gvk.clone(), namespace, metadata_only: true };
    let listed = match cluster.list(&list(state_namespace.map(str::to_owned))).await {
        Err(ClusterError::Forbidden { .. }) if state_namespace.is_none() => {
            let mut listed = Vec::new();
            for namespace in namespaces {
                listed.extend(cluster.list(&list(Some(namespace.clone()))).await?);
            }
            listed
        }
        listed => listed?,
    };
    Ok(listed.into_iter().filter(|object| RecordedLineage::read(object).is_some()).collect())
}

async fn removal(record: &Object, cluster: &Arc<dyn Cluster>, census: &Census) -> Result<Option<Removal>, Finding> {
    let Some(recorded) = RecordedLineage::read(record) else { return Ok(None) };
    let Some(outcome) = census.removal(&recorded) else { return Ok(None) };
    let place = Place { name: record.name().to_owned(), ..Place::named(&recorded.name, record.namespace()) };
    let Some(parent) = cluster.get(&place.parent()).await.map_err(|error| Finding::of(&error))? else {
        return Ok(None);
    };
    // A copy of a record is no application.
    let Some(application) = application_of(&parent) else { return Ok(None) };
    let place = Place::named(application, record.namespace());
    if place.name != record.name() {
        return Ok(None);
    }
    let about =
        |error: crate::sync::state::StateError| Finding::of(&error).about(&recorded.qualified_name().to_string());
    let state = State::read(&**cluster, &place).await.map_err(about)?;
    let Some(identity) = identity_of(&parent) else { return Ok(None) };
    let objects = state.baseline.as_ref().map_or(0, |baseline| baseline.keys().count());
    Ok(Some(Removal { recorded, cluster: Arc::clone(cluster), place, identity, outcome, objects }))
}
