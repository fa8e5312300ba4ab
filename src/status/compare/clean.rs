//! Takes off an object what is not git's to say: what the server keeps for itself, the status, what was applied last.
//!
//! In: an object. Out: its value without these. A Secret's `stringData` is folded into `data`, as the server does.
//!
//! Rule: Argo CD gitops-engine/pkg/diff (`Normalize`, `NormalizeSecret`), util/argo/diff (`ignoreResourceStatusField: all`).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::object::Object;
use crate::object::annotations::LAST_APPLIED;

/// Metadata that the server keeps; the namespace pairs the objects and is never drift.
const SERVER_KEPT: [&str; 8] = [
    "managedFields",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// Whether a field of the object itself counts.
pub(super) fn counts(field: &str) -> bool {
    field != "status"
}

/// Whether a field of its metadata counts.
pub(super) fn metadata_counts(field: &str) -> bool {
    field != "namespace" && !SERVER_KEPT.contains(&field)
}

/// Whether an annotation counts.
pub(super) fn annotation_counts(name: &str) -> bool {
    name != LAST_APPLIED
}

/// The object's value, without what never counts; its namespace stays.
pub(super) fn cleaned(object: &Object) -> Value {
    let mut value = folded(object).into_owned();
    value.remove("status");
    if let Some(Value::Object(metadata)) = value.get_mut("metadata") {
        for field in SERVER_KEPT {
            metadata.remove(field);
        }
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations")
            && annotations.remove(LAST_APPLIED).is_some()
            && annotations.is_empty()
        {
            metadata.remove("annotations");
        }
    }
    Value::Object(value)
}

/// The object's value with `stringData` folded into `data`; copied only where there is something to fold.
pub(super) fn folded(object: &Object) -> Cow<'_, Map<String, Value>> {
    let value = object.value();
    let foldable = object.api_version() == "v1"
        && object.kind() == "Secret"
        && matches!(value.get("data"), None | Some(Value::Null | Value::Object(_)))
        && matches!(value.get("stringData"), Some(Value::Object(texts)) if texts.values().all(is_text));
    if !foldable {
        return Cow::Borrowed(value);
    }
    let mut value = value.clone();
    let texts = value.remove("stringData");
    let data = value.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    if let (Some(Value::Object(texts)), Value::Object(data)) = (texts, data) {
        for (name, text) in texts {
            // A null decodes to the empty text, as Go does.
            let bytes = text.as_str().unwrap_or_default();
            data.insert(name, Value::String(STANDARD.encode(bytes)));
        }
    }
    Cow::Owned(value)
}

fn is_text(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Null)
}
