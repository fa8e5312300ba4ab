//! Names the application behind an ApplySet, for whoever reads that an object is another application's.
//!
//! In: objects that another application calls its own, and a cluster. Out: the same, the ids of ApplySets replaced by the
//! names of their applications where their records can be found: beside the objects, or where this application keeps its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::{Cluster, ListRequest};
use crate::object::Gvk;
use crate::object::annotations::APPLYSET_ID;
use crate::sync::plan::{Other, Shared};
use crate::sync::state::application_of;

pub(crate) async fn named(shared: Vec<Shared>, cluster: &dyn Cluster, state_namespace: &str) -> Vec<Shared> {
    if !shared.iter().any(|one| matches!(one.other, Other::ApplySet(_))) {
        return shared;
    }
    let beside = shared.iter().map(|one| one.object.namespace.as_str());
    let namespaces: BTreeSet<&str> = beside.chain([state_namespace]).filter(|name| !name.is_empty()).collect();
    let mut applications = BTreeMap::new();
    for namespace in namespaces {
        let gvk = Gvk::from_api_version("v1", "ConfigMap");
        let request = ListRequest { gvk, namespace: Some(namespace.to_owned()), metadata_only: false };
        // An account that cannot list them reads the id.
        for parent in cluster.list(&request).await.unwrap_or_default() {
            if let (Some(id), Some(application)) = (parent.label(APPLYSET_ID), application_of(&parent)) {
                applications.insert(id.to_owned(), application.to_owned());
            }
        }
    }
    let named = |one: Shared| match &one.other {
        Other::ApplySet(id) => match applications.get(id) {
            Some(name) => Shared { other: Other::Application(name.clone()), ..one },
            None => one,
        },
        Other::Application(_) => one,
    };
    shared.into_iter().map(named).collect()
}
