//! Orphans: what stands in an application's namespace and belongs to no application.
//!
//! In: live objects, as far as their metadata goes, and what applications are known to have. Out: whether one is an orphan. It is a
//! remark: an orphan is no drift, and nothing deletes it.
//!
//! Rule: Argo CD controller/appcontroller.go `getResourceTree`, `isKnownOrphanedResourceExclusion`. What carries any application's
//! mark counts as that application's, because which applications exist elsewhere is not known here.

use std::collections::BTreeSet;

use super::tracking::{Tracking, is_tracked};
use crate::app::ignore::glob;
use crate::app::project::OrphanIgnore;
use crate::object::annotations::{APPLYSET_ID, HOOK_OF, MANAGED_BY, OWN_NAMES};
use crate::object::{Key, Object};

/// Whether an entry of a project's `orphanedResources.ignore` means an object.
pub fn is_ignored(rule: &OrphanIgnore, key: &Key) -> bool {
    // A pattern that is no glob matches nothing.
    let is = |pattern: &str, text: &str| glob(pattern).is_some_and(|glob| glob.is_match(text));
    is(&rule.group, &key.group)
        && (rule.kind.is_empty() || is(&rule.kind, &key.kind))
        && (rule.name.is_empty() || is(&rule.name, &key.name))
}

/// Whether a live object belongs to no application. `known` are the objects that applications have in git or on record; `of_nobody`
/// is the tracking of no application, for which every mark is another's.
pub fn is_orphan(live: &Object, known: &BTreeSet<Key>, of_nobody: &Tracking) -> bool {
    let key = live.key();
    !key.namespace.is_empty()
        && !live.is_owned()
        && !known.contains(&key)
        && !exists_by_default(&key)
        && !is_trueups(live)
        && is_tracked(live, of_nobody).is_none()
}

/// What Kubernetes puts into a namespace by itself.
fn exists_by_default(key: &Key) -> bool {
    match (key.group.as_str(), key.kind.as_str(), key.name.as_str()) {
        ("", "Service", "kubernetes") => key.namespace == "default",
        ("", "ServiceAccount", "default") | ("", "ConfigMap", "kube-root-ca.crt") => true,
        _ => false,
    }
}

/// The records of applications, and their hooks.
fn is_trueups(live: &Object) -> bool {
    let is_record =
        live.label(MANAGED_BY) == Some("trueup") && OWN_NAMES.iter().any(|own| live.name().starts_with(own));
    is_record || live.label(APPLYSET_ID).is_some() || live.annotation(HOOK_OF).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(api_version: &str, kind: &str, namespace: &str, name: &str, metadata: &Value) -> Object {
        let mut value = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata});
        value["metadata"]["name"] = json!(name);
        if !namespace.is_empty() {
            value["metadata"]["namespace"] = json!(namespace);
        }
        Object::new(value).unwrap()
    }

    /// The cases of `isKnownOrphanedResourceExclusion`, and whatever has an owner, a mark, or a place in git.
    #[test]
    fn an_orphan_has_no_owner_no_mark_and_no_place_in_git() {
        let of_nobody = Tracking {
            instance_name: String::new(),
            label_key: Some("app.kubernetes.io/instance".to_owned()),
            installation_id: None,
            applyset_id: String::new(),
        };
        let known = BTreeSet::from([object("v1", "ConfigMap", "shop", "in-git", &json!({})).key()]);
        let owned =
            json!({"ownerReferences": [{"kind": "ReplicaSet", "name": "a", "uid": "1", "apiVersion": "apps/v1"}]});
        let tracked = json!({"annotations": {"argocd.argoproj.io/tracking-id": "web:/ConfigMap:shop/tracked"}});
        let copied = json!({"annotations": {"argocd.argoproj.io/tracking-id": "web:/ConfigMap:shop/tracked"}});
        let record = json!({"labels": {"applyset.kubernetes.io/id": "applyset-x-v1"}});
        let part = json!({"labels": {"app.kubernetes.io/managed-by": "trueup"}});
        let hook = json!({"annotations": {"trueup.dev/hook-of": "applyset-x-v1"}});
        for (kind, namespace, name, metadata, expected) in [
            ("ConfigMap", "shop", "by-hand", json!({}), true),
            ("ConfigMap", "shop", "in-git", json!({}), false),
            ("ConfigMap", "other", "in-git", json!({}), true),
            ("Pod", "shop", "web-1", owned, false),
            ("ConfigMap", "shop", "tracked", tracked, false),
            ("ConfigMap", "shop", "copied", copied, true),
            ("ConfigMap", "shop", "trueup-web", record, false),
            ("ConfigMap", "shop", "trueup-web-1a", part.clone(), false),
            ("ConfigMap", "shop", "settings", part, true),
            ("Job", "shop", "migrate", hook, false),
            ("ConfigMap", "shop", "kube-root-ca.crt", json!({}), false),
            ("ServiceAccount", "shop", "default", json!({}), false),
            ("ServiceAccount", "shop", "builder", json!({}), true),
            ("Service", "default", "kubernetes", json!({}), false),
            ("Service", "shop", "kubernetes", json!({}), true),
            ("Namespace", "", "shop", json!({}), false),
        ] {
            let live = object("v1", kind, namespace, name, &metadata);
            assert_eq!(is_orphan(&live, &known, &of_nobody), expected, "{kind} {namespace}/{name}");
        }
    }

    #[test]
    fn a_project_ignores_by_globs_and_an_empty_group_is_the_core_group() {
        let ignored = |group: &str, kind: &str, name: &str| OrphanIgnore {
            group: group.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        };
        let deployment = object("apps/v1", "Deployment", "shop", "web-1", &json!({})).key();
        for (rule, expected) in [
            (ignored("apps", "Deployment", "web-1"), true),
            (ignored("*", "", ""), true),
            (ignored("ap?s", "Deploy*", "web-*"), true),
            (ignored("", "Deployment", ""), false),
            (ignored("apps", "", "api-*"), false),
            (ignored("apps", "[", ""), false),
        ] {
            assert_eq!(is_ignored(&rule, &deployment), expected, "{rule:?}");
        }
    }
}
