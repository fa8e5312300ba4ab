//! A Secret's `stringData`, which the server never keeps: it stores these texts as bytes in `data`.
//!
//! In: an object. Out: its value with the texts where the server puts them. Pure.
//!
//! Rule: Kubernetes pkg/registry/core/secret and pkg/apis/core/v1 `Convert_v1_Secret_To_core_Secret`.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::Object;

impl Object {
    /// The value with `stringData` folded into `data`; copied only where there is something to fold.
    pub fn folded(&self) -> Cow<'_, Map<String, Value>> {
        let value = self.value();
        let foldable = self.api_version() == "v1"
            && self.kind() == "Secret"
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
}

fn is_text(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Null)
}
