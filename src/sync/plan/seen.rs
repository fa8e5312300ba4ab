//! What a live object was when the plan was made.
//!
//! In: a live object. Out: its [`Seen`]: two objects with the same one are the same for a sync. Of a Secret only its
//! `resourceVersion` goes in: a saved plan must hold nothing that a password could be tried against.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::object::Object;
use crate::object::annotations::SYNC_OPTIONS;

/// The state of a live object when the plan was made; a plan is not executed on something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `metadata.uid`.
    pub uid: String,
    /// A fingerprint of all that a sync would change or depend on: not the status, not what the server counts up. Of a
    /// Secret, its `resourceVersion`.
    pub fingerprint: String,
    /// Its annotation with sync options: what it says of being pruned or deleted.
    pub sync_options: String,
}

/// Metadata that the server counts up, or that has its own place in [`Seen`].
const UNCOUNTED: [&str; 5] = ["resourceVersion", "generation", "selfLink", "creationTimestamp", "uid"];

impl Seen {
    /// The parts of a live object to record.
    pub fn of(live: &Object) -> Self {
        let text = |name: &str| {
            let value = live.metadata().and_then(|metadata| metadata.get(name)).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let is_secret = live.kind() == "Secret" && live.api_version() == "v1";
        let fingerprint = if is_secret { text("resourceVersion") } else { fingerprint(live) };
        let sync_options = live.annotation(SYNC_OPTIONS).unwrap_or_default().to_owned();
        Self { uid: text("uid"), fingerprint, sync_options }
    }
}

fn fingerprint(live: &Object) -> String {
    let mut value = live.value().clone();
    value.remove("status");
    if let Some(Value::Object(metadata)) = value.get_mut("metadata") {
        metadata.retain(|name, _| !UNCOUNTED.contains(&name.as_str()));
        if let Some(Value::Array(entries)) = metadata.get_mut("managedFields") {
            entries.retain(|entry| !is_of_subresource(entry));
            entries.iter_mut().filter_map(Value::as_object_mut).for_each(|entry| {
                entry.remove("time");
            });
        }
    }
    // Maps are sorted, so equal values have one text; values with text keys cannot fail.
    let bytes = serde_json::to_vec::<Map<String, Value>>(&value).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(&blake3::hash(&bytes).as_bytes()[..16])
}

/// The status, and what autoscalers do: kubelets and controllers write there all the time.
fn is_of_subresource(entry: &Value) -> bool {
    entry.get("subresource").and_then(Value::as_str).is_some_and(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(kind: &str, change: impl Fn(&mut Value)) -> Seen {
        let mut live = json!({
            "apiVersion": "v1", "kind": kind, "data": {"a": "MQ=="}, "status": {"ready": 1},
            "metadata": {"name": "a", "uid": "1", "resourceVersion": "7", "generation": 3, "managedFields": [
                {"manager": "trueup", "operation": "Apply", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:data": {}}},
            ]},
        });
        change(&mut live);
        Seen::of(&Object::new(live).unwrap())
    }

    #[test]
    fn an_object_is_another_one_when_something_that_a_sync_depends_on_moved() {
        type Case<'c> = (&'c str, &'c dyn Fn(&mut Value), bool);
        let cases: [Case<'_>; 9] = [
            ("nothing", &|_| {}, false),
            ("the status", &|live| live["status"]["ready"] = json!(2), false),
            ("the version", &|live| live["metadata"]["resourceVersion"] = json!("8"), false),
            ("the generation", &|live| live["metadata"]["generation"] = json!(4), false),
            ("the time of an apply", &|live| live["metadata"]["managedFields"][0]["time"] = json!("x"), false),
            ("a value", &|live| live["data"]["a"] = json!("Mg=="), true),
            ("a label", &|live| live["metadata"]["labels"] = json!({"a": "b"}), true),
            ("who holds it", &|live| live["metadata"]["managedFields"][0]["manager"] = json!("kubectl"), true),
            ("it is a new one of the same name", &|live| live["metadata"]["uid"] = json!("2"), true),
        ];
        for (name, change, is_another) in cases {
            assert_eq!(seen("ConfigMap", change) != seen("ConfigMap", |_| {}), is_another, "{name}");
        }
        let by_kubelet = json!({"manager": "kubelet", "subresource": "status", "fieldsV1": {}});
        let other = seen("ConfigMap", |live| {
            live["metadata"]["managedFields"].as_array_mut().unwrap().push(by_kubelet.clone());
        });
        assert_eq!(other, seen("ConfigMap", |_| {}));
    }

    /// Whoever reads a saved plan has nothing to try passwords against.
    #[test]
    fn nothing_of_a_secrets_content_is_seen() {
        let value = |value: &'static str| seen("Secret", move |live| live["data"]["a"] = json!(value));
        assert_eq!(value("MQ=="), value("Mg=="));
        assert_ne!(value("MQ=="), seen("Secret", |live| live["metadata"]["resourceVersion"] = json!("8")));
    }
}
