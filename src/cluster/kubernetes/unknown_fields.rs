//! Drops the fields that the schema does not have, for `Validate=false`: an apply refuses them whatever validation it asks
//! for.
//!
//! In: what was to be applied, and the server's words, which name the fields. Out: the rest; nothing when no field of those
//! words is there, and the refusal stands.
//!
//! Rule: structured-merge-diff typed/typed.go (`field not declared in schema`), fieldpath/element.go for how a place is
//! written: `.spec.containers[name="web"].image`.

use serde_json::Value;

const UNKNOWN: &str = ": field not declared in schema";

/// The object to apply, without the fields that the server does not know.
pub(super) fn without(content: &Value, words: &str) -> Option<Value> {
    let mut rest = content.clone();
    let places = words.lines().filter_map(|line| line.trim().strip_suffix(UNKNOWN));
    let mut is_changed = false;
    for place in places {
        // The first line begins with what the message is about.
        let place = place.rsplit_once("): ").map_or(place, |(_, place)| place);
        is_changed |= remove(&mut rest, place);
    }
    is_changed.then_some(rest)
}

fn remove(value: &mut Value, place: &str) -> bool {
    match value {
        Value::Object(map) => {
            let Some(place) = place.strip_prefix('.') else { return false };
            // Keys of maps may have dots themselves: the longest one that fits is meant.
            let fits = |key: &&String| {
                place.strip_prefix(key.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let Some(key) = map.keys().filter(fits).max_by_key(|key| key.len()).cloned() else { return false };
            match (&place[key.len()..], map.get_mut(&key)) {
                ("", _) => map.remove(&key).is_some(),
                (rest, Some(below)) => remove(below, rest),
                (_, None) => false,
            }
        }
        Value::Array(items) => {
            let Some((item, rest)) = place.strip_prefix('[').and_then(split_item) else { return false };
            let index = match item.parse::<usize>() {
                Ok(index) => Some(index),
                Err(_) => items.iter().position(|value| is_item(value, item)),
            };
            index.and_then(|index| items.get_mut(index)).is_some_and(|value| remove(value, rest))
        }
        _ => false,
    }
}

/// `name="web"].image` to `name="web"` and `.image`; a bracket in a text ends nothing.
fn split_item(place: &str) -> Option<(&str, &str)> {
    let mut is_text = false;
    let mut is_escaped = false;
    for (position, character) in place.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_text => is_escaped = true,
            '"' => is_text = !is_text,
            ']' if !is_text => return Some((&place[..position], &place[position + 1..])),
            _ => {}
        }
    }
    None
}

/// Whether an item has these keys: `containerPort=80,protocol="TCP"`. A key that git leaves to its default is no hindrance.
fn is_item(item: &Value, keys: &str) -> bool {
    let mut rest = keys;
    while let Some((key, after)) = rest.split_once('=') {
        let mut values = serde_json::Deserializer::from_str(after).into_iter::<Value>();
        let Some(Ok(value)) = values.next() else { return false };
        if item.get(key).is_some_and(|there| *there != value) {
            return false;
        }
        rest = after[values.byte_offset()..].trim_start_matches(',');
    }
    rest.is_empty() && item.is_object()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The words are those of kube-apiserver 1.36.3.
    #[test]
    fn fields_that_the_server_does_not_know_are_dropped() {
        let content = json!({ "spec": {
            "replicas": 1, "replicaz": 2,
            "ports": [{ "containerPort": 80, "protocol": "UDP", "x": 1 }, { "containerPort": 80, "x": 2 }],
            "containers": [{ "name": "a]\"", "imag": "x" }, { "name": "web", "imag": { "a": 1 }, "image": "y" }],
            "labels": { "a.b/c": { "x": 1 } },
        } });
        let words = "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): errors:\n  \
            .spec.replicaz: field not declared in schema\n  \
            .spec.containers[name=\"web\"].imag: field not declared in schema\n  \
            .spec.containers[name=\"a]\\\"\"].imag: field not declared in schema\n  \
            .spec.ports[containerPort=80,protocol=\"TCP\"].x: field not declared in schema\n  \
            .spec.labels.a.b/c.x: field not declared in schema\n  \
            .spec.replicas: expected numeric\n  \
            .spec.nowhere[7].x: field not declared in schema";
        let expected = json!({ "spec": {
            "replicas": 1,
            "ports": [{ "containerPort": 80, "protocol": "UDP", "x": 1 }, { "containerPort": 80 }],
            "containers": [{ "name": "a]\"" }, { "name": "web", "image": "y" }],
            "labels": { "a.b/c": {} },
        } });
        assert_eq!(without(&content, words), Some(expected));
        let one = "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): .spec.replicaz: field not declared in schema";
        assert_eq!(without(&content, one).unwrap()["spec"].get("replicaz"), None);
        for words in ["", ".spec.other: field not declared in schema", "[: field not declared in schema", "x"] {
            assert_eq!(without(&content, words), None, "{words}");
        }
    }
}
