//! What a plugin's programs find in their environment.
//!
//! In: the source, and what its cluster serves. Out: the build environment, the cluster's version and kinds, and the source's
//! `plugin.env` and `plugin.parameters`.
//!
//! Rules: Argo CD reposerver/repository/repository.go `getPluginEnvs`; types.go `ApplicationSourcePluginParameters.Environ`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::app::source::{Plugin, PluginParameter};
use crate::object::Kinds;
use crate::render::RenderInput;

pub(super) fn variables(input: &RenderInput<'_>) -> Vec<(String, String)> {
    let environment = input
        .environment()
        .with("KUBE_VERSION", input.kinds.server_version.trim_start_matches('v').to_owned())
        .with("KUBE_API_VERSIONS", api_versions(input.kinds));
    let mut variables: Vec<(String, String)> =
        environment.variables().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if let Some(plugin) = &input.source.plugin {
        let own = plugin.environment.iter();
        variables.extend(own.map(|own| (format!("ARGOCD_ENV_{}", own.name), environment.expand(&own.value))));
        variables.extend(parameters(plugin));
    }
    variables
}

/// The cluster's API versions: each group's version, alone and with each of its kinds.
fn api_versions(kinds: &Kinds) -> String {
    let mut versions = BTreeSet::new();
    for facts in kinds.iter_all() {
        let version = facts.gvk.api_version();
        versions.insert(format!("{version}/{}", facts.gvk.kind));
        versions.insert(version);
    }
    Vec::from_iter(versions).join(",")
}

fn parameters(plugin: &Plugin) -> Vec<(String, String)> {
    // Quirk: Go writes a list that was never made as `null`.
    let all = match plugin.parameters.as_slice() {
        [] => Value::Null,
        parameters => parameters.iter().map(value_of).collect(),
    };
    let mut variables = vec![("ARGOCD_APP_PARAMETERS".to_owned(), all.to_string())];
    for parameter in &plugin.parameters {
        let name = format!("PARAM_{}", escaped(&parameter.name));
        if let Some(text) = &parameter.string {
            variables.push((name.clone(), text.clone()));
        }
        for (key, value) in parameter.map.iter().flatten() {
            variables.push((format!("{name}_{}", escaped(key)), value.clone()));
        }
        for (index, value) in parameter.array.iter().flatten().enumerate() {
            variables.push((format!("{name}_{index}"), value.clone()));
        }
    }
    variables
}

fn value_of(parameter: &PluginParameter) -> Value {
    let mut fields = Map::from_iter([("name".to_owned(), json!(parameter.name))]);
    let given = [
        ("string", parameter.string.as_ref().map(|text| json!(text))),
        ("map", parameter.map.as_ref().map(|map| json!(map))),
        ("array", parameter.array.as_ref().map(|array| json!(array))),
    ];
    fields.extend(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Value::Object(fields)
}

/// Rule: upper case, and `_` for whatever is no letter, digit or `_`.
fn escaped(name: &str) -> String {
    let upper = name.to_uppercase();
    upper.chars().map(|letter| if matches!(letter, 'A'..='Z' | '0'..='9' | '_') { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Argo CD's documentation, "Config Management Plugins", section "Using environment variables".
    #[test]
    fn parameters_are_variables_as_documented() {
        let plugin = Plugin {
            parameters: vec![
                PluginParameter {
                    name: "values-files".to_owned(),
                    array: Some(vec!["values-dev.yaml".to_owned()]),
                    ..PluginParameter::default()
                },
                PluginParameter {
                    name: "helm-parameters".to_owned(),
                    map: Some([("image.tag".to_owned(), "v1.2.3".to_owned())].into()),
                    ..PluginParameter::default()
                },
                PluginParameter { name: "text".to_owned(), string: Some(String::new()), ..PluginParameter::default() },
            ],
            ..Plugin::default()
        };
        let expected = [
            (
                "ARGOCD_APP_PARAMETERS",
                r#"[{"array":["values-dev.yaml"],"name":"values-files"},{"map":{"image.tag":"v1.2.3"},"name":"helm-parameters"},{"name":"text","string":""}]"#,
            ),
            ("PARAM_VALUES_FILES_0", "values-dev.yaml"),
            ("PARAM_HELM_PARAMETERS_IMAGE_TAG", "v1.2.3"),
            ("PARAM_TEXT", ""),
        ];
        let expected: Vec<(String, String)> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(parameters(&plugin), expected);
        assert_eq!(parameters(&Plugin::default()), [("ARGOCD_APP_PARAMETERS".to_owned(), "null".to_owned())]);
    }
}
