//! The fields that a server refuses: which of an object's places could give way for them.
//!
//! In: a merged object, the target, a field as the server names it (`spec.ports[1].name`). Out: places that git does not
//! name, the likeliest first. Pure.
//!
//! Rule: apimachinery pkg/util/validation/field/path.go for how a field is written.

use serde_json::Value;

use crate::object::{Gvk, Object, Pointer};
use crate::status::compare::counterparts;

/// The places that may give way: the field itself where git does not name it; else what stands beside it, in its map or as
/// another item of its list with the same value, and is not git's.
pub(super) fn removable(merged: &Object, target: &Object, field: &str) -> Vec<Pointer> {
    let tokens = tokens(field);
    let levels = levels(merged, target, &tokens);
    // Nothing outside of the content, and never the whole of it.
    if tokens.len() < 2 || matches!(tokens.first().map(String::as_str), Some("metadata" | "status") | None) {
        return Vec::new();
    }
    if let Some(foreign) = levels.iter().find(|level| level.target.is_none()) {
        return if foreign.place.tokens().len() < 2 { Vec::new() } else { vec![foreign.place.clone()] };
    }
    let Some((_, above)) = levels.split_last() else { return Vec::new() };
    let mut places = above.last().map(beside).unwrap_or_default();
    places.extend(twins(&levels, &target.gvk()));
    places.extend(levels.last().map(beside).unwrap_or_default());
    places.retain(|place| place.tokens().len() >= 2);
    places
}

/// The two values at one path of both objects.
struct FieldLevel<'v> {
    place: Pointer,
    merged: &'v Value,
    target: Option<&'v Value>,
}

/// The places on the way to a field, the field last, as far as the merged object has them.
fn levels<'v>(merged: &'v Object, target: &'v Object, tokens: &[String]) -> Vec<FieldLevel<'v>> {
    let gvk = target.gvk();
    let mut levels: Vec<FieldLevel<'v>> = Vec::new();
    for token in tokens {
        let level = match levels.last() {
            None => {
                let Some(merged) = merged.value().get(token) else { break };
                let target = target.value().get(token).filter(|value| !value.is_null());
                FieldLevel { place: Pointer::root().child(token.as_str()), merged, target }
            }
            Some(above) => match below(above, token, &gvk) {
                Some(level) => level,
                None => break,
            },
        };
        levels.push(level);
    }
    levels
}

fn below<'v>(above: &FieldLevel<'v>, token: &str, gvk: &Gvk) -> Option<FieldLevel<'v>> {
    match above.merged {
        Value::Object(map) => {
            let target = above.target.and_then(|target| target.get(token)).filter(|value| !value.is_null());
            Some(FieldLevel { place: above.place.child(token), merged: map.get(token)?, target })
        }
        Value::Array(items) => {
            let index: usize = token.parse().ok()?;
            let target = above.target.and_then(Value::as_array).and_then(|wanted| {
                let pairs = counterparts(gvk, &above.place, wanted, items);
                // A list without keys is git's as a whole.
                let number = pairs.map_or(Some(index), |pairs| pairs.iter().position(|pair| *pair == Some(index)));
                wanted.get(number?)
            });
            Some(FieldLevel { place: above.place.index(index), merged: items.get(index)?, target })
        }
        _ => None,
    }
}

/// The keys of a map that are not in git.
fn beside(level: &FieldLevel<'_>) -> Vec<Pointer> {
    let (Some(merged), Some(Value::Object(target))) = (level.merged.as_object(), level.target) else {
        return Vec::new();
    };
    let is_gits = |name: &String| target.get(name).is_some_and(|value| !value.is_null());
    merged.keys().filter(|name| !is_gits(name)).map(|name| level.place.child(name.as_str())).collect()
}

/// Items of the innermost list that are not git's and have the same value where the server refuses git's.
fn twins(levels: &[FieldLevel<'_>], gvk: &Gvk) -> Vec<Pointer> {
    let Some(list) = levels.iter().rposition(|level| level.merged.is_array()) else { return Vec::new() };
    let (Some(items), Some(field)) = (levels[list].merged.as_array(), levels.last()) else { return Vec::new() };
    let rest = field.place.tokens().get(levels[list].place.tokens().len() + 1..).unwrap_or_default();
    if rest.is_empty() {
        return Vec::new();
    }
    let numbers = 0..items.len();
    let foreign =
        numbers.filter_map(|index| below(&levels[list], &index.to_string(), gvk)).filter(|item| item.target.is_none());
    let has_value = |item: &FieldLevel<'_>| {
        let value = rest.iter().try_fold(item.merged, |value, token| value.get(token));
        value == Some(field.merged)
    };
    foreign.filter(has_value).map(|item| item.place).collect()
}

/// An object without one place.
pub(super) fn without(object: &Object, place: &Pointer) -> Option<Object> {
    let (last, above) = place.tokens().split_last()?;
    let (first, rest) = above.split_first()?;
    let mut object = object.clone();
    let mut holder = object.value_mut().get_mut(first)?;
    for token in rest {
        holder = step(holder, token)?;
    }
    match holder {
        Value::Object(map) => map.remove(last).map(|_| object),
        Value::Array(items) => {
            let index: usize = last.parse().ok()?;
            (index < items.len()).then(|| items.remove(index))?;
            Some(object)
        }
        _ => None,
    }
}

fn step<'v>(value: &'v mut Value, token: &str) -> Option<&'v mut Value> {
    match value {
        Value::Object(map) => map.get_mut(token),
        Value::Array(items) => items.get_mut(token.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Every value that an object has at a field, whatever the numbers of the items on the way.
pub(in crate::sync) fn values_at<'v>(object: &'v Object, field: &str) -> Vec<&'v Value> {
    let tokens = tokens(field);
    let Some((first, rest)) = tokens.split_first() else { return Vec::new() };
    let mut values: Vec<&Value> = object.value().get(first).into_iter().collect();
    for token in rest {
        values = values
            .into_iter()
            .flat_map(|value| match value {
                Value::Array(items) => items.iter().collect(),
                value => value.get(token).into_iter().collect::<Vec<_>>(),
            })
            .collect();
    }
    values
}

/// `spec.ports[1].name` as `spec`, `ports`, `1`, `name`; a key in brackets may have dots.
fn tokens(field: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = field;
    while !rest.is_empty() {
        let (token, after) = if let Some(inner) = rest.strip_prefix('[') {
            inner.split_once(']').unwrap_or((inner, ""))
        } else {
            let rest = rest.strip_prefix('.').unwrap_or(rest);
            rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()))
        };
        if !token.is_empty() {
            tokens.push(token.to_owned());
        }
        rest = after;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(api_version: &str, kind: &str, spec: &Value) -> Object {
        Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}, "spec": spec}))
            .unwrap()
    }

    /// The fields are those that Kubernetes' own validation names.
    #[test]
    fn what_git_does_not_name_gives_way() {
        let pod = |container: Value| json!({"template": {"spec": {"containers": [container]}}});
        for (case, kind, merged, target, field, expected) in [
            (
                "a default that contradicts git",
                ("apps/v1", "Deployment"),
                json!({"replicas": 3, "strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}}),
                json!({"strategy": {"type": "Recreate"}}),
                "spec.strategy.rollingUpdate",
                vec!["/spec/strategy/rollingUpdate"],
            ),
            (
                "an item of the same name",
                ("v1", "Service"),
                json!({"ports": [{"name": "http", "port": 80}, {"name": "http", "port": 83, "protocol": "TCP"}]}),
                json!({"ports": [{"name": "http", "port": 80}]}),
                "spec.ports[1].name",
                vec!["/spec/ports/1"],
            ),
            (
                "where git's own item is the one that is refused",
                ("v1", "Service"),
                json!({"ports": [{"name": "http", "port": 83}, {"name": "http", "port": 80}]}),
                json!({"ports": [{"name": "http", "port": 80}]}),
                "spec.ports[1].name",
                vec!["/spec/ports/0"],
            ),
            (
                "another member of a union",
                ("apps/v1", "Deployment"),
                pod(json!({"name": "a", "livenessProbe": {"tcpSocket": {"port": 80}, "httpGet": {"port": 80}}})),
                pod(json!({"name": "a", "livenessProbe": {"tcpSocket": {"port": 80}}})),
                "spec.template.spec.containers[0].livenessProbe.tcpSocket",
                vec!["/spec/template/spec/containers/0/livenessProbe/httpGet"],
            ),
            (
                "a value beside its source",
                ("apps/v1", "Deployment"),
                pod(json!({"name": "a", "env": [{"name": "A", "value": "1", "valueFrom": {"fieldRef": {}}}]})),
                pod(json!({"name": "a", "env": [{"name": "A", "valueFrom": {"fieldRef": {}}}]})),
                "spec.template.spec.containers[0].env[0].valueFrom",
                vec!["/spec/template/spec/containers/0/env/0/value"],
            ),
            (
                "nothing, where all of it is git's",
                ("apps/v1", "Deployment"),
                json!({"replicas": -1}),
                json!({"replicas": -1}),
                "spec.replicas",
                vec![],
            ),
            ("never metadata", ("apps/v1", "Deployment"), json!({}), json!({}), "metadata.labels[a.b/c]", vec![]),
        ] {
            let (api_version, kind) = kind;
            let found = removable(&object(api_version, kind, &merged), &object(api_version, kind, &target), field);
            let found: Vec<String> = found.iter().map(Pointer::to_string).collect();
            assert_eq!(found, expected, "{case}");
        }
    }

    #[test]
    fn a_field_is_read_as_the_server_writes_it() {
        assert_eq!(tokens("spec.ports[1].name"), ["spec", "ports", "1", "name"]);
        assert_eq!(tokens("metadata.annotations[a.b/c]"), ["metadata", "annotations", "a.b/c"]);
        let service = object("v1", "Service", &json!({"ports": [{"nodePort": 1}, {"nodePort": 2}]}));
        assert_eq!(values_at(&service, "spec.ports[7].nodePort"), [&json!(1), &json!(2)]);
        assert_eq!(
            without(&service, &Pointer::parse("/spec/ports/0").unwrap()).unwrap().value()["spec"]["ports"],
            json!([{"nodePort": 2}])
        );
    }
}
