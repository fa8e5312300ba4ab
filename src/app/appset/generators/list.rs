//! `list`: the parameters are written out. Numbers are floats, as JSON gives them to Go.

use serde_json::Value as Json;

use super::super::World;
use super::super::language::parse_yaml;
use super::super::params::Params;
use super::answer::{Result, failed};
use crate::gotemplate::{Map, Text, Value};

pub(super) fn params(options: &Json, place: &str, world: &World<'_>) -> Result<Vec<Params>> {
    let mut all = Vec::new();
    for element in options.get("elements").and_then(Json::as_array).into_iter().flatten() {
        let Json::Object(element) = element else {
            return failed(place, "error unmarshling list element: it is not a map");
        };
        let Value::Map(params) = Value::from_json(&Json::Object(element.clone())) else { continue };
        all.push(if world.language.is_go() { params } else { texts_only(&params, place)? });
    }
    let yaml = options.get("elementsYaml").and_then(Json::as_str).unwrap_or_default();
    if !yaml.is_empty() {
        let elements = parse_yaml(yaml).or_else(|cause| failed(place, format!("`elementsYaml`: {cause}")))?;
        let Json::Array(elements) = elements else { return failed(place, "`elementsYaml` is not a list") };
        for element in &elements {
            match Value::from_json(element) {
                Value::Map(params) => all.push(params),
                Value::Nil => all.push(Map::new()),
                _ => return failed(place, "`elementsYaml` holds what is not a map"),
            }
        }
    }
    Ok(all)
}

/// Without Go templates a parameter is text, or a text of `values`.
fn texts_only(element: &Params, place: &str) -> Result<Params> {
    let params = Map::new();
    for (key, value) in element.entries() {
        match value {
            Value::Text(_) => params.insert(key, value),
            Value::Map(values) if key.bytes() == b"values" => {
                for (key, value) in values.entries() {
                    if !matches!(value, Value::Text(_)) {
                        return failed(place, format!("error parsing value as string: `values.{}`", key.lossy()));
                    }
                    params.insert(Text::from(format!("values.{}", key.lossy())), value);
                }
            }
            _ => return failed(place, format!("error parsing value as string: `{}`", key.lossy())),
        }
    }
    Ok(params)
}
