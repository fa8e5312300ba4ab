//! `spec.templatePatch`: a strategic merge patch onto the generated Application.
//!
//! Maps are merged, `null` removes, lists replace, but finalizers are united; `$patch` directives work; `spec.project`
//! cannot change. Rule: apimachinery strategicpatch with Argo CD's Application type, which has no other merge keys.

use serde_json::{Map as Json, Value, json};

use super::language::parse_yaml;

/// Merges the text of a patch; an empty one changes nothing.
pub(super) fn apply(application: &mut Value, text: &str) -> Result<(), String> {
    let patch = match parse_yaml(text).map_err(|cause| format!("the patch is not YAML: {cause}"))? {
        Value::Null => return Ok(()),
        Value::Object(patch) => patch,
        _ => return Err("the patch is not a map".to_owned()),
    };
    let project = application.pointer("/spec/project").cloned();
    if let Value::Object(target) = application {
        merge(target, &patch, &[])?;
    }
    // A patch that clears `spec` clears all but the project.
    if let Value::Object(target) = application {
        let spec = target.entry("spec").or_insert_with(|| json!({}));
        if let Some(spec) = spec.as_object_mut() {
            spec.remove("project");
            spec.extend(project.map(|project| ("project".to_owned(), project)));
        }
    }
    Ok(())
}

fn merge(target: &mut Json<String, Value>, patch: &Json<String, Value>, place: &[&str]) -> Result<(), String> {
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            *target = patch
                .iter()
                .filter(|(key, _)| *key != "$patch")
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            return Ok(());
        }
        Some("delete") => {
            target.clear();
            return Ok(());
        }
        Some("merge") | None => {}
        Some(other) => return Err(format!("unknown patch type: {other}")),
    }
    for (key, value) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        let mut below = place.to_vec();
        below.push(key);
        match (target.get_mut(key), value) {
            (_, Value::Null) => {
                target.remove(key);
            }
            (Some(Value::Object(_) | Value::Array(_)), Value::Object(_) | Value::Array(_)) if is_in_values(place) => {
                return Err(format!("unable to find api field in struct RawExtension for the json field {key:?}"));
            }
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new, &below)?,
            (Some(Value::Array(old)), Value::Array(new)) if below == ["metadata", "finalizers"] => unite(old, new),
            _ => {
                target.insert(key.clone(), without_nulls(value));
            }
        }
    }
    Ok(())
}

/// Inside of `helm.valuesObject`, which has no fields that a strategic merge knows.
fn is_in_values(place: &[&str]) -> bool {
    place.contains(&"valuesObject")
}

/// A patch's values come first, as in the API server's own merge of sets.
fn unite(old: &mut Vec<Value>, new: &[Value]) {
    for value in new {
        if !old.contains(value) {
            old.push(value.clone());
        }
    }
}

/// Values that a patch adds have no directives and no nulls.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, value)| !value.is_null() && !key.starts_with("$patch"));
            kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect::<Json<_, _>>().into()
        }
        Value::Array(items) => json!(items.iter().map(without_nulls).collect::<Vec<_>>()),
        _ => value.clone(),
    }
}
