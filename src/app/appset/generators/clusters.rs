//! `clusters`: a set of parameters for each cluster that Argo CD knows.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::super::fault::Fault;
use super::super::language::normalized;
use super::super::params::{Params, texts};
use super::super::{ClusterSecret, World};
use super::answer::{Answer, Result, failed};
use super::selector::Selector;
use super::values::add_values;
use crate::gotemplate::{Map, Text, Value};

/// The cluster that Argo CD runs in, which needs no Secret.
pub(super) const LOCAL_SERVER: &str = "https://kubernetes.default.svc";

/// Argo CD's name for it.
pub(super) const LOCAL_NAME: &str = "in-cluster";

pub(super) fn params(options: &Json, place: &str, world: &World<'_>) -> Result<Vec<Params>> {
    let Some(clusters) = &world.facts.clusters else {
        return Err(Answer::Failed(Fault::NoClusters { place: place.to_owned() }));
    };
    let selector = Selector::of(options.get("selector")).or_else(|cause| failed(place, cause))?;
    let selector = selector.filter(|selector| !selector.is_empty());
    let mut all = Vec::new();
    // It has no labels that a selector could look at.
    if selector.is_none() && !clusters.iter().any(|cluster| cluster.server == LOCAL_SERVER) {
        let local =
            ClusterSecret { name: LOCAL_NAME.to_owned(), server: LOCAL_SERVER.to_owned(), ..ClusterSecret::default() };
        all.push(of_cluster(&local, options, place, world)?);
    }
    for cluster in clusters {
        if selector.as_ref().is_none_or(|selector| selector.matches(&cluster.labels)) {
            all.push(of_cluster(cluster, options, place, world)?);
        }
    }
    if options.get("flatList").and_then(Json::as_bool) == Some(true) {
        let flat = Map::new();
        flat.insert(Text::from("clusters"), Value::list(all.into_iter().map(Value::Map).collect()));
        return Ok(vec![flat]);
    }
    Ok(all)
}

fn of_cluster(cluster: &ClusterSecret, options: &Json, place: &str, world: &World<'_>) -> Result<Params> {
    let params = Map::new();
    for (key, value) in [
        ("name", cluster.name.clone()),
        ("nameNormalized", normalized(&cluster.name)),
        ("server", cluster.server.clone()),
        ("project", cluster.project.clone()),
    ] {
        params.insert(Text::from(key), Value::text(value));
    }
    let metadata: [(&str, &BTreeMap<String, String>); 2] =
        [("annotations", &cluster.annotations), ("labels", &cluster.labels)];
    if world.language.is_go() {
        let own = Map::new();
        for (key, entries) in metadata.iter().filter(|(_, entries)| !entries.is_empty()) {
            own.insert(Text::from(*key), texts(entries));
        }
        params.insert(Text::from("metadata"), Value::Map(own));
    } else {
        for (kind, entries) in metadata {
            for (key, value) in entries {
                params.insert(Text::from(format!("metadata.{kind}.{key}")), Value::text(value.as_str()));
            }
        }
    }
    add_values(options, &params, place, world.language)?;
    Ok(params)
}
