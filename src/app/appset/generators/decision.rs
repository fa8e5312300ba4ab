//! `clusterDecisionResource`: the clusters that a resource such as Open Cluster Management's `PlacementDecision` names.
//!
//! Rule: Argo CD `applicationset/generators/duck_type.go`: a ConfigMap has `apiVersion`, `kind` (the plural name),
//! `statusListKey` and `matchKey`; the resource's `status` has the list, and `matchKey` of each item is a cluster's name.

use serde_json::Value as Json;

use super::super::World;
use super::super::params::{Params, printed, texts};
use super::answer::{Result, failed};
use super::clusters::{LOCAL_NAME, LOCAL_SERVER};
use super::selector::Selector;
use super::service;
use crate::gotemplate::{Map, Text, Value};

pub(super) fn params(options: &Json, place: &str, world: &World<'_>) -> Result<Vec<Params>> {
    let name = options.get("configMapRef").and_then(Json::as_str).unwrap_or_default();
    let map = service::config_map(name, place, world)?;
    let field = |key: &str| map.get(key).map(String::as_str).unwrap_or_default();
    let (api_version, kind) = (field("apiVersion"), field("kind"));
    if kind.is_empty() || api_version.find('/').is_none_or(|slash| slash == 0) {
        return failed(
            place,
            format!("ConfigMap `{name}` has no `apiVersion` of the form `group/version`, or no `kind`"),
        );
    }
    let resource = options.get("name").and_then(Json::as_str).unwrap_or_default();
    let selector = Selector::of(options.get("labelSelector")).or_else(|cause| failed(place, cause))?;
    let selector = selector.filter(|selector| !selector.is_empty());
    if resource.is_empty() == selector.is_none() {
        return failed(place, "it has to have either `name` or `labelSelector`");
    }
    let objects = world.facts.objects.as_ref();
    let all = objects.into_iter().flat_map(|objects| objects.resources(api_version, kind, world.argocd_namespace()));
    let found: Vec<&Json> = all
        .filter(|object| match &selector {
            Some(selector) => selector.matches(&labels(object)),
            None => object.pointer("/metadata/name").and_then(Json::as_str) == Some(resource),
        })
        .collect();
    if found.is_empty() {
        return failed(place, format!("no `{kind}` of `{api_version}` found"));
    }
    let list = Some(field("statusListKey")).filter(|key| !key.is_empty()).unwrap_or("clusters");
    let key = field("matchKey");
    let mut all = Vec::new();
    for object in found {
        let Some(status) = object.get("status").and_then(Json::as_object).filter(|status| !status.is_empty()) else {
            continue;
        };
        let Some(decisions) = status.get(list).and_then(Json::as_array) else {
            return failed(place, format!("`status.{list}` of a `{kind}` is not a list"));
        };
        for decision in decisions {
            all.extend(of_decision(decision, key, options, world));
        }
    }
    Ok(all)
}

/// The parameters of one decision; nothing when it names no cluster that Argo CD knows.
fn of_decision(decision: &Json, key: &str, options: &Json, world: &World<'_>) -> Option<Params> {
    let wanted = shown(decision.get(key)?);
    let known = world.facts.clusters.iter().flatten().find(|cluster| cluster.name == wanted);
    let server = match known {
        Some(cluster) => cluster.server.clone(),
        None if wanted == LOCAL_NAME => LOCAL_SERVER.to_owned(),
        None => return None,
    };
    let params = Map::new();
    params.insert(Text::from("name"), Value::text(wanted));
    params.insert(Text::from("server"), Value::text(server));
    for (key, value) in decision.as_object().into_iter().flatten() {
        params.insert(Text::from(key.as_str()), Value::text(shown(value)));
    }
    // Unlike those of other generators, these values are no templates.
    let values = options.get("values").and_then(Json::as_object).into_iter().flatten();
    let values = values.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    if world.language.is_go() {
        let values: std::collections::BTreeMap<String, String> = values.collect();
        if !values.is_empty() {
            params.insert(Text::from("values"), texts(&values));
        }
    } else {
        values.for_each(|(key, value)| params.insert(Text::from(format!("values.{key}")), Value::text(value)));
    }
    Some(params)
}

/// A value as Go prints it; the API server's integers stay integers.
fn shown(value: &Json) -> String {
    match value {
        Json::Number(number) if !number.is_f64() => number.to_string(),
        value => printed(&Value::from_json(value)),
    }
}

fn labels(object: &Json) -> std::collections::BTreeMap<String, String> {
    let labels = object.pointer("/metadata/labels").and_then(Json::as_object).into_iter().flatten();
    labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}
