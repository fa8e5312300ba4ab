//! Who a live object belongs to, as the object itself says.
//!
//! In: a live object, what git says of it, and how the application marks what is its own. Out: nothing when it is the
//! application's own or trueup made it, else its [`Owner`]. Pure.
//!
//! Rules: Helm pkg/action/validate.go (`checkOwnership`: the label and the annotations of a release); Flux's labels of
//! `Kustomization`s and `HelmRelease`s; Argo CD `util/argo/resource_tracking.go`; kubectl's last-applied annotation; the names
//! of field managers (KEP-555).

use std::fmt;

use serde_json::{Value, json};

use super::proof::{is_hook_of, is_marked_member, own_entries};
use crate::object::Object;
use crate::object::annotations::{
    APPLYSET_PART_OF, FIELD_MANAGER, HELM_RELEASE, HELM_RELEASE_NAMESPACE, HOOK_OF, LAST_APPLIED, TRACKING_ID,
    TrackingId,
};
use crate::status::tracking::{Mark, TrackedBy, Tracking, claimed};

/// Who applied or created a live object, when it was not trueup for this application.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A release that Helm installed.
    HelmRelease {
        /// The release.
        name: String,
        /// Its namespace; empty when the object does not say.
        namespace: String,
    },
    /// An object of Flux: `Kustomization` or `HelmRelease`.
    Flux {
        /// The object's kind.
        kind: &'static str,
        /// Its name; empty when only the field manager says that it was Flux.
        name: String,
        /// Its namespace.
        namespace: String,
    },
    /// An Application of Argo CD; empty when only the field manager says that it was Argo CD.
    ArgoCd(String),
    /// Whoever runs `kubectl apply`.
    Kubectl,
    /// Another tool that applies, by its field manager: `terraform`.
    Applier(String),
    /// Another application: the id of its ApplySet, or the name by which Argo CD tracks it.
    Application(String),
    /// Another object, as its `ownerReferences` say: `ReplicaSet/web`.
    Object(String),
    /// Whoever created it, by the field manager: `kubectl-create`.
    Creator(String),
    /// The object does not say.
    Unknown,
}

impl fmt::Display for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HelmRelease { name, .. } if name.is_empty() => formatter.write_str("applied by Helm"),
            Self::HelmRelease { name, .. } => write!(formatter, "part of Helm release `{name}`"),
            Self::Flux { name, .. } if name.is_empty() => formatter.write_str("applied by Flux"),
            Self::Flux { kind, name, namespace } if namespace.is_empty() => {
                write!(formatter, "part of Flux {kind} `{name}`")
            }
            Self::Flux { kind, name, namespace } => write!(formatter, "part of Flux {kind} `{namespace}/{name}`"),
            Self::ArgoCd(name) if name.is_empty() => formatter.write_str("applied by Argo CD"),
            Self::ArgoCd(name) => write!(formatter, "part of Argo CD application `{name}`"),
            Self::Kubectl => formatter.write_str("applied by kubectl"),
            Self::Applier(manager) => write!(formatter, "applied by `{manager}`"),
            Self::Application(id) => write!(formatter, "part of another application (`{id}`)"),
            Self::Object(name) => write!(formatter, "owned by `{name}`"),
            Self::Creator(manager) => write!(formatter, "created by `{manager}`"),
            Self::Unknown => formatter.write_str("not created by trueup"),
        }
    }
}

/// Who has to be asked before trueup writes to a live object; nobody when it is the application's own, or when trueup made
/// it and nobody else claims it (a namespace that it ensured, an object that an application released).
pub(in crate::sync) fn owner(live: &Object, target: &Object, tracking: &Tracking) -> Option<Owner> {
    let id = &tracking.applyset_id;
    if is_marked_member(live, id) || is_hook_of(live, id) {
        return None;
    }
    match claimed(live, target, tracking) {
        Some(TrackedBy::Other(other)) => return Some(Owner::Application(other)),
        Some(TrackedBy::ThisApplication(Mark::Annotation | Mark::Label)) => {
            return Some(Owner::ArgoCd(tracking.instance_name.clone()));
        }
        Some(TrackedBy::ThisApplication(Mark::ApplySet)) | None => {}
    }
    let applier = flux(live).or_else(|| helm(live)).or_else(|| argo_cd(live)).or_else(|| kubectl(live));
    if let Some(owner) = applier.or_else(|| other_applier(live)) {
        return Some(owner);
    }
    if own_entries(live).next().is_some() {
        return None;
    }
    Some(owning_object(live).or_else(|| creator(live)).unwrap_or(Owner::Unknown))
}

/// One entry of `managedFields`, that of a subresource left out.
struct ManagedEntry<'o> {
    manager: &'o str,
    is_apply: bool,
    time: &'o str,
}

fn entries(live: &Object) -> impl Iterator<Item = ManagedEntry<'_>> {
    let list = live.metadata().and_then(|metadata| metadata.get("managedFields")).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let entry =
            ManagedEntry { manager: text("manager"), is_apply: text("operation") == "Apply", time: text("time") };
        text("subresource").is_empty().then_some(entry)
    })
}

fn is_managed_by(live: &Object, managers: &[&str]) -> bool {
    entries(live).any(|entry| managers.contains(&entry.manager))
}

fn flux(live: &Object) -> Option<Owner> {
    for (kind, prefix) in [("HelmRelease", "helm.toolkit.fluxcd.io"), ("Kustomization", "kustomize.toolkit.fluxcd.io")]
    {
        let text = |name: &str| live.label(&format!("{prefix}/{name}")).map(str::to_owned);
        if let Some(name) = text("name") {
            return Some(Owner::Flux { kind, name, namespace: text("namespace").unwrap_or_default() });
        }
    }
    let by_manager = [("HelmRelease", "helm-controller"), ("Kustomization", "kustomize-controller")];
    let (kind, _) = by_manager.into_iter().find(|(_, manager)| is_managed_by(live, &[manager]))?;
    Some(Owner::Flux { kind, name: String::new(), namespace: String::new() })
}

/// The annotations decide: charts write the label themselves, whoever renders them.
fn helm(live: &Object) -> Option<Owner> {
    let text = |name: &str| live.annotation(name).map(str::to_owned);
    match text(HELM_RELEASE) {
        Some(name) => Some(Owner::HelmRelease { name, namespace: text(HELM_RELEASE_NAMESPACE).unwrap_or_default() }),
        None => {
            is_managed_by(live, &["helm"]).then(|| Owner::HelmRelease { name: String::new(), namespace: String::new() })
        }
    }
}

fn argo_cd(live: &Object) -> Option<Owner> {
    let tracked = live.annotation(TRACKING_ID).and_then(TrackingId::parse);
    let is_its = is_managed_by(live, &["argocd-controller", "argocd-application-controller"]);
    is_its.then(|| Owner::ArgoCd(tracked.map(|id| id.application.to_owned()).unwrap_or_default()))
}

/// `kubectl scale` and others are called `kubectl`, too, but do not apply.
fn kubectl(live: &Object) -> Option<Owner> {
    let is_its = live.annotation(LAST_APPLIED).is_some()
        || is_managed_by(live, &["kubectl-client-side-apply", "before-first-apply"])
        || entries(live).any(|entry| entry.manager.starts_with("kubectl") && entry.is_apply);
    is_its.then_some(Owner::Kubectl)
}

fn other_applier(live: &Object) -> Option<Owner> {
    let is_other = |entry: &ManagedEntry<'_>| entry.is_apply && entry.manager != FIELD_MANAGER;
    let other = entries(live).find(|entry| is_other(entry) || entry.manager.eq_ignore_ascii_case("terraform"))?;
    Some(Owner::Applier(other.manager.to_owned()))
}

fn owning_object(live: &Object) -> Option<Owner> {
    let owners = live.metadata()?.get("ownerReferences")?.as_array()?;
    let text = |name: &str| owners.first()?.get(name)?.as_str();
    Some(Owner::Object(format!("{}/{}", text("kind")?, text("name")?)))
}

/// The first who wrote to it.
fn creator(live: &Object) -> Option<Owner> {
    let first = entries(live).filter(|entry| !entry.manager.is_empty()).min_by_key(|entry| entry.time)?;
    Some(Owner::Creator(first.manager.to_owned()))
}

/// A JSON patch that puts the application's mark on an object that it is to take over: from then on it is provably its own.
/// It holds for the version that was read, and for no other.
pub(in crate::sync) fn mark_patch(live: &Object, applyset_id: &str, is_hook: bool) -> Value {
    let (field, name) = if is_hook { ("annotations", HOOK_OF) } else { ("labels", APPLYSET_PART_OF) };
    let has_field = live.metadata().and_then(|metadata| metadata.get(field)).is_some_and(Value::is_object);
    let mut patch = vec![
        json!({"op": "test", "path": "/metadata/uid", "value": live.uid()}),
        // Not a `test`: the server then says that it is a conflict, and not that the patch is wrong.
        json!({"op": "replace", "path": "/metadata/resourceVersion", "value": live.resource_version()}),
    ];
    if !has_field {
        patch.push(json!({"op": "add", "path": format!("/metadata/{field}"), "value": {}}));
    }
    let place = format!("/metadata/{field}/{}", name.replace('/', "~1"));
    patch.push(json!({"op": "add", "path": place, "value": applyset_id}));
    Value::Array(patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "applyset-ours-v1";

    fn tracking() -> Tracking {
        Tracking {
            instance_name: "shop".to_owned(),
            label_key: Some("app.kubernetes.io/instance".to_owned()),
            installation_id: None,
            applyset_id: ID.to_owned(),
        }
    }

    fn object(mut metadata: Value) -> Object {
        metadata["name"] = json!("web");
        metadata["namespace"] = json!("shop");
        Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})).unwrap()
    }

    fn entry(manager: &str, operation: &str) -> Value {
        json!({"manager": manager, "operation": operation, "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:data": {}}})
    }

    fn holds_label(manager: &str) -> Value {
        let mut entry = entry(manager, "Apply");
        entry["fieldsV1"] = json!({"f:metadata": {"f:labels": {format!("f:{APPLYSET_PART_OF}"): {}}}});
        entry
    }

    fn managed(entries: &Value) -> Value {
        json!({ "managedFields": entries })
    }

    fn are_owned(cases: Vec<(&str, Value, Option<&str>)>) {
        for (name, metadata, expected) in cases {
            let target = object(json!({}));
            let found = owner(&object(metadata), &target, &tracking()).map(|owner| owner.to_string());
            assert_eq!(found.as_deref(), expected, "{name}");
        }
    }

    /// Marks as users see them in their clusters: each tool's own, as its documentation has them.
    #[test]
    fn an_owner_is_recognised_by_its_own_marks() {
        let helm = json!({
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "legacy", "meta.helm.sh/release-namespace": "shop"},
            "managedFields": [entry("helm", "Update")],
        });
        let flux = |prefix: &str| {
            let labels = json!({format!("{prefix}/name"): "apps", format!("{prefix}/namespace"): "flux-system"});
            json!({"labels": labels, "managedFields": [entry("kustomize-controller", "Apply")]})
        };
        let tracked = json!({"annotations": {"argocd.argoproj.io/tracking-id": "shop:/ConfigMap:shop/web"}});
        let last_applied = json!({"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}});
        are_owned(vec![
            ("Helm", helm, Some("part of Helm release `legacy`")),
            ("Helm 4, by its manager alone", managed(&json!([entry("helm", "Apply")])), Some("applied by Helm")),
            ("Flux", flux("kustomize.toolkit.fluxcd.io"), Some("part of Flux Kustomization `flux-system/apps`")),
            ("Flux and Helm", flux("helm.toolkit.fluxcd.io"), Some("part of Flux HelmRelease `flux-system/apps`")),
            ("Flux, by its manager", managed(&json!([entry("helm-controller", "Update")])), Some("applied by Flux")),
            ("Argo CD", tracked, Some("part of Argo CD application `shop`")),
            (
                "Argo CD, by its manager",
                managed(&json!([entry("argocd-controller", "Apply")])),
                Some("applied by Argo CD"),
            ),
            ("kubectl apply", last_applied, Some("applied by kubectl")),
            ("kubectl apply --server-side", managed(&json!([entry("kubectl", "Apply")])), Some("applied by kubectl")),
            (
                "another applier",
                managed(&json!([entry("pulumi-kubernetes", "Apply")])),
                Some("applied by `pulumi-kubernetes`"),
            ),
            ("Terraform", managed(&json!([entry("Terraform", "Update")])), Some("applied by `Terraform`")),
        ]);
    }

    #[test]
    fn what_nobody_applied_is_its_creators() {
        let chart = json!({
            "labels": {"app.kubernetes.io/managed-by": "Helm"}, "managedFields": [entry("trueup", "Apply")],
        });
        let child = json!({"ownerReferences": [{"kind": "Till", "name": "main", "uid": "1"}],
                           "managedFields": [entry("till-operator", "Update")]});
        are_owned(vec![
            ("a child of an operator", child, Some("owned by `Till/main`")),
            (
                "kubectl create",
                managed(&json!([entry("kubectl-create", "Update")])),
                Some("created by `kubectl-create`"),
            ),
            (
                "kubectl scale is no applying",
                managed(&json!([entry("kubectl", "Update")])),
                Some("created by `kubectl`"),
            ),
            ("no word about it", json!({}), Some("not created by trueup")),
            ("trueup made it: a chart's label is git's", chart, None),
            (
                "trueup's subresource is nothing of the object",
                managed(
                    &json!([{"manager": "trueup", "operation": "Update", "subresource": "status", "fieldsV1": {}}]),
                ),
                Some("not created by trueup"),
            ),
        ]);
    }

    /// The label of an ApplySet is ours where trueup put it; kubectl copies it, and then kubectl is asked for.
    #[test]
    fn our_own_marks_count_where_trueup_put_them() {
        let labelled = |entries: Value| json!({"labels": {APPLYSET_PART_OF: ID}, "managedFields": entries});
        are_owned(vec![
            ("ours", labelled(json!([holds_label("trueup")])), None),
            (
                "ours, and kubectl applied since",
                labelled(json!([holds_label("trueup"), entry("kubectl", "Apply")])),
                None,
            ),
            ("copied by kubectl", labelled(json!([holds_label("kubectl")])), Some("applied by kubectl")),
            (
                "written by kubectl label",
                labelled(json!([entry("kubectl-label", "Update")])),
                Some("created by `kubectl-label`"),
            ),
            ("in a folder, where nobody's fields are known", json!({"labels": {APPLYSET_PART_OF: ID}}), None),
            (
                "another application's",
                json!({"labels": {APPLYSET_PART_OF: "applyset-x-v1"}}),
                Some("part of another application (`applyset-x-v1`)"),
            ),
        ]);
    }

    #[test]
    fn what_is_taken_over_is_marked_as_a_member_or_as_a_hook() {
        let live = object(json!({"uid": "1", "resourceVersion": "7"}));
        for (is_hook, place) in [
            (false, "/metadata/labels/applyset.kubernetes.io~1part-of"),
            (true, "/metadata/annotations/trueup.dev~1hook-of"),
        ] {
            let patch: json_patch::Patch = serde_json::from_value(mark_patch(&live, ID, is_hook)).unwrap();
            let mut value = live.to_value();
            json_patch::patch(&mut value, &patch).unwrap();
            assert_eq!(value.pointer(place).and_then(Value::as_str), Some(ID));
        }
    }
}
