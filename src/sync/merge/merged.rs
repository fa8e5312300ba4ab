//! A target merged into a live object: maps by key, lists by the keys of their items, everything else as git has it.
//!
//! In: both objects. Out: the merged one. Pure. What git does not name stays.
//!
//! Rule: Kubernetes strategic merge patch; RFC 7396 for kinds whose list keys are not known.

use serde_json::{Map, Value};

use crate::object::{Gvk, Object, Pointer};
use crate::status::compare::counterparts;

/// The target in the live object.
pub(super) fn merged(target: &Object, live: &Object) -> Object {
    let gvk = target.gvk();
    let mut object = live.clone();
    // A Secret's texts, as the server keeps them.
    let target = target.folded();
    let content =
        target.iter().filter(|(field, _)| !matches!(field.as_str(), "apiVersion" | "kind" | "metadata" | "status"));
    for (field, wanted) in content {
        let place = Pointer::root().child(field.as_str());
        let value = object.value_mut().entry(field.as_str()).or_insert(Value::Null);
        merge(value, wanted, &place, &gvk);
    }
    object
}

fn merge(live: &mut Value, wanted: &Value, place: &Pointer, gvk: &Gvk) {
    match (live, wanted) {
        // As if it were not there.
        (_, Value::Null) => {}
        (Value::Object(live), Value::Object(wanted)) => merge_maps(live, wanted, place, gvk),
        (live, Value::Array(wanted)) => {
            let items = live.as_array().map(Vec::as_slice).unwrap_or_default();
            let pairs = counterparts(gvk, place, wanted, items);
            *live = Value::Array(
                pairs.map_or_else(|| wanted.clone(), |pairs| merge_lists(items, wanted, &pairs, place, gvk)),
            );
        }
        (live, wanted) => *live = wanted.clone(),
    }
}

fn merge_maps(live: &mut Map<String, Value>, wanted: &Map<String, Value>, place: &Pointer, gvk: &Gvk) {
    for (name, wanted) in wanted.iter().filter(|(_, wanted)| !wanted.is_null()) {
        let value = live.entry(name.as_str()).or_insert(Value::Null);
        merge(value, wanted, &place.child(name.as_str()), gvk);
    }
}

/// The items of git in the places of their counterparts; where one has none, all of git's come first, in its order.
fn merge_lists(live: &[Value], wanted: &[Value], pairs: &[Option<usize>], place: &Pointer, gvk: &Gvk) -> Vec<Value> {
    let merged = wanted.iter().zip(pairs).map(|(wanted, pair)| {
        let mut item = pair.and_then(|index| live.get(index)).cloned().unwrap_or_default();
        merge(&mut item, wanted, &place.index(pair.unwrap_or_default()), gvk);
        item
    });
    let merged: Vec<Value> = merged.collect();
    let others =
        live.iter().enumerate().filter(|(index, _)| !pairs.contains(&Some(*index))).map(|(_, item)| item.clone());
    if pairs.contains(&None) {
        return merged.into_iter().chain(others).collect();
    }
    let mut items = live.to_vec();
    for (item, pair) in merged.into_iter().zip(pairs) {
        if let Some(place) = pair.and_then(|index| items.get_mut(index)) {
            *place = item;
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(api_version: &str, kind: &str, spec: &Value) -> Object {
        Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}, "spec": spec}))
            .unwrap()
    }

    #[test]
    fn a_target_is_merged_as_kubectl_merges() {
        for (case, gvk, live, target, expected) in [
            (
                "maps",
                ("apps/v1", "Deployment"),
                json!({"replicas": 3, "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}),
                json!({"strategy": {"type": "Recreate"}, "paused": null}),
                json!({"replicas": 3, "strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}}),
            ),
            (
                "items by their keys, in the order that they have",
                ("v1", "Service"),
                json!({"ports": [{"port": 80, "protocol": "TCP", "nodePort": 30080}, {"port": 90, "protocol": "TCP"}]}),
                json!({"ports": [{"port": 80, "name": "http"}]}),
                json!({"ports": [
                    {"port": 80, "protocol": "TCP", "nodePort": 30080, "name": "http"}, {"port": 90, "protocol": "TCP"},
                ]}),
            ),
            (
                "new items first",
                ("v1", "Service"),
                json!({"ports": [{"name": "http", "port": 83, "protocol": "TCP"}]}),
                json!({"ports": [{"name": "http", "port": 80}]}),
                json!({"ports": [{"name": "http", "port": 80}, {"name": "http", "port": 83, "protocol": "TCP"}]}),
            ),
            (
                "lists of custom resources as a whole",
                ("example.com/v1", "Shop"),
                json!({"hosts": [{"name": "a", "port": 1}], "other": 1}),
                json!({"hosts": [{"name": "b"}]}),
                json!({"hosts": [{"name": "b"}], "other": 1}),
            ),
        ] {
            let (api_version, kind) = gvk;
            let found = merged(&object(api_version, kind, &target), &object(api_version, kind, &live));
            assert_eq!(found.value()["spec"], expected, "{case}");
        }
    }
}
