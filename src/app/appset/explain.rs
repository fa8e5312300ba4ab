//! `--explain`: which parameters the values of a generated Application come from, and which generator found each.
//!
//! A text of the template names its parameters; in Go templates, the field chains outside of strings are looked up among the
//! parameters, so a chain below `range` or `with` that begins with a parameter's name is taken for it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::params::{ParamSet, flattened};

/// Where an Application's values come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The place of the set of parameters among those of its generator, from 1.
    pub parameter_set: usize,
    /// The values that a template made, by field.
    pub values: Vec<ExplainedValue>,
}

/// One text of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedValue {
    /// The field, such as `spec.source.path`.
    pub field: String,
    /// The text of the template.
    pub template: String,
    /// The parameters that it names.
    pub parameters: Vec<ExplainedParameter>,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedParameter {
    /// The name, with dots between its parts.
    pub name: String,
    /// The value.
    pub value: String,
    /// The generator that found it, such as `generators[0].matrix.generators[1].list`.
    pub generator: String,
}

/// A string, which has no parameters in it, or a field chain.
static CHAIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#""(?:[^"\\]|\\.)*"|`[^`]*`|(?:^|[^\w.)\]])\$?\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)"#).ok()
});

/// Explains one Application.
pub(super) fn explain(
    template: &Value,
    patch: Option<&str>,
    set: &ParamSet,
    number: usize,
    is_go: bool,
) -> Explanation {
    let names = flattened(&set.params);
    let mut values = Vec::new();
    let mut texts = Vec::new();
    collect(template, String::new(), &mut texts);
    texts.extend(patch.map(|patch| ("spec.templatePatch".to_owned(), patch)));
    for (field, text) in texts.into_iter().filter(|(_, text)| text.contains("{{")) {
        let parameters = parameters(text, &names, set, is_go);
        values.push(ExplainedValue { field, template: text.to_owned(), parameters });
    }
    Explanation { parameter_set: number, values }
}

fn collect<'v>(value: &'v Value, field: String, texts: &mut Vec<(String, &'v str)>) {
    match value {
        Value::String(text) => texts.push((field, text)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| collect(item, format!("{field}[{index}]"), texts));
        }
        Value::Object(map) => {
            for (key, value) in map {
                let field = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
                collect(value, field, texts);
            }
        }
        _ => {}
    }
}

fn parameters(text: &str, names: &BTreeMap<String, String>, set: &ParamSet, is_go: bool) -> Vec<ExplainedParameter> {
    let mut found: Vec<&str> = Vec::new();
    for action in text.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap_or_default()) {
        let chains = if is_go { chains(action) } else { vec![action.trim()] };
        for chain in chains {
            let below = format!("{chain}.");
            let is_meant = |name: &&String| *name == chain || name.starts_with(&below);
            found.extend(names.keys().filter(is_meant).map(String::as_str));
        }
    }
    found.sort_unstable();
    found.dedup();
    let parameter = |name: &str| ExplainedParameter {
        name: name.to_owned(),
        value: names.get(name).cloned().unwrap_or_default(),
        generator: set.generator_of(name).to_owned(),
    };
    found.into_iter().map(parameter).collect()
}

fn chains(action: &str) -> Vec<&str> {
    let Some(pattern) = &*CHAIN else { return Vec::new() };
    pattern.captures_iter(action).filter_map(|captures| captures.get(1)).map(|chain| chain.as_str()).collect()
}
