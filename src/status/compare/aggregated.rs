//! The rules of a `ClusterRole` that is put together from others, where git leaves them empty: a controller writes them.
//!
//! In: a target and its live object. Out: the target, in such a role with the rules that the cluster has.
//!
//! Rules: Kubernetes "Aggregated `ClusterRole`s" (the control plane overwrites `rules`). Argo CD compares them, unless
//! `ignoreAggregatedRoles` is set in `resource.compareoptions`, so that such a role is out of sync for ever.

use std::borrow::Cow;

use serde_json::Value;

use crate::object::{Gvk, Object};

/// The target as it is compared.
pub(super) fn with_aggregated_rules<'target>(target: &'target Object, live: &Object) -> Cow<'target, Object> {
    let Gvk { group, kind, .. } = target.gvk();
    let is_role = group == "rbac.authorization.k8s.io" && kind == "ClusterRole";
    let is_aggregated = || target.value().get("aggregationRule").is_some_and(Value::is_object);
    let is_empty = |rules: &Value| rules.is_null() || rules.as_array().is_some_and(Vec::is_empty);
    if !(is_role && is_aggregated() && target.value().get("rules").is_some_and(is_empty)) {
        return Cow::Borrowed(target);
    }
    let mut target = target.clone();
    match live.value().get("rules") {
        Some(rules) => target.value_mut().insert("rules".to_owned(), rules.clone()),
        None => target.value_mut().remove("rules"),
    };
    Cow::Owned(target)
}
