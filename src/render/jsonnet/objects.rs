//! The value of a program becomes objects.
//!
//! In: a value, and the program's file. Out: its objects: the value itself, or those that its lists and maps hold, however deep;
//! Lists are unfolded by the caller.
//!
//! Rules: Argo CD `findManifests` takes an object or a list of objects, and passes over `null`. Kubecfg, Tanka and ksonnet, from which
//! such programs come, also take maps of objects and lists of lists; Argo CD refuses those, so nothing can differ from it.

use serde_json::Value;

use super::JsonnetError;
use crate::object::{Pointer, type_name};

/// The objects in the value, in its own order; maps are in the order of their keys.
pub(in crate::render) fn objects(value: Value, file: &str) -> Result<Vec<Value>, JsonnetError> {
    let mut found = Vec::new();
    walk(value, &Pointer::root(), file, &mut found)?;
    Ok(found)
}

fn walk(value: Value, place: &Pointer, file: &str, found: &mut Vec<Value>) -> Result<(), JsonnetError> {
    match value {
        Value::Null => Ok(()),
        Value::Array(items) => {
            items.into_iter().enumerate().try_for_each(|(index, item)| walk(item, &place.index(index), file, found))
        }
        Value::Object(fields) if fields.contains_key("apiVersion") || fields.contains_key("kind") => {
            found.push(Value::Object(fields));
            Ok(())
        }
        Value::Object(fields) => {
            fields.into_iter().try_for_each(|(name, value)| walk(value, &place.child(name.as_str()), file, found))
        }
        other => Err(JsonnetError::Value {
            file: file.to_owned(),
            place: if place == &Pointer::root() { "its value".to_owned() } else { format!("`{}`", place.dotted()) },
            found: type_name(&other),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Values that kubecfg and Tanka accept, and that Argo CD refuses.
    #[test]
    fn objects_are_found_however_deep_they_lie() {
        let map = |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
        for (case, value, expected) in [
            ("an object", map("a"), vec![map("a")]),
            ("a list", json!([map("b"), map("a"), null]), vec![map("b"), map("a")]),
            ("nothing", json!(null), vec![]),
            ("a map of objects", json!({"b": map("b"), "a": map("a")}), vec![map("a"), map("b")]),
            ("lists of lists", json!([[map("a")], [[map("b")]]]), vec![map("a"), map("b")]),
            ("maps of maps", json!({"web": {"config": map("a"), "more": [map("b")]}}), vec![map("a"), map("b")]),
        ] {
            assert_eq!(objects(value, "a.jsonnet").unwrap(), expected, "{case}");
        }
        for (value, expected) in [
            (json!("text"), "`a.jsonnet` returns no objects: its value is text"),
            (json!({"web": {"replicas": 2}}), "`a.jsonnet` returns no objects: `web.replicas` is a number"),
            (json!([true]), "`a.jsonnet` returns no objects: `[0]` is a boolean"),
        ] {
            assert_eq!(objects(value, "a.jsonnet").unwrap_err().to_string(), expected);
        }
    }
}
