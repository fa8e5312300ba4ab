//! Whether a source renders to the same objects again: charts with `randAlphaNum`, `now` or `genCA` do not.
//!
//! In: the objects of two renders of one application. Out: a finding for each object that differs, with its fields. Values are not
//! printed: what differs is most often a secret.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::finding::{Code, Finding};
use crate::object::{Object, Pointer};

/// More fields of one object than this help nobody.
const FIELDS: usize = 10;

/// The differences between two renders.
pub fn unsteady(first: &[Object], second: &[Object]) -> Vec<Finding> {
    let (first, second) = (by_name(first), by_name(second));
    let mut findings = Vec::new();
    for (name, object) in &first {
        match second.get(name) {
            None => findings.push(finding(name, "is in one render but not in the next")),
            Some(again) => findings.extend(differing(name, object, again)),
        }
    }
    let appeared = second.keys().filter(|name| !first.contains_key(*name));
    findings.extend(appeared.map(|name| finding(name, "is in one render but not in another")));
    findings
}

/// Objects by their names for people; those that have no name of their own are counted.
fn by_name(objects: &[Object]) -> BTreeMap<String, &Object> {
    let mut named = BTreeMap::new();
    for object in objects {
        let name = object.key().to_string();
        let mut unique = name.clone();
        let mut count = 1;
        while named.contains_key(&unique) {
            count += 1;
            unique = format!("{name} ({count})");
        }
        named.insert(unique, object);
    }
    named
}

fn differing(name: &str, first: &Object, second: &Object) -> Option<Finding> {
    let mut fields = Vec::new();
    compare(&first.to_value(), &second.to_value(), &Pointer::root(), &mut fields);
    let names = fields.iter().take(FIELDS).map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
    let more = fields.len().saturating_sub(FIELDS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!fields.is_empty()).then(|| finding(name, &format!("differs from one render to the next: {names}{more}")))
}

fn compare(first: &Value, second: &Value, place: &Pointer, fields: &mut Vec<String>) {
    match (first, second) {
        (Value::Object(first), Value::Object(second)) => {
            let names = first.keys().chain(second.keys().filter(|name| !first.contains_key(*name)));
            for name in names {
                let (first, second) = (first.get(name), second.get(name));
                compare(
                    first.unwrap_or(&Value::Null),
                    second.unwrap_or(&Value::Null),
                    &place.child(name.as_str()),
                    fields,
                );
            }
        }
        (Value::Array(first), Value::Array(second)) if first.len() == second.len() => {
            for (index, (first, second)) in first.iter().zip(second).enumerate() {
                compare(first, second, &place.index(index), fields);
            }
        }
        (first, second) if first == second => {}
        _ => fields.push(place.dotted()),
    }
}

fn finding(name: &str, fact: &str) -> Finding {
    Finding::error(Code::RenderUnsteady, format!("`{name}` {fact}")).with_help(
        "the render is not deterministic, so every sync would change it; set the value explicitly, or ignore the field",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret(name: &str, data: &Value) -> Object {
        let value = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "shop"}, "data": data});
        Object::new(value).unwrap()
    }

    #[test]
    fn what_differs_is_named_and_its_value_is_not() {
        let first =
            [secret("a", &json!({"password": "one", "list": ["x", "y"], "user": "shop"})), secret("b", &json!({}))];
        let second =
            [secret("a", &json!({"password": "two", "list": ["x", "z"], "user": "shop"})), secret("c", &json!({}))];
        let names: Vec<String> = unsteady(&first, &second).into_iter().map(|finding| finding.message).collect();
        assert_eq!(
            names,
            [
                "`Secret shop/a` differs from one render to the next: `data.list[1]`, `data.password`",
                "`Secret shop/b` is in one render but not in the next",
                "`Secret shop/c` is in one render but not in another",
            ]
        );
        assert_eq!(unsteady(&first, &first), []);
    }
}
