//! What a live object was when the plan was made.
//!
//! In: a live object. Out: its [`Seen`]: two objects with the same one are the same for a sync. Of a Secret only its
//! `resourceVersion` goes in: a saved plan must hold nothing that a password could be tried against.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::step::Seen;
use crate::object::Object;

/// Metadata that the server counts up, or that has its own place in [`Seen`].
const UNCOUNTED: [&str; 5] = ["resourceVersion", "generation", "selfLink", "creationTimestamp", "uid"];

impl Seen {
    /// What is to be remembered of a live object.
    pub fn of(live: &Object) -> Self {
        let text = |name: &str| {
            let value = live.metadata().and_then(|metadata| metadata.get(name)).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let is_secret = live.kind() == "Secret" && live.api_version() == "v1";
        let fingerprint = if is_secret { text("resourceVersion") } else { fingerprint(live) };
        Self { uid: text("uid"), fingerprint }
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
