//! A field's path as people say it: list items by their key, not by their number.
//!
//! `/spec/template/spec/containers/0/image` is `spec.template.spec.containers[web].image`.

use serde_json::{Map, Value};

use crate::object::yaml;
use crate::status::{FieldDrift, ResourceDrift};

/// The path of a field, in words of the object that has it.
pub(in crate::report) fn path(field: &FieldDrift, resource: &ResourceDrift) -> String {
    let mut text = String::new();
    let mut values = [resource.live.as_ref(), resource.target.as_ref()];
    for token in field.path.tokens() {
        let list_item = values.iter().flatten().any(|value| value.is_array());
        values = values.map(|value| step(value?, token));
        if list_item {
            text.push('[');
            text.push_str(&item_name(values, field.item.as_ref()).unwrap_or_else(|| token.clone()));
            text.push(']');
        } else if token.is_empty() || token.contains(['.', '[', ']', '"', '/', ' ']) {
            text.push_str("[\"");
            text.push_str(token);
            text.push_str("\"]");
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(token);
        }
    }
    if text.is_empty() { "the whole object".to_owned() } else { text }
}

fn step<'value>(value: &'value Value, token: &str) -> Option<&'value Value> {
    match value {
        Value::Object(map) => map.get(token),
        Value::Array(list) => list.get(token.parse::<usize>().ok()?),
        _ => None,
    }
}

/// The name of a list item: by its merge keys where they are known, else by its name.
fn item_name(values: [Option<&Value>; 2], keys: Option<&Map<String, Value>>) -> Option<String> {
    let item = values.into_iter().flatten().next()?.as_object()?;
    let named = |keys: &Map<String, Value>| keys.iter().all(|(key, value)| item.get(key) == Some(value));
    match keys {
        Some(keys) if !keys.is_empty() && named(keys) => Some(match keys.values().next() {
            Some(value) if keys.len() == 1 => short(value),
            _ => keys.iter().map(|(key, value)| format!("{key}={}", short(value))).collect::<Vec<_>>().join(","),
        }),
        _ => item.get("name").and_then(Value::as_str).map(str::to_owned),
    }
}

/// A value that fits on one line, as YAML or as compact JSON, of no more than `limit` characters; `unset` for no value.
pub(in crate::report) fn one_line(value: Option<&Value>, limit: usize) -> Option<String> {
    let Some(value) = value else { return Some("unset".to_owned()) };
    let text = match value {
        Value::Array(items) if !items.is_empty() => value.to_string(),
        Value::Object(fields) if !fields.is_empty() => value.to_string(),
        scalar => yaml::write(scalar).trim_end_matches('\n').to_owned(),
    };
    let is_collection = value.is_array() || value.is_object();
    let limit = if is_collection { limit / 2 } else { limit };
    (!text.contains('\n') && text.chars().count() <= limit).then_some(text)
}

/// A value in one line: text as it is, everything else as JSON.
pub(in crate::report) fn short(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::object::Pointer;
    use crate::report::drift::fixture::resource;
    use crate::status::{GitSinceSync, Moved, ResourceState};

    #[test]
    fn a_path_names_list_items_by_their_key() {
        let value = json!({
            "metadata": { "annotations": { "shop.example.com/owner": "web" } },
            "data": { "80": "a port", "app.properties": "" },
            "spec": {
                "ports": [{ "containerPort": 80, "protocol": "TCP" }],
                "containers": [{ "name": "web", "args": ["-v"] }, { "image": "x" }],
            },
        });
        for (pointer, item, expected) in [
            ("", json!({}), "the whole object"),
            ("/spec/containers/0/image", json!({ "name": "web" }), "spec.containers[web].image"),
            ("/spec/containers/0/args/0", json!({ "name": "web" }), "spec.containers[web].args[0]"),
            ("/spec/containers/0/image", json!({}), "spec.containers[web].image"),
            ("/spec/containers/1/image", json!({}), "spec.containers[1].image"),
            ("/spec/containers/2", json!({}), "spec.containers[2]"),
            (
                "/spec/ports/0/hostPort",
                json!({ "containerPort": 80, "protocol": "TCP" }),
                "spec.ports[containerPort=80,protocol=TCP].hostPort",
            ),
            (
                "/metadata/annotations/shop.example.com~1owner",
                json!({}),
                "metadata.annotations[\"shop.example.com/owner\"]",
            ),
            ("/data/80", json!({}), "data.80"),
            ("/data/app.properties", json!({}), "data[\"app.properties\"]"),
        ] {
            let mut resource = resource("web", ResourceState::Changed);
            resource.live = Some(value.clone());
            resource.target = None;
            let field = FieldDrift {
                moved: Moved::Unknown,
                last_synced: None,
                git_since_sync: GitSinceSync::Unknown,
                path: Pointer::parse(pointer).unwrap(),
                git: None,
                live: None,
                item: item.as_object().filter(|item| !item.is_empty()).cloned(),
                managers: Vec::new(),
            };
            assert_eq!(path(&field, &resource), expected, "{pointer}");
        }
    }
}
