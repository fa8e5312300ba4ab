//! Hides what a Secret holds, and still shows whether two values are equal: same value, same mask.
//!
//! In: values, one after the other, of what is shown side by side. Out: the same values with everything of a Secret but
//! its identity and metadata replaced by `+` signs, whose number distinguishes values and nothing else.
//!
//! Rule: Argo CD gitops-engine/pkg/diff `HideSecretData`: eight signs, four more for each further value. Argo CD counts
//! again for each key; here one count serves all, so that the same mask never hides different values.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::Object;
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

/// Fields of `metadata` that say which object it is and who manages it. Labels and annotations are looked at one by one.
const KNOWN_METADATA: [&str; 12] = [
    "name",
    "namespace",
    "generateName",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
    "labels",
    "annotations",
];

/// Lists of `metadata` that hold names and field paths, no values.
const KNOWN_LISTS: [&str; 3] = ["finalizers", "ownerReferences", "managedFields"];

/// Whether anything in an object is masked in reports: it is a Secret, holds one, or has a copy of one.
pub fn holds_secret(object: &Object) -> bool {
    let value = Value::Object(object.value().clone());
    Masker::default().masked(value.clone()) != value
}

impl Masker {
    /// The value with everything that a Secret holds masked; Secrets inside of Lists too.
    #[must_use]
    pub fn masked(&mut self, mut value: Value) -> Value {
        self.mask(&mut value);
        value
    }

    /// Masks everything of Secrets but their identity and metadata, in place.
    pub fn mask(&mut self, value: &mut Value) {
        let Value::Object(object) = value else { return };
        if is_secret(object) {
            return self.mask_secret(object);
        }
        let of_secrets = is_list_of_secrets(object);
        let Some(Value::Array(items)) = object.get_mut("items") else { return };
        for item in items {
            match item {
                // Items of a typed list leave out what the list says.
                Value::Object(item) if of_secrets && !item.contains_key("kind") => self.mask_secret(item),
                item => self.mask(item),
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

    fn mask_secret(&mut self, object: &mut Map<String, Value>) {
        for (field, value) in object.iter_mut() {
            match field.as_str() {
                "apiVersion" | "kind" => {}
                "metadata" => self.mask_metadata(value),
                "type" if is_type_of_secret(value) => {}
                "immutable" if value.is_boolean() => {}
                // Whatever it is called: a field that is misspelt holds what was to be in `data`.
                _ => self.mask_data(value),
            }
        }
    }

    fn mask_metadata(&mut self, metadata: &mut Value) {
        let Value::Object(metadata) = metadata else { return self.mask_data(metadata) };
        for (field, value) in metadata.iter_mut() {
            match (field.as_str(), &mut *value) {
                ("labels" | "annotations", Value::Object(entries)) => {
                    for (name, entry) in entries.iter_mut() {
                        let is_shown = entry.is_string() && (field == "labels" || is_public_annotation(name));
                        if !is_shown {
                            self.mask_datum(entry);
                        }
                    }
                }
                (field, Value::String(_) | Value::Number(_))
                    if KNOWN_METADATA.contains(&field) && !matches!(field, "labels" | "annotations") => {}
                (field, Value::Array(_)) if KNOWN_LISTS.contains(&field) => {}
                (_, value) => self.mask_data(value),
            }
        }
    }

    fn mask_data(&mut self, data: &mut Value) {
        match data {
            Value::Object(data) => data.values_mut().for_each(|datum| self.mask_datum(datum)),
            Value::Null => {}
            // Not what a Secret can hold, and still not to be shown.
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

/// Whether an object is a Secret of Kubernetes, however its kind is spelt. The group of a custom resource has a dot in it.
fn is_secret(object: &Map<String, Value>) -> bool {
    let api_version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    is_core(api_version) && is_kind_of_secret(kind)
}

fn is_list_of_secrets(object: &Map<String, Value>) -> bool {
    let api_version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default().trim().to_ascii_lowercase();
    is_core(api_version) && kind.strip_suffix("list").is_some_and(is_kind_of_secret)
}

fn is_core(api_version: &str) -> bool {
    api_version.rsplit_once('/').is_none_or(|(group, _)| !group.contains('.'))
}

/// `Secret`, and what is typed in its place: `secret`, `Secrets`, `Secert`.
fn is_kind_of_secret(kind: &str) -> bool {
    strsim::osa_distance(&kind.trim().to_ascii_lowercase(), "secret") <= 1
}

/// `Opaque`, `kubernetes.io/tls` and their like; a word without a domain may be anything.
fn is_type_of_secret(value: &Value) -> bool {
    let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    value.as_str().is_some_and(|text| {
        text == "Opaque"
            || text.split_once('/').is_some_and(|(domain, name)| {
                domain.contains('.') && !name.is_empty() && is_name(domain) && is_name(name)
            })
    })
}

/// Annotations that say how an object is managed. Others may hold a copy of it, as several tools write one.
fn is_public_annotation(name: &str) -> bool {
    let Some((domain, _)) = name.split_once('/') else { return false };
    let is_below =
        |parent: &str| domain.strip_suffix(parent).is_some_and(|above| above.is_empty() || above.ends_with('.'));
    name != LAST_APPLIED && ["argoproj.io", "helm.sh", "kubernetes.io"].into_iter().any(is_below)
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

    /// A typing error in a Secret's manifest must not show what it holds.
    #[test]
    fn a_misspelt_secret_is_masked_like_any_other() {
        let hidden = ["swordfish", "12345678"];
        for (case, object) in [
            ("a misspelt field", json!({"apiVersion": "v1", "kind": "Secret", "stringdata": {"a": "swordfish"}})),
            ("a capital", json!({"apiVersion": "v1", "kind": "Secret", "Data": {"a": "swordfish", "b": 12_345_678}})),
            ("a field of its own", json!({"apiVersion": "v1", "kind": "Secret", "password": "swordfish"})),
            ("one level too deep", json!({"apiVersion": "v1", "kind": "Secret", "spec": {"data": {"a": "swordfish"}}})),
            ("below metadata", json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"data": {"a": "swordfish"}}})),
            ("as a type", json!({"apiVersion": "v1", "kind": "Secret", "type": "swordfish"})),
            (
                "an annotation of a tool",
                json!({"apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": "key", "annotations": {"objectset.rio.cattle.io/applied": "swordfish"}}}),
            ),
            (
                "a label that is a map",
                json!({"apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": "key", "labels": {"a": {"b": "swordfish"}}}}),
            ),
            ("a small letter", json!({"apiVersion": "v1", "kind": "secret", "data": {"a": "swordfish"}})),
            ("a plural", json!({"apiVersion": "v1", "kind": "Secrets", "data": {"a": "swordfish"}})),
            ("letters swapped", json!({"apiVersion": "v1", "kind": "Secert", "data": {"a": "swordfish"}})),
            ("no version", json!({"kind": "Secret", "data": {"a": "swordfish"}})),
            (
                "a group that does not exist",
                json!({"apiVersion": "core/v1", "kind": "Secret", "data": {"a": "swordfish"}}),
            ),
            (
                "items without a kind",
                json!({"apiVersion": "v1", "kind": "SecretList",
                "items": [{"metadata": {"name": "key"}, "data": {"a": "swordfish"}}]}),
            ),
            (
                "a List by another name",
                json!({"apiVersion": "v1", "kind": "list",
                "items": [{"apiVersion": "v1", "kind": "Secret", "stringDate": {"a": "swordfish"}}]}),
            ),
        ] {
            let text = Masker::default().masked(object).to_string();
            assert!(hidden.iter().all(|hidden| !text.contains(hidden)), "{case}: {text}");
        }
    }

    #[test]
    fn which_secret_it_is_and_who_manages_it_stay() {
        let object = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "immutable": true, "metadata": {
            "name": "key", "namespace": "shop", "labels": {"app": "web"}, "finalizers": ["a/b"],
            "annotations": {"argocd.argoproj.io/sync-wave": "1", "helm.sh/hook": "pre-install"}}});
        assert_eq!(Masker::default().masked(object.clone()), object);
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
