//! Says which rule would accept exactly the drift of a resource.
//!
//! In: a changed resource. Out: the JSON pointers and jq expressions of an `ignoreDifferences` entry. An item of a list whose
//! items have keys is named by its key: its place may be another one in git.

use serde_json::{Map, Value};

use crate::object::Pointer;
use crate::status::ResourceDrift;
use crate::status::compare::item_key;

/// The selector of one entry of `ignoreDifferences`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suggestion {
    /// `jsonPointers`.
    pub json_pointers: Vec<Pointer>,
    /// `jqPathExpressions`.
    pub jq_path_expressions: Vec<String>,
}

/// The rule that accepts the differences of a resource; nothing for one that is not changed.
pub fn suggestion(drift: &ResourceDrift) -> Option<Suggestion> {
    let mut suggestion = Suggestion::default();
    for field in &drift.fields {
        // A new map of annotations or labels is not what the rule should be about, but what is in it.
        let is_metadata = matches!(field.path.last(), Some("annotations" | "labels"));
        match field.git.as_ref().xor(field.live.as_ref()) {
            Some(Value::Object(map)) if is_metadata && !map.is_empty() => {
                map.keys().for_each(|key| suggestion.add(&field.path.child(key), None, drift));
            }
            _ => suggestion.add(&field.path, field.git.as_ref(), drift),
        }
    }
    (!drift.fields.is_empty()).then_some(suggestion)
}

impl Suggestion {
    fn add(&mut self, path: &Pointer, new: Option<&Value>, drift: &ResourceDrift) {
        match expression(path, new, drift) {
            Some(expression) => self.jq_path_expressions.push(expression),
            None => self.json_pointers.push(path.clone()),
        }
    }
}

/// The jq expression that names a place; nothing where a pointer does.
fn expression(path: &Pointer, new: Option<&Value>, drift: &ResourceDrift) -> Option<String> {
    let mut text = String::new();
    let mut is_keyed = false;
    let mut here = Pointer::root();
    let mut value = drift.live.as_ref();
    for token in path.tokens() {
        let list = value.filter(|value| value.is_array());
        value = value.and_then(|value| Pointer::root().child(token).get(value));
        let below = here.child(token);
        if list.is_some() {
            // A new item stands in no list yet: it is the difference itself.
            let item = value.or(new.filter(|_| below == *path));
            if let Some(key) = item.and_then(|item| item_key(&drift.gvk, &here, item)) {
                is_keyed = true;
                text.push_str(&selection(&key));
            } else {
                text.extend(["[", token, "]"]);
            }
        } else {
            text.push_str(&step(token));
        }
        here = below;
    }
    is_keyed.then(|| text.strip_suffix(" | ").unwrap_or(&text).to_owned())
}

fn step(key: &str) -> String {
    let is_plain = key.starts_with(|character: char| character.is_ascii_alphabetic() || character == '_')
        && key.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    if is_plain { format!(".{key}") } else { format!(".[{}]", Value::from(key)) }
}

/// `[] | select(.name == "web") | `
fn selection(key: &Map<String, Value>) -> String {
    let conditions: Vec<String> = key.iter().map(|(name, value)| format!("{} == {value}", step(name))).collect();
    format!("[] | select({}) | ", conditions.join(" and "))
}
