//! The kinds that a `CustomResourceDefinition` defines.
//!
//! In: the definition, as written in git. Out: one [`KindFacts`] for each served version, the preferred one first.
//!
//! Rule: apiextensions-apiserver pkg/apis/apiextensions, v1 and v1beta1.

use std::cmp::Reverse;

use serde_json::Value;

use super::{KindFacts, Scope, usual_verbs, version::Priority};
use crate::object::{Gvk, Object};

/// Whether an object is a `CustomResourceDefinition`, in whatever version.
pub(super) fn is_definition(object: &Object) -> bool {
    object.kind() == "CustomResourceDefinition" && object.api_version().starts_with("apiextensions.k8s.io/")
}

/// The kinds of one definition; none when the definition is broken: the server will say so.
pub(super) fn defined(definition: &Object) -> Vec<KindFacts> {
    let Some(spec) = definition.value().get("spec") else { return Vec::new() };
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let names = spec.get("names").unwrap_or(&Value::Null);
    let (Some(group), Some(kind), Some(plural)) = (text(spec, "group"), text(names, "kind"), text(names, "plural"))
    else {
        return Vec::new();
    };
    // v1beta1 may leave the scope out, and then means Namespaced.
    let scope = if text(spec, "scope").as_deref() == Some("Cluster") { Scope::Cluster } else { Scope::Namespaced };
    let mut versions = served_versions(spec);
    versions.sort_by_key(|version| Reverse(Priority::of(version)));
    versions
        .into_iter()
        .map(|version| KindFacts {
            gvk: Gvk { group: group.clone(), version, kind: kind.clone() },
            plural: plural.clone(),
            scope,
            verbs: usual_verbs(),
        })
        .collect()
}

/// `spec.versions` that are served, and v1beta1's single `spec.version`, which is always served.
fn served_versions(spec: &Value) -> Vec<String> {
    let mut versions: Vec<String> = spec
        .get("versions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|version| version.get("served").and_then(Value::as_bool) == Some(true))
        .filter_map(|version| version.get("name")?.as_str().map(str::to_owned))
        .collect();
    if versions.is_empty() {
        versions.extend(spec.get("version").and_then(Value::as_str).map(str::to_owned));
    }
    versions
}
