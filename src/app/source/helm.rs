//! `source.helm`: the release, its values and its switches.

use serde_json::{Map, Value};

use super::super::fault::Fault;
use super::super::fields::Fields;

/// `source.helm`.
#[expect(clippy::struct_excessive_bools, reason = "they are the manifest's own fields")]
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Helm {
    /// `releaseName`; empty means the Application's name.
    pub release_name: String,
    /// `valueFiles`, in order: later ones win.
    pub value_files: Vec<String>,
    /// `values`: YAML as text; not used when `valuesObject` is given.
    pub values: String,
    /// `valuesObject`: the same as a map.
    pub values_object: Option<Map<String, Value>>,
    /// `parameters`.
    pub parameters: Vec<HelmParameter>,
    /// `fileParameters`.
    pub file_parameters: Vec<HelmFileParameter>,
    /// `version`: empty, `v3` or `v4`.
    pub version: String,
    /// `passCredentials`.
    pub pass_credentials: bool,
    /// `ignoreMissingValueFiles`.
    pub ignore_missing_value_files: bool,
    /// `skipCrds`.
    pub skip_crds: bool,
    /// `skipTests`.
    pub skip_tests: bool,
    /// `skipSchemaValidation`.
    pub skip_schema_validation: bool,
    /// `namespace` for rendering only; empty means the destination's.
    pub namespace: String,
    /// `kubeVersion`; empty means the cluster's.
    pub kube_version: String,
    /// `apiVersions`; empty means the cluster's.
    pub api_versions: Vec<String>,
}

/// One of `helm.parameters`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HelmParameter {
    /// Its name, a path into the values.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether Helm must take it as text.
    pub force_string: bool,
}

/// One of `helm.fileParameters`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HelmFileParameter {
    /// Its name, a path into the values.
    pub name: String,
    /// The file that holds the value.
    pub path: String,
}

pub(super) fn decode(mut fields: Fields<'_>) -> Helm {
    let helm = Helm {
        release_name: fields.text("releaseName"),
        value_files: fields.texts("valueFiles"),
        values: fields.text("values"),
        values_object: fields.map("valuesObject").cloned(),
        parameters: fields.list("parameters").into_iter().map(decode_parameter).collect(),
        file_parameters: fields.list("fileParameters").into_iter().map(decode_file_parameter).collect(),
        version: fields.text("version"),
        pass_credentials: fields.flag("passCredentials"),
        ignore_missing_value_files: fields.flag("ignoreMissingValueFiles"),
        skip_crds: fields.flag("skipCrds"),
        skip_tests: fields.flag("skipTests"),
        skip_schema_validation: fields.flag("skipSchemaValidation"),
        namespace: fields.text("namespace"),
        kube_version: fields.text("kubeVersion"),
        api_versions: fields.texts("apiVersions"),
    };
    // Argo CD util/helm/cmd.go: the one bundled Helm runs whichever of these is asked for.
    if !matches!(helm.version.as_str(), "" | "v3" | "v4") {
        let path = fields.shown_field("version");
        fields.fault_at("version", &Fault::HelmVersion { path, version: helm.version.clone() });
    }
    // Argo CD types.go `ValuesYAML`: the object wins, the text is not merged into it.
    if helm.values_object.is_some() && !helm.values.is_empty() {
        fields.fault_at("values", &Fault::ValuesBesideObject { path: fields.shown_field("values") });
    }
    fields.finish();
    helm
}

fn decode_parameter(mut fields: Fields<'_>) -> HelmParameter {
    let parameter = HelmParameter {
        name: fields.text("name"),
        value: fields.text("value"),
        force_string: fields.flag("forceString"),
    };
    fields.finish();
    parameter
}

fn decode_file_parameter(mut fields: Fields<'_>) -> HelmFileParameter {
    let parameter = HelmFileParameter { name: fields.text("name"), path: fields.text("path") };
    fields.finish();
    parameter
}
