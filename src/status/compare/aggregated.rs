//! The rules of a `ClusterRole` that is put together from others, where git leaves them empty: a controller writes them.
//!
//! In: a target and its live object. Out: the target as it is compared, with the rules that the cluster has; and as it is
//! applied, without any. Server-side apply with `rules: []` would take the field from the controller and empty it: until the
//! controller has written it again, everybody who is bound to the role is without rights.
//!
//! Rules: Kubernetes "Aggregated `ClusterRole`s" (the control plane overwrites `rules`). Argo CD compares them, unless
//! `ignoreAggregatedRoles` is set in `resource.compareoptions`, so that such a role is out of sync for ever.

use std::borrow::Cow;

use serde_json::Value;

use crate::object::Object;

/// The target as it is compared.
pub(super) fn with_aggregated_rules<'target>(target: &'target Object, live: &Object) -> Cow<'target, Object> {
    if !leaves_rules_empty(target) {
        return Cow::Borrowed(target);
    }
    let mut target = target.clone();
    match live.value().get("rules") {
        Some(rules) => target.value_mut().insert("rules".to_owned(), rules.clone()),
        None => target.value_mut().remove("rules"),
    };
    Cow::Owned(target)
}

/// The target as it is applied; nothing when that is the target itself.
pub fn without_aggregated_rules(target: &Object) -> Option<Object> {
    leaves_rules_empty(target).then(|| {
        let mut target = target.clone();
        target.value_mut().remove("rules");
        target
    })
}

/// The target as it takes the place of a live object; nothing when that is the target itself.
pub fn with_live_aggregated_rules(target: &Object, live: &Object) -> Option<Object> {
    match with_aggregated_rules(target, live) {
        Cow::Owned(target) => Some(target),
        Cow::Borrowed(_) => None,
    }
}

/// Whether git says that the rules are empty, and that the controller fills them.
fn leaves_rules_empty(target: &Object) -> bool {
    let is_role = || target.kind() == "ClusterRole" && target.gvk().group == "rbac.authorization.k8s.io";
    let is_aggregated = || target.value().get("aggregationRule").is_some_and(Value::is_object);
    let is_empty = |rules: &Value| rules.is_null() || rules.as_array().is_some_and(Vec::is_empty);
    is_role() && is_aggregated() && target.value().get("rules").is_some_and(is_empty)
}
