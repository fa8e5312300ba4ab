//! A Secret's `stringData`, which the server never keeps: it stores these texts as bytes in `data`.
//!
//! In: an object. Out: its value with the texts where the server puts them. Pure.
//!
//! Rule: Kubernetes pkg/registry/core/secret and pkg/apis/core/v1 `Convert_v1_Secret_To_core_Secret`.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde_json::{Map, Value};

use super::Object;

/// Go's decoder wants padding, and does not look at the bits that it leaves over.
const AS_GO_DOES: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

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

impl Object {
    /// The values of a Secret that no server can read, by their fields, and why. Their contents are not among the words.
    ///
    /// Rule: Go's encoding/json reads `data` as `[]byte` (base64 with padding, line breaks passed over), `stringData` as text.
    pub fn unreadable_values(&self) -> Vec<(String, &'static str)> {
        if self.api_version() != "v1" || self.kind() != "Secret" {
            return Vec::new();
        }
        let of_field = |field: &'static str, fault: fn(&Value) -> Option<&'static str>| {
            let values = self.value().get(field).and_then(Value::as_object).into_iter().flatten();
            values.filter_map(move |(name, value)| Some((format!("{field}.{name}"), fault(value)?)))
        };
        of_field("data", fault_of_bytes).chain(of_field("stringData", fault_of_text)).collect()
    }
}

fn fault_of_bytes(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) => {
            let text: String = text.chars().filter(|letter| !['\r', '\n'].contains(letter)).collect();
            AS_GO_DOES.decode(text).is_err().then_some("is not base64")
        }
        // Go takes a list of numbers for bytes.
        Value::Null | Value::Array(_) => None,
        Value::Bool(_) => Some("is a boolean, not base64 text"),
        Value::Number(_) => Some("is a number, not base64 text"),
        Value::Object(_) => Some("is a map, not base64 text"),
    }
}

fn fault_of_text(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(_) | Value::Null => None,
        Value::Bool(_) => Some("is a boolean, not text; put it in quotes"),
        Value::Number(_) => Some("is a number, not text; put it in quotes"),
        Value::Array(_) => Some("is a list, not text"),
        Value::Object(_) => Some("is a map, not text"),
    }
}

fn is_text(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_that_no_server_reads_are_named_without_their_contents() {
        let faults = |kind: &str, fields: Value| {
            let mut value = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "login"}});
            value.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            Object::new(value).unwrap().unreadable_values()
        };
        // As `kubectl apply --dry-run=server` takes and refuses them.
        let fine = json!({
            "data": {"a": "c3dvcmRmaXNo", "empty": "", "null": null, "bits": "YR==", "lines": "c3dv\ncmRmaXNo\n"},
            "stringData": {"a": "anything", "null": null},
        });
        assert_eq!(faults("Secret", fine), []);
        let wrong = json!({
            "data": {"plain": "hunter2!", "unpadded": "YQ", "number": 1234},
            "stringData": {"port": 5432, "on": true},
        });
        let named = [
            ("data.number".to_owned(), "is a number, not base64 text"),
            ("data.plain".to_owned(), "is not base64"),
            ("data.unpadded".to_owned(), "is not base64"),
            ("stringData.on".to_owned(), "is a boolean, not text; put it in quotes"),
            ("stringData.port".to_owned(), "is a number, not text; put it in quotes"),
        ];
        assert_eq!(faults("Secret", wrong.clone()), named);
        assert_eq!(faults("ConfigMap", wrong), []);
    }
}
