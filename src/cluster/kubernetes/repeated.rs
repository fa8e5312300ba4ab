//! Whether a write that had no answer was done: compares what was sent with what is there.
//!
//! In: the live object, what was sent. Out: whether the one holds the other; the server's own additions around it do not
//! matter. Where it writes a value in another way, the answer is no, and the second attempt's refusal stands.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::object::Object;

/// Whether a live object holds everything that was sent.
pub(super) fn holds(live: &Object, sent: &Value) -> bool {
    let Value::Object(sent) = sent else { return false };
    sent.iter().all(|(field, value)| match (field.as_str(), value) {
        // The server never gives it back.
        ("stringData", Value::Object(texts)) => holds_texts(live.value().get("data"), texts),
        ("metadata", Value::Object(metadata)) => metadata
            .iter()
            .filter(|(field, _)| !matches!(field.as_str(), "resourceVersion" | "generateName"))
            .all(|(field, value)| contains(live.metadata().and_then(|metadata| metadata.get(field)), value)),
        ("status", _) => true,
        _ => contains(live.value().get(field), value),
    })
}

fn holds_texts(data: Option<&Value>, texts: &Map<String, Value>) -> bool {
    texts.iter().all(|(key, text)| {
        let encoded = text.as_str().map(|text| Value::String(STANDARD.encode(text)));
        encoded.is_some() && data.and_then(|data| data.get(key)) == encoded.as_ref()
    })
}

fn contains(live: Option<&Value>, sent: &Value) -> bool {
    match (live, sent) {
        (_, Value::Null) => true,
        (None, Value::Object(map)) => map.is_empty(),
        (None, Value::Array(list)) => list.is_empty(),
        (Some(Value::Object(live)), Value::Object(sent)) => {
            sent.iter().all(|(field, value)| contains(live.get(field), value))
        }
        (Some(Value::Array(live)), Value::Array(sent)) => {
            live.len() == sent.len() && live.iter().zip(sent).all(|(live, sent)| contains(Some(live), sent))
        }
        (live, sent) => live == Some(sent),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_server_adds_does_not_matter_and_what_it_changes_does() {
        let live = Object::new(json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": { "name": "web", "namespace": "shop", "uid": "1", "resourceVersion": "8" },
            "data": { "password": "aHVudGVyMg==" },
            "list": [{ "name": "a", "default": 1 }],
        }))
        .unwrap();
        let sent = |fields: Value| {
            let mut sent = json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "web", "resourceVersion": "7", "labels": {} },
            });
            sent.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            sent
        };
        for (fields, expected) in [
            (json!({}), true),
            (json!({ "stringData": { "password": "hunter2" } }), true),
            (json!({ "stringData": { "password": "other" } }), false),
            (json!({ "data": { "password": "aHVudGVyMg==" } }), true),
            (json!({ "data": { "password": "" } }), false),
            (json!({ "list": [{ "name": "a" }] }), true),
            (json!({ "list": [{ "name": "a" }, { "name": "b" }] }), false),
            (json!({ "other": [], "nothing": null }), true),
            (json!({ "other": 1 }), false),
        ] {
            assert_eq!(holds(&live, &sent(fields.clone())), expected, "{fields}");
        }
    }
}
