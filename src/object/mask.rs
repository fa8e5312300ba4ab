//! Hides what a Secret holds, and still shows whether two values are equal: same value, same mask.
//!
//! In: values, one after the other, of what is shown side by side. Out: the same values with every datum of a Secret
//! replaced by `+` signs, whose number tells different values apart and nothing else.
//!
//! Rule: Argo CD gitops-engine/pkg/diff `HideSecretData`: eight signs, four more for each further value. Argo CD counts
//! anew for each key; here one count serves all, so that the same mask never hides different values.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::annotations::LAST_APPLIED;

/// Masks what is shown together, such as the two sides of one resource.
#[derive(Default)]
pub struct Masker {
    seen: HashMap<String, usize>,
}

impl std::fmt::Debug for Masker {
    /// Only how many values it has seen.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Masker").field("seen", &self.seen.len()).finish()
    }
}

/// A piece of a secret this long, found in a text, gives it away.
const PIECE: usize = 6;

impl Masker {
    /// The value with the data of Secrets masked; Secrets inside of Lists too.
    #[must_use]
    pub fn masked(&mut self, mut value: Value) -> Value {
        self.mask(&mut value);
        value
    }

    /// Masks the data of Secrets in place.
    pub fn mask(&mut self, value: &mut Value) {
        let Value::Object(object) = value else { return };
        if is_secret(object) {
            for field in ["data", "stringData"] {
                if let Some(data) = object.get_mut(field) {
                    self.mask_data(data);
                }
            }
            let last = object.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
            if let Some(last) = last.and_then(|annotations| annotations.get_mut(LAST_APPLIED)) {
                self.mask_datum(last);
            }
        } else if object.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"))
            && let Some(Value::Array(items)) = object.get_mut("items")
        {
            for item in items {
                self.mask(item);
            }
        }
    }

    /// Whether a text quotes a piece of a value that was masked here, as it is or decoded.
    pub fn would_reveal(&self, text: &str) -> bool {
        self.seen.keys().any(|value| {
            let decoded = STANDARD.decode(value).unwrap_or_default();
            quotes(text, value.as_bytes()) || quotes(text, &decoded)
        })
    }

    fn mask_data(&mut self, data: &mut Value) {
        match data {
            Value::Object(data) => data.values_mut().for_each(|datum| self.mask_datum(datum)),
            Value::Null => {}
            // Not what a Secret can hold, and still nobody's business.
            other => self.mask_datum(other),
        }
    }

    fn mask_datum(&mut self, datum: &mut Value) {
        let text = match &*datum {
            Value::Null => return,
            Value::String(text) => text.clone(),
            // Not text, and so never equal to a text that reads the same.
            other => format!("{other}\0"),
        };
        let next = self.seen.len();
        let number = *self.seen.entry(text).or_insert(next);
        *datum = Value::String("+".repeat(8 + 4 * number));
    }
}

fn is_secret(object: &Map<String, Value>) -> bool {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    text("kind") == "Secret" && !text("apiVersion").contains('/')
}

fn quotes(text: &str, secret: &[u8]) -> bool {
    let length = secret.len().min(PIECE);
    length > 0 && secret.windows(length).any(|piece| text.as_bytes().windows(length).any(|window| window == piece))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn secret(data: &Value) -> Value {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "data": data})
    }

    fn datum(value: &Value, name: &str) -> String {
        value["data"][name].as_str().unwrap().to_owned()
    }

    /// A rotated password is seen as changed, one that stayed as the same, and neither is read.
    #[test]
    fn the_same_value_has_the_same_mask_on_both_sides() {
        let mut masker = Masker::default();
        let live = masker.masked(secret(&json!({"password": "b2xk", "user": "YWRtaW4="})));
        let git = masker.masked(secret(&json!({"password": "bmV3", "user": "YWRtaW4="})));
        assert_eq!(datum(&live, "user"), datum(&git, "user"));
        assert_ne!(datum(&live, "password"), datum(&git, "password"));
        assert_eq!(datum(&live, "password"), "+".repeat(8));
        assert_eq!(datum(&git, "password"), "+".repeat(16));
    }

    #[test]
    fn only_what_a_secret_holds_is_masked() {
        let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}});
        assert_eq!(Masker::default().masked(config.clone()), config);
        let sealed = json!({"apiVersion": "bitnami.com/v1", "kind": "Secret", "data": {"a": "b"}});
        assert_eq!(Masker::default().masked(sealed.clone()), sealed);
        let masked = Masker::default().masked(secret(&json!({"a": "b", "none": null})));
        assert_eq!(masked["metadata"]["name"], "key");
        assert_eq!(masked["data"], json!({"a": "++++++++", "none": null}));
    }

    #[test]
    fn secrets_in_lists_last_applied_and_malformed_ones_are_masked() {
        let mut value = secret(&json!({"a": "swordfish"}));
        value["stringData"] = json!({"b": "swordfish", "number": 12_345_678});
        value["metadata"]["annotations"] = json!({LAST_APPLIED: "{\"stringData\":{\"b\":\"swordfish\"}}"});
        let malformed = secret(&json!(["swordfish"]));
        for kind in ["List", "SecretList"] {
            let list = json!({"apiVersion": "v1", "kind": kind, "items": [value, malformed]});
            let text = Masker::default().masked(list).to_string();
            assert!(!text.contains("swordfish") && !text.contains("12345678"), "{text}");
        }
    }

    #[test]
    fn words_that_quote_a_value_are_known() {
        let mut masker = Masker::default();
        masker.mask(&mut secret(&json!({"password": "c3dvcmRmaXNo", "pin": "1"})));
        for words in ["invalid value: \"swordfish\"", "c3dvcmRmaXNo is odd", "starts with swordf", "pin 1"] {
            assert!(masker.would_reveal(words), "{words}");
        }
        assert!(!masker.would_reveal("field is immutable"));
    }

    proptest! {
        #[test]
        fn masks_tell_values_apart_and_nothing_else(values in prop::collection::vec("[a-z]{0,20}", 1..12)) {
            let mut masker = Masker::default();
            let masks: Vec<String> =
                values.iter().map(|value| datum(&masker.masked(secret(&json!({"a": value}))), "a")).collect();
            for (value, mask) in values.iter().zip(&masks) {
                for (other, other_mask) in values.iter().zip(&masks) {
                    prop_assert_eq!(value == other, mask == other_mask);
                }
                prop_assert!(mask.chars().all(|sign| sign == '+'));
            }
        }
    }
}
