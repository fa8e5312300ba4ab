//! `metadata` of an Application: its name, and what Argo CD reads from annotations and finalizers.
//!
//! Rules: Kubernetes' `ObjectMeta` and its validation; Argo CD common/common.go and types.go for the names.

use std::collections::BTreeMap;

use super::fault::Fault;
use super::fields::Fields;

/// The fields of `metadata` that are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) finalizers: Vec<String>,
}

// Fields that Kubernetes keeps in every object's metadata; of no use here, and their insides are its own.
const OTHER_FIELDS: &[&str] = &[
    "clusterName",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generateName",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

// Annotations that Argo CD reads on an Application, or on an Application as an object of another one.
const ANNOTATIONS: &[&str] = &[
    "argocd.argoproj.io/application-set-refresh",
    "argocd.argoproj.io/client-side-apply-migration-manager",
    "argocd.argoproj.io/compare-options",
    "argocd.argoproj.io/deletion-approved",
    "argocd.argoproj.io/hook",
    "argocd.argoproj.io/hook-delete-policy",
    "argocd.argoproj.io/hydrate",
    "argocd.argoproj.io/hydrate-timestamp",
    "argocd.argoproj.io/ignore-healthcheck",
    "argocd.argoproj.io/ignore-resource-updates",
    "argocd.argoproj.io/installation-id",
    "argocd.argoproj.io/managed-by-url",
    "argocd.argoproj.io/manifest-generate-paths",
    "argocd.argoproj.io/refresh",
    "argocd.argoproj.io/refresh-timestamp",
    "argocd.argoproj.io/skip-reconcile",
    "argocd.argoproj.io/sync-options",
    "argocd.argoproj.io/sync-wave",
    "argocd.argoproj.io/tracking-id",
];

const FINALIZERS: &[&str] = &[
    "resources-finalizer.argocd.argoproj.io",
    "resources-finalizer.argocd.argoproj.io/background",
    "resources-finalizer.argocd.argoproj.io/foreground",
    "pre-delete-finalizer.argocd.argoproj.io",
    "pre-delete-finalizer.argocd.argoproj.io/cleanup",
    "post-delete-finalizer.argocd.argoproj.io",
    "post-delete-finalizer.argocd.argoproj.io/cleanup",
];

pub(super) fn decode(mut fields: Fields<'_>) -> Metadata {
    let finalizers = fields.texts_with_index("finalizers");
    for (index, name) in &finalizers {
        check_finalizer(*index, name, &fields);
    }
    let metadata = Metadata {
        name: fields.text("name"),
        namespace: fields.text("namespace"),
        labels: fields.text_map("labels"),
        annotations: fields.text_map("annotations"),
        finalizers: finalizers.into_iter().map(|(_, name)| name).collect(),
    };
    fields.know(OTHER_FIELDS);
    check_name(&metadata, &fields);
    for name in metadata.annotations.keys() {
        check_annotation(name, &fields);
    }
    fields.finish();
    metadata
}

fn check_name(metadata: &Metadata, fields: &Fields<'_>) {
    if metadata.name.is_empty() {
        if !fields.has_fault("name") {
            fields.fault(&Fault::Missing { path: fields.shown(), field: "name".to_owned() });
        }
    } else if let Some(why) = why_no_name(&metadata.name, 253, true) {
        fields.fault_at("name", &Fault::BadName { why });
    }
    if !metadata.namespace.is_empty()
        && let Some(why) = why_no_name(&metadata.namespace, 63, false)
    {
        fields.fault_at("namespace", &Fault::BadNamespace { why });
    }
}

// Other annotations are free; only what is nearly one of Argo CD's own is a typing error.
fn check_annotation(name: &str, fields: &Fields<'_>) {
    let Some((prefix, _)) = name.split_once('/') else { return };
    if prefix != "argocd.argoproj.io" || ANNOTATIONS.contains(&name) {
        return;
    }
    let nearest = ANNOTATIONS.iter().find(|known| strsim::osa_distance(known, name) <= 2);
    if let Some(nearest) = nearest {
        let fault = Fault::UnknownAnnotation { name: name.to_owned(), nearest: (*nearest).to_owned() };
        fields.fault_at_key("annotations", name, &fault);
    }
}

fn check_finalizer(index: usize, name: &str, fields: &Fields<'_>) {
    if FINALIZERS.contains(&name) {
        return;
    }
    let nearest = FINALIZERS.iter().find(|known| strsim::osa_distance(known, name) <= 3);
    if let Some(nearest) = nearest {
        let fault = Fault::UnknownFinalizer { name: name.to_owned(), nearest: (*nearest).to_owned() };
        fields.fault_at_item("finalizers", index, &fault);
    }
}

/// Why a text is no DNS-1123 name: a label, or with dots a subdomain.
///
/// Rule: apimachinery/pkg/util/validation `IsDNS1123Subdomain`, `IsDNS1123Label`.
pub(super) fn why_no_name(text: &str, longest: usize, dots: bool) -> Option<String> {
    if text.len() > longest {
        return Some(format!("has {} characters, but {longest} is the most", text.len()));
    }
    let odd = text.chars().find(|letter| {
        !(letter.is_ascii_lowercase() || letter.is_ascii_digit() || *letter == '-' || dots && *letter == '.')
    });
    if let Some(odd) = odd {
        return Some(format!("`{text}` has `{odd}` in it"));
    }
    let ends_well = |part: &str| {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric();
        part.starts_with(is_plain) && part.ends_with(is_plain)
    };
    (!text.split('.').all(ends_well))
        .then(|| format!("`{text}` has a part that does not begin and end with a letter or digit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_as_the_api_server_judges_them() {
        for good in ["a", "web", "shop-web", "shop.web", "9", "a.b-c.d"] {
            assert_eq!(why_no_name(good, 253, true), None, "{good}");
        }
        for bad in ["Web", "shop_web", "-web", "web-", "a..b", ".a", "a.-b", "ä", "web ", "{{ .name }}"] {
            assert!(why_no_name(bad, 253, true).is_some(), "{bad}");
        }
        assert!(why_no_name(&"a".repeat(254), 253, true).is_some());
        assert!(why_no_name("a.b", 63, false).is_some());
    }
}
