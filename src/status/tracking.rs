//! Which live objects belong to an application, and which of them git no longer has.
//!
//! In: live objects, the keys of the target, how the application marks what is its own ([`Tracking`]). Out: the extras.
//!
//! Rules: Argo CD `util/argo/resource_tracking.go`, `controller/state.go` (`isSelfReferencedObj`); KEP-3659.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::object::annotations::{
    APPLYSET_PART_OF, FIELD_MANAGER, INSTALLATION_ID, LAST_APPLIED, TRACKING_ID, TrackingId, is_hook, is_skipped,
};
use crate::object::{Key, Object};

/// How one application marks what is its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracking {
    /// The application's name in tracking ids and labels: `<name>`, or `<namespace>_<name>` outside of Argo CD's own.
    pub instance_name: String,
    /// The instance label; `None` where labels are no evidence.
    pub label_key: Option<String>,
    /// Argo CD's installation id; objects of another installation are foreign.
    pub installation_id: Option<String>,
    /// The id of the application's `ApplySet`, see [`applyset_id`].
    pub applyset_id: String,
}

/// The mark of an application's own objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Argo CD's tracking annotation.
    Annotation,
    /// The instance label.
    Label,
    /// The `ApplySet` label.
    ApplySet,
}

/// Whose an object is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TrackedBy {
    /// This application's, and by what mark.
    ThisApplication(Mark),
    /// Another one's: the instance name, or the id of its `ApplySet`.
    Other(String),
}

/// The live objects that are the application's own, owned by no other object, no hooks, and not in the target.
pub fn extras<'a>(
    live: impl IntoIterator<Item = &'a Object>,
    target: &BTreeSet<Key>,
    tracking: &Tracking,
) -> Vec<&'a Object> {
    let mut found: Vec<(Key, &Object)> = live
        .into_iter()
        .filter(|object| !object.is_owned() && !is_hook(object) && !is_skipped(object))
        .filter(|object| matches!(is_tracked(object, tracking), Some(TrackedBy::ThisApplication(_))))
        .map(|object| (object.key(), object))
        .filter(|(key, _)| !target.contains(key))
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found.dedup_by(|(one, _), (other, _)| one == other);
    found.into_iter().map(|(_, object)| object).collect()
}

/// Whose a live object is, if it is anybody's. The `ApplySet` label decides before the annotation, that before the label.
pub fn is_tracked(live: &Object, tracking: &Tracking) -> Option<TrackedBy> {
    if let Some(id) = live.label(APPLYSET_PART_OF).filter(|_| is_labelled_by_an_applier(live)) {
        return Some(if id == tracking.applyset_id {
            TrackedBy::ThisApplication(Mark::ApplySet)
        } else {
            TrackedBy::Other(id.to_owned())
        });
    }
    let whose = |name: &str, mark: Mark| {
        if name == tracking.instance_name {
            TrackedBy::ThisApplication(mark)
        } else {
            TrackedBy::Other(name.to_owned())
        }
    };
    if let Some(text) = live.annotation(TRACKING_ID) {
        let id = TrackingId::parse(text).filter(|id| describes(id, live))?;
        if let (Some(ours), Some(theirs)) = (&tracking.installation_id, live.annotation(INSTALLATION_ID))
            && ours != theirs
        {
            return Some(TrackedBy::Other(id.application.to_owned()));
        }
        return Some(whose(id.application, Mark::Annotation));
    }
    let key = tracking.label_key.as_deref()?;
    let name = live.label(key).filter(|_| was_applied_with_label(live, key))?;
    Some(whose(name, Mark::Label))
}

/// Whose the live object of a target is, if it is anybody's. Charts write the instance label themselves: what git says is
/// nobody's mark.
pub fn claimed(live: &Object, target: &Object, tracking: &Tracking) -> Option<TrackedBy> {
    let claim = is_tracked(live, tracking)?;
    let by_label = live.label(APPLYSET_PART_OF).is_none() && live.annotation(TRACKING_ID).is_none();
    let is_gits = |key: &String| live.label(key).is_some() && live.label(key) == target.label(key);
    if by_label && tracking.label_key.as_ref().is_some_and(is_gits) { None } else { Some(claim) }
}

/// Whether trueup itself put the ApplySet label there, as far as `managedFields` tell. Who copies an object copies its labels.
pub fn is_labelled_by_trueup(live: &Object) -> bool {
    label_holders(live).any(|manager| manager == FIELD_MANAGER)
}

/// Whether it was trueup, or kubectl for an ApplySet of its own, that put the ApplySet label there, as far as `managedFields`
/// tell: operators copy labels onto what they make.
fn is_labelled_by_an_applier(live: &Object) -> bool {
    let entries = live.metadata().and_then(|metadata| metadata.get("managedFields")).and_then(Value::as_array);
    entries.is_none_or(Vec::is_empty)
        || label_holders(live).any(|manager| manager == FIELD_MANAGER || manager.starts_with("kubectl"))
}

/// Who holds the ApplySet label.
fn label_holders(live: &Object) -> impl Iterator<Item = &str> {
    let entries = live.metadata().and_then(|metadata| metadata.get("managedFields")).and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let labels = entry.get("fieldsV1")?.get("f:metadata")?.get("f:labels")?;
        labels.get(format!("f:{APPLYSET_PART_OF}"))?;
        text("subresource").is_empty().then(|| text("manager"))
    })
}

/// The id of an `ApplySet` whose parent is this `ConfigMap`.
///
/// Rule: KEP-3659, `applyset-<base64url(sha256(<name>.<namespace>.<kind>.<group>))>-v1`.
pub fn applyset_id(name: &str, namespace: &str) -> String {
    let hash = Sha256::digest(format!("{name}.{namespace}.ConfigMap."));
    format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(hash))
}

/// Whether a tracking id means this very object: operators copy annotations onto what they make.
fn describes(id: &TrackingId<'_>, object: &Object) -> bool {
    let key = object.key();
    // Cluster-scoped objects carry the destination's namespace, which may have changed since.
    (key.namespace.is_empty() || key.namespace == id.namespace)
        && key.name == id.name
        && key.group == id.group
        && key.kind == id.kind
}

/// Whether Argo CD, kubectl apply or trueup put the label there. Charts set the same label, and controllers copy it (that
/// of stateful workloads onto their volume claims), so the label alone would make extras of what is in use.
fn was_applied_with_label(live: &Object, key: &str) -> bool {
    let applied = live.annotation(LAST_APPLIED).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let in_applied = applied.as_ref().and_then(|applied| applied.get("metadata")?.get("labels")?.get(key)).is_some();
    in_applied || is_label_set_by(live, key, |manager| is_argo_cd(manager) || manager == FIELD_MANAGER)
}

/// Whether Argo CD put a label there, as far as `managedFields` tell.
pub fn is_labelled_by_argo_cd(live: &Object, key: &str) -> bool {
    is_label_set_by(live, key, is_argo_cd)
}

/// The instance name of the application that Argo CD tracks an object for, whatever else marks it.
pub fn argo_cd_application<'live>(live: &'live Object, label_key: Option<&str>) -> Option<&'live str> {
    if let Some(text) = live.annotation(TRACKING_ID) {
        return TrackingId::parse(text).filter(|id| describes(id, live)).map(|id| id.application);
    }
    let key = label_key?;
    live.label(key).filter(|_| is_labelled_by_argo_cd(live, key))
}

fn is_argo_cd(manager: &str) -> bool {
    manager.starts_with("argocd")
}

fn is_label_set_by(live: &Object, key: &str, is_meant: impl Fn(&str) -> bool) -> bool {
    let field = format!("f:{key}");
    let entries = live.metadata().and_then(|metadata| metadata.get("managedFields")).and_then(Value::as_array);
    entries.into_iter().flatten().any(|entry| {
        let manager = entry.get("manager").and_then(Value::as_str).unwrap_or_default();
        let label = || entry.get("fieldsV1")?.get("f:metadata")?.get("f:labels")?.get(&field);
        is_meant(manager) && label().is_some()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shop() -> Tracking {
        Tracking {
            instance_name: "shop".to_owned(),
            label_key: Some("app.kubernetes.io/instance".to_owned()),
            installation_id: None,
            applyset_id: applyset_id("trueup-shop", "default"),
        }
    }

    fn config_map(metadata: Value) -> Object {
        let mut metadata = metadata;
        metadata["name"] = json!("web");
        metadata["namespace"] = json!("default");
        Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})).unwrap()
    }

    fn annotated(id: &str) -> Object {
        config_map(json!({"annotations": {"argocd.argoproj.io/tracking-id": id}}))
    }

    fn this(mark: Mark) -> TrackedBy {
        TrackedBy::ThisApplication(mark)
    }

    fn other(name: &str) -> TrackedBy {
        TrackedBy::Other(name.to_owned())
    }

    /// Operators copy annotations onto what they make; a copy is not tracked to prune.
    #[test]
    fn a_tracking_id_counts_where_it_describes_the_object_itself() {
        let cases = [
            ("shop:/ConfigMap:default/web", Some(this(Mark::Annotation))),
            ("other:/ConfigMap:default/web", Some(other("other"))),
            ("shop:/ConfigMap:default/copied-from", None),
            ("shop:/ConfigMap:elsewhere/web", None),
            ("shop:/Secret:default/web", None),
            ("shop:apps/ConfigMap:default/web", None),
            ("shop", None),
            ("", None),
        ];
        for (id, expected) in cases {
            assert_eq!(is_tracked(&annotated(id), &shop()), expected, "{id}");
        }
    }

    /// Its tracking id carries the destination's namespace, which the object itself does not have.
    #[test]
    fn a_cluster_scoped_object_is_tracked_by_any_namespace_in_its_id() {
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "all",
            "annotations": {"argocd.argoproj.io/tracking-id": "shop:rbac.authorization.k8s.io/ClusterRole:default/all"}}});
        assert_eq!(is_tracked(&Object::new(role).unwrap(), &shop()), Some(this(Mark::Annotation)));
    }

    #[test]
    fn another_installation_of_argo_cd_is_foreign() {
        let object =
            config_map(json!({"annotations": {"argocd.argoproj.io/tracking-id": "shop:/ConfigMap:default/web",
                                                       "argocd.argoproj.io/installation-id": "theirs"}}));
        assert_eq!(is_tracked(&object, &shop()), Some(this(Mark::Annotation)));
        let ours = Tracking { installation_id: Some("ours".to_owned()), ..shop() };
        assert_eq!(is_tracked(&object, &ours), Some(other("shop")));
    }

    #[test]
    fn the_applyset_label_decides_first() {
        let member = |id: &str| {
            config_map(json!({"labels": {"applyset.kubernetes.io/part-of": id},
                              "annotations": {"argocd.argoproj.io/tracking-id": "shop:/ConfigMap:default/web"}}))
        };
        assert_eq!(is_tracked(&member(&applyset_id("trueup-shop", "default")), &shop()), Some(this(Mark::ApplySet)));
        assert_eq!(is_tracked(&member("applyset-x-v1"), &shop()), Some(other("applyset-x-v1")));
    }

    /// Volume claims carry the labels of their workload: they are in use, and no extras.
    #[test]
    fn the_instance_label_counts_where_a_gitops_tool_applied_it() {
        let labels = json!({"app.kubernetes.io/instance": "shop"});
        let managed = |manager: &str| {
            let fields = json!({"f:metadata": {"f:labels": {"f:app.kubernetes.io/instance": {}}}});
            json!({"labels": labels, "managedFields": [{"manager": manager, "fieldsV1": fields}]})
        };
        let applied = |metadata: Value| {
            let last = json!({"metadata": metadata}).to_string();
            json!({"labels": labels, "annotations": {"kubectl.kubernetes.io/last-applied-configuration": last}})
        };
        let cases = [
            ("copied by a controller", managed("kube-controller-manager"), None),
            ("set by helm", managed("helm"), None),
            ("applied by Argo CD", managed("argocd-controller"), Some(this(Mark::Label))),
            ("applied by trueup", managed("trueup"), Some(this(Mark::Label))),
            ("applied client-side", applied(json!({"labels": labels})), Some(this(Mark::Label))),
            ("added after a client-side apply", applied(json!({})), None),
            ("no evidence", json!({"labels": labels}), None),
        ];
        for (name, metadata, expected) in cases {
            assert_eq!(is_tracked(&config_map(metadata), &shop()), expected, "{name}");
        }
        let by_annotation = Tracking { label_key: None, ..shop() };
        assert_eq!(is_tracked(&config_map(managed("argocd-controller")), &by_annotation), None);
    }

    #[test]
    fn extras_are_our_own_unowned_and_not_in_git() {
        let id = "shop:/ConfigMap:default/web";
        let plain = annotated(id);
        let annotations = |more: &str| json!({"argocd.argoproj.io/tracking-id": id, more: "PreSync"});
        let owned = config_map(json!({"annotations": {"argocd.argoproj.io/tracking-id": id},
                                      "ownerReferences": [{"uid": "1"}]}));
        let hook = config_map(json!({"annotations": annotations("argocd.argoproj.io/hook")}));
        let helm_hook = config_map(json!({"annotations": annotations("helm.sh/hook")}));
        let foreign = annotated("other:/ConfigMap:default/web");

        let live = [&owned, &hook, &helm_hook, &foreign, &plain, &plain];
        assert_eq!(extras(live, &BTreeSet::new(), &shop()), [&plain]);
        assert!(extras(live, &BTreeSet::from([plain.key()]), &shop()).is_empty());
    }

    /// `kubectl apply --prune --applyset` has to recognise it; the expected value is by kubectl's pkg/cmd/apply `ID`.
    #[test]
    fn an_applyset_id_is_that_of_kubectl() {
        let id = "applyset-BgE_MvCkKfMQNXSCzjvHqpZUOKKxkd4ajx52OlOMuSY-v1";
        assert_eq!(applyset_id("trueup-shop", "default"), id);
    }
}
