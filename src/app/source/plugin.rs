//! `source.plugin`: a config management plugin, and what it is given.

use std::collections::BTreeMap;

use super::super::fields::Fields;

/// `source.plugin`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plugin {
    /// `name`; empty means that the plugins are asked which of them fits.
    pub name: String,
    /// `env`.
    pub environment: Vec<EnvironmentVariable>,
    /// `parameters`.
    pub parameters: Vec<PluginParameter>,
}

/// One of `plugin.env`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentVariable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// One of `plugin.parameters`. An empty text, map or list is not the same as none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginParameter {
    /// Its name.
    pub name: String,
    /// Its value as text.
    pub string: Option<String>,
    /// Its value as a map.
    pub map: Option<BTreeMap<String, String>>,
    /// Its value as a list.
    pub array: Option<Vec<String>>,
}

pub(super) fn decode(mut fields: Fields<'_>) -> Plugin {
    let plugin = Plugin {
        name: fields.text("name"),
        environment: fields.list("env").into_iter().map(decode_variable).collect(),
        parameters: fields.list("parameters").into_iter().map(decode_parameter).collect(),
    };
    fields.finish();
    plugin
}

fn decode_variable(mut fields: Fields<'_>) -> EnvironmentVariable {
    let variable = EnvironmentVariable { name: fields.required_text("name"), value: fields.required_text("value") };
    fields.finish();
    variable
}

fn decode_parameter(mut fields: Fields<'_>) -> PluginParameter {
    let parameter = PluginParameter {
        name: fields.text("name"),
        string: fields.given_text("string"),
        map: fields.is_given("map").then(|| fields.text_map("map")),
        array: fields.is_given("array").then(|| fields.texts("array")),
    };
    fields.know(&["map", "array"]);
    fields.finish();
    parameter
}
