//! `source.directory`: how a folder of plain manifests and Jsonnet is read.

use super::super::fields::Fields;

/// `source.directory`: how a folder of manifests is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// Folders below the path too.
    pub recurse: bool,
    /// Only files that match this glob.
    pub include: String,
    /// No files that match this glob; looked at before `include`.
    pub exclude: String,
    /// Lets `include` match files outside of `yaml`, `yml`, `json`, `jsonnet`.
    pub disable_extension_filter: bool,
    /// The variables of Jsonnet files.
    pub jsonnet: Jsonnet,
}

/// `source.directory.jsonnet`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jsonnet {
    /// `extVars`: external variables.
    pub external_variables: Vec<JsonnetVariable>,
    /// `tlas`: top-level arguments.
    pub top_level_arguments: Vec<JsonnetVariable>,
    /// `libs`: folders to import from, relative to the repository's root.
    pub libraries: Vec<String>,
}

/// A variable for Jsonnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonnetVariable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether the value is an expression, not text.
    pub code: bool,
}

pub(super) fn decode(mut fields: Fields<'_>) -> Directory {
    let directory = Directory {
        recurse: fields.flag("recurse"),
        include: fields.text("include"),
        exclude: fields.text("exclude"),
        disable_extension_filter: fields.flag("disableExtensionFilter"),
        jsonnet: fields.fields("jsonnet").map(decode_jsonnet).unwrap_or_default(),
    };
    fields.finish();
    directory
}

fn decode_jsonnet(mut fields: Fields<'_>) -> Jsonnet {
    let jsonnet = Jsonnet {
        external_variables: fields.list("extVars").into_iter().map(decode_variable).collect(),
        top_level_arguments: fields.list("tlas").into_iter().map(decode_variable).collect(),
        libraries: fields.texts("libs"),
    };
    fields.finish();
    jsonnet
}

fn decode_variable(mut fields: Fields<'_>) -> JsonnetVariable {
    let variable = JsonnetVariable {
        name: fields.required_text("name"),
        value: fields.required_text("value"),
        code: fields.flag("code"),
    };
    fields.finish();
    variable
}
