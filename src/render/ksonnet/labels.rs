//! The label that says which component an object comes from.
//!
//! In: a component's value and its name. Out: the same value, each of its objects labelled.
//!
//! Rules: ksonnet pkg/pipeline/pipeline.go `labelComponents`; pkg/env/env.go `upgradeArray`, which makes a list of objects a `v1` List.

use serde_json::{Map, Value, json};

const COMPONENT: &str = "ksonnet.io/component";

/// Labels every object in a component's value; those of a `v1` List are its items.
pub(super) fn label(value: &mut Value, component: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| label(item, component)),
        Value::Object(fields) if is_list(fields) => {
            let items = fields.get_mut("items").and_then(Value::as_array_mut);
            for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
                label_object(item, component);
            }
        }
        Value::Object(fields) if fields.contains_key("apiVersion") || fields.contains_key("kind") => {
            label_object(fields, component);
        }
        // A map of objects: `ks` refuses it, here each of them is one.
        Value::Object(fields) => fields.values_mut().for_each(|value| label(value, component)),
        _ => {}
    }
}

fn is_list(object: &Map<String, Value>) -> bool {
    let is = |field: &str, text: &str| object.get(field).and_then(Value::as_str) == Some(text);
    is("apiVersion", "v1") && is("kind", "List")
}

/// A `metadata` or `labels` that is not a map is replaced, as `ks` does.
fn label_object(object: &mut Map<String, Value>, component: &str) {
    let mut metadata = taken(object, "metadata");
    let mut labels = taken(&mut metadata, "labels");
    labels.insert(COMPONENT.to_owned(), json!(component.trim_start_matches('/').replace('/', ".")));
    metadata.insert("labels".to_owned(), Value::Object(labels));
    object.insert("metadata".to_owned(), Value::Object(metadata));
}

fn taken(object: &mut Map<String, Value>, field: &str) -> Map<String, Value> {
    match object.get_mut(field).map(Value::take) {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_of_a_component_carries_its_name() {
        let labelled = |labels: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"labels": labels}});
        let expected = || labelled(json!({"ksonnet.io/component": "web"}));
        let list = |items: Value| json!({"apiVersion": "v1", "kind": "List", "items": items});
        for (case, mut value, expected) in [
            ("no metadata", json!({"apiVersion": "v1", "kind": "ConfigMap"}), expected()),
            ("labels without a value", labelled(json!(null)), expected()),
            (
                "labels of its own",
                labelled(json!({"app": "shop", "ksonnet.io/component": "old"})),
                labelled(json!({"app": "shop", "ksonnet.io/component": "web"})),
            ),
            ("a list", json!([labelled(json!({}))]), json!([expected()])),
            ("a List", list(json!([labelled(json!({}))])), list(json!([expected()]))),
            ("a map of objects", json!({"a": labelled(json!({}))}), json!({"a": expected()})),
            ("no object", json!("text"), json!("text")),
        ] {
            label(&mut value, "web");
            assert_eq!(value, expected, "{case}");
        }
        let mut value = json!({"kind": "ConfigMap"});
        label(&mut value, "/shop/web");
        assert_eq!(value["metadata"]["labels"]["ksonnet.io/component"], "shop.web");
    }
}
