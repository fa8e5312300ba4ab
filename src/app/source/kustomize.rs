//! `source.kustomize`: what is set in the kustomization before it is built.

use std::collections::BTreeMap;

use super::super::fields::Fields;

/// `source.kustomize`.
#[expect(clippy::struct_excessive_bools, reason = "they are the manifest's own fields")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kustomize {
    /// `namePrefix`.
    pub name_prefix: String,
    /// `nameSuffix`.
    pub name_suffix: String,
    /// `images`: `[old_name=]name[:tag|@digest]`.
    pub images: Vec<String>,
    /// `replicas`.
    pub replicas: Vec<KustomizeReplicas>,
    /// `commonLabels`.
    pub common_labels: BTreeMap<String, String>,
    /// `forceCommonLabels`: over labels that are there.
    pub force_common_labels: bool,
    /// `labelWithoutSelector`: not into selectors.
    pub label_without_selector: bool,
    /// `labelIncludeTemplates`: into pod templates too.
    pub label_include_templates: bool,
    /// `commonAnnotations`.
    pub common_annotations: BTreeMap<String, String>,
    /// `forceCommonAnnotations`: over annotations that are there.
    pub force_common_annotations: bool,
    /// `commonAnnotationsEnvsubst`: with the build environment filled in.
    pub common_annotations_envsubst: bool,
    /// `namespace`.
    pub namespace: String,
    /// `patches`.
    pub patches: Vec<KustomizePatch>,
    /// `components`.
    pub components: Vec<String>,
    /// `ignoreMissingComponents`.
    pub ignore_missing_components: bool,
    /// `version`; empty means the default one.
    pub version: String,
    /// `kubeVersion` for its Helm charts; empty means the cluster's.
    pub kube_version: String,
    /// `apiVersions` for its Helm charts; empty means the cluster's.
    pub api_versions: Vec<String>,
}

/// One of `kustomize.replicas`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KustomizeReplicas {
    /// The name of the workload.
    pub name: String,
    /// How many.
    pub count: i64,
}

/// One of `kustomize.patches`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KustomizePatch {
    /// The patch as a file.
    pub path: String,
    /// The patch as text.
    pub patch: String,
    /// The files that it patches.
    pub target: Option<PatchTarget>,
    /// Kustomize's own options, such as `allowNameChange`.
    pub options: BTreeMap<String, bool>,
}

/// `target` of a patch: every field that is not empty must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatchTarget {
    /// The API group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// The name, as a regular expression.
    pub name: String,
    /// The namespace, as a regular expression.
    pub namespace: String,
    /// A selector over labels.
    pub label_selector: String,
    /// A selector over annotations.
    pub annotation_selector: String,
}

pub(super) fn decode(mut fields: Fields<'_>) -> Kustomize {
    let kustomize = Kustomize {
        name_prefix: fields.text("namePrefix"),
        name_suffix: fields.text("nameSuffix"),
        images: fields.texts("images"),
        replicas: fields.list("replicas").into_iter().map(decode_replicas).collect(),
        common_labels: fields.text_map("commonLabels"),
        force_common_labels: fields.flag("forceCommonLabels"),
        label_without_selector: fields.flag("labelWithoutSelector"),
        label_include_templates: fields.flag("labelIncludeTemplates"),
        common_annotations: fields.text_map("commonAnnotations"),
        force_common_annotations: fields.flag("forceCommonAnnotations"),
        common_annotations_envsubst: fields.flag("commonAnnotationsEnvsubst"),
        namespace: fields.text("namespace"),
        patches: fields.list("patches").into_iter().map(decode_patch).collect(),
        components: fields.texts("components"),
        ignore_missing_components: fields.flag("ignoreMissingComponents"),
        version: fields.text("version"),
        kube_version: fields.text("kubeVersion"),
        api_versions: fields.texts("apiVersions"),
    };
    fields.finish();
    kustomize
}

fn decode_replicas(mut fields: Fields<'_>) -> KustomizeReplicas {
    let replicas =
        KustomizeReplicas { name: fields.required_text("name"), count: fields.required_integer_or_text("count") };
    fields.finish();
    replicas
}

fn decode_patch(mut fields: Fields<'_>) -> KustomizePatch {
    let patch = KustomizePatch {
        path: fields.text("path"),
        patch: fields.text("patch"),
        target: fields.fields("target").map(decode_target),
        options: fields.flag_map("options"),
    };
    fields.finish();
    patch
}

fn decode_target(mut fields: Fields<'_>) -> PatchTarget {
    let target = PatchTarget {
        group: fields.text("group"),
        version: fields.text("version"),
        kind: fields.text("kind"),
        name: fields.text("name"),
        namespace: fields.text("namespace"),
        label_selector: fields.text("labelSelector"),
        annotation_selector: fields.text("annotationSelector"),
    };
    fields.finish();
    target
}
