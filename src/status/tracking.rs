//! Which live objects belong to an application, and which of them git no longer has.
//!
//! In: live objects, the keys of the target, how the application marks what is its own ([`Tracking`]). Out: the extras.
//!
//! Rules: Argo CD util/argo/resource_tracking.go, controller/state.go (`isSelfReferencedObj`); KEP-3659 for ApplySets.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::object::annotations::{
    APPLYSET_PART_OF, FIELD_MANAGER, HELM_HOOK, HOOK, INSTALLATION_ID, LAST_APPLIED, TRACKING_ID, TrackingId,
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
    /// The id of the application's ApplySet, see [`applyset_id`].
    pub applyset_id: String,
}

/// What marks an object as an application's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Argo CD's tracking annotation.
    Annotation,
    /// The instance label.
    Label,
    /// The ApplySet label.
    ApplySet,
}

/// Whose an object is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TrackedBy {
    /// This application's, and by what mark.
    ThisApplication(Mark),
    /// Another one's: the instance name, or the id of its ApplySet.
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
        .filter(|object| !object.is_owned() && !is_hook(object))
        .filter(|object| matches!(is_tracked(object, tracking), Some(TrackedBy::ThisApplication(_))))
        .map(|object| (object.key(), object))
        .filter(|(key, _)| !target.contains(key))
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found.dedup_by(|(one, _), (other, _)| one == other);
    found.into_iter().map(|(_, object)| object).collect()
}

/// Whose a live object is, if it is anybody's. The ApplySet label decides before the annotation, that before the label.
pub fn is_tracked(live: &Object, tracking: &Tracking) -> Option<TrackedBy> {
    if let Some(id) = live.label(APPLYSET_PART_OF) {
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

/// The id of an ApplySet whose parent is this ConfigMap.
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

fn is_hook(object: &Object) -> bool {
    object.annotation(HOOK).is_some() || object.annotation(HELM_HOOK).is_some()
}

/// Whether a GitOps tool put the label there. Charts set the same label, and controllers copy it (a StatefulSet's onto its
/// volume claims), so the label alone would make extras of what is in use.
fn was_applied_with_label(live: &Object, key: &str) -> bool {
    let applied = live.annotation(LAST_APPLIED).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let in_applied = applied.as_ref().and_then(|applied| applied.get("metadata")?.get("labels")?.get(key)).is_some();
    let field = format!("f:{key}");
    let managed = live.metadata().and_then(|metadata| metadata.get("managedFields")).and_then(Value::as_array);
    let by_tool = managed.into_iter().flatten().any(|entry| {
        let manager = entry.get("manager").and_then(Value::as_str).unwrap_or_default();
        let labels = || entry.get("fieldsV1")?.get("f:metadata")?.get("f:labels")?.get(&field);
        (manager.starts_with("argocd") || manager == FIELD_MANAGER) && labels().is_some()
    });
    in_applied || by_tool
}
