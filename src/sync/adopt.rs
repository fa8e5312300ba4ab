//! Makes the fields of earlier appliers ours (`--adopt`), so that what git drops afterwards really goes away.
//!
//! In: a live object, the names of managers. Out: a JSON patch of its `metadata.managedFields` that moves their fields into
//! our entry, or nothing when they hold none. It fits the version that was read and no other one. What only trueup holds
//! then, and git does not have, is removed by the next apply: the last-applied annotation, too, and Argo CD's tracking id.
//!
//! Rule: client-go util/csaupgrade/upgrade.go: the fields of the version that the entry is written in are united, entries
//! of other versions are dropped, subresources are left alone. Beyond it, entries of server-side appliers are taken, too.

use serde_json::{Map, Value, json};

use crate::object::Object;
use crate::object::annotations::FIELD_MANAGER;

/// `kubectl apply --server-side` is called like this, but so are `kubectl scale`, `set` and others, whose fields are Updates.
const KUBECTL: &str = "kubectl";

/// The patch that makes the fields of these managers ours.
pub fn patch(live: &Object, managers: &[String]) -> Option<Value> {
    let entries = live.metadata()?.get("managedFields")?.as_array()?;
    let adopted = adopted(entries, managers)?;
    Some(json!([
        { "op": "replace", "path": "/metadata/managedFields", "value": adopted },
        // Not a `test`: the server then says that it is a conflict, and not that the patch is wrong.
        { "op": "replace", "path": "/metadata/resourceVersion", "value": live.resource_version() },
    ]))
}

/// The entries with those of these managers united into ours; nothing when there are none of them.
fn adopted(entries: &[Value], managers: &[String]) -> Option<Vec<Value>> {
    let is_taken = |entry: &&Value| is_theirs(entry, managers);
    let first = entries.iter().find(is_taken)?;
    let ours = entries.iter().find(|entry| is_ours(entry));
    let kept = ours.unwrap_or(first);
    let version = text(kept, "apiVersion");
    let mut fields = Map::new();
    for entry in entries.iter().filter(|entry| is_ours(entry) || is_taken(entry)) {
        if text(entry, "apiVersion") == version
            && let Some(more) = entry.get("fieldsV1").and_then(Value::as_object)
        {
            unite(&mut fields, more);
        }
    }
    let mut united = kept.clone();
    united["manager"] = json!(FIELD_MANAGER);
    united["operation"] = json!("Apply");
    united["fieldsV1"] = Value::Object(fields);
    let adopted = entries.iter().filter_map(|entry| {
        if std::ptr::eq(entry, kept) { Some(united.clone()) } else { (!is_taken(&entry)).then(|| entry.clone()) }
    });
    Some(adopted.collect())
}

fn is_ours(entry: &Value) -> bool {
    text(entry, "manager") == FIELD_MANAGER && text(entry, "operation") == "Apply" && is_of_the_object(entry)
}

fn is_theirs(entry: &Value, managers: &[String]) -> bool {
    let manager = text(entry, "manager");
    let may_be_taken = text(entry, "operation") == "Apply" || manager != KUBECTL;
    managers.iter().any(|name| name == manager) && may_be_taken && is_of_the_object(entry) && !is_ours(entry)
}

fn is_of_the_object(entry: &Value) -> bool {
    text(entry, "subresource").is_empty()
}

fn text<'e>(entry: &'e Value, field: &str) -> &'e str {
    entry.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// A set of fields is a tree whose leaves are empty maps.
fn unite(fields: &mut Map<String, Value>, more: &Map<String, Value>) {
    for (element, below) in more {
        let known = fields.entry(element.clone()).or_insert_with(|| Value::Object(Map::new()));
        if let (Value::Object(known), Value::Object(below)) = (known, below) {
            unite(known, below);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        let mut entry = json!({
            "manager": manager, "operation": operation, "apiVersion": "v1", "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
        });
        entry["fieldsV1"] = fields;
        entry
    }

    fn with(mut entry: Value, field: &str, value: &str) -> Value {
        entry[field] = json!(value);
        entry
    }

    fn data(keys: &[&str]) -> Value {
        let keys: Map<String, Value> = keys.iter().map(|key| (format!("f:{key}"), json!({}))).collect();
        json!({ "f:data": keys })
    }

    fn managers(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn fields_of_earlier_appliers_become_ours() {
        let csa = "kubectl-client-side-apply";
        for (case, entries, names, expected) in [
            (
                "the first entry becomes ours",
                vec![entry(csa, "Update", data(&["a"])), entry("editor", "Update", data(&["b"]))],
                managers(&[csa]),
                vec![entry("trueup", "Apply", data(&["a"])), entry("editor", "Update", data(&["b"]))],
            ),
            (
                "ours grows",
                vec![entry("helm", "Update", data(&["a", "b"])), entry("trueup", "Apply", data(&["b", "c"]))],
                managers(&["helm"]),
                vec![entry("trueup", "Apply", data(&["a", "b", "c"]))],
            ),
            (
                "several managers",
                vec![entry("argocd-controller", "Apply", data(&["a"])), entry(csa, "Update", data(&["b"]))],
                managers(&[csa, "argocd-controller"]),
                vec![entry("trueup", "Apply", data(&["a", "b"]))],
            ),
            (
                "a subresource is left alone",
                vec![
                    with(entry("argocd-controller", "Update", data(&["a"])), "subresource", "scale"),
                    entry("argocd-controller", "Update", data(&["b"])),
                ],
                managers(&["argocd-controller"]),
                vec![
                    with(entry("argocd-controller", "Update", data(&["a"])), "subresource", "scale"),
                    entry("trueup", "Apply", data(&["b"])),
                ],
            ),
            (
                "fields of another version have other names",
                vec![
                    with(entry("helm", "Update", data(&["a"])), "apiVersion", "v1beta1"),
                    entry("helm", "Update", data(&["b"])),
                    entry("trueup", "Apply", data(&["c"])),
                ],
                managers(&["helm"]),
                vec![entry("trueup", "Apply", data(&["b", "c"]))],
            ),
            (
                "what kubectl scales or edits is no applying",
                vec![entry("kubectl", "Update", data(&["a"])), entry("kubectl", "Apply", data(&["b"]))],
                managers(&["kubectl"]),
                vec![entry("kubectl", "Update", data(&["a"])), entry("trueup", "Apply", data(&["b"]))],
            ),
        ] {
            assert_eq!(adopted(&entries, &names), Some(expected), "{case}");
        }
    }

    #[test]
    fn without_fields_to_adopt_there_is_no_patch() {
        let object = |metadata: Value| {
            Object::new(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata })).unwrap()
        };
        let ours = [entry("trueup", "Apply", data(&["a"])), entry("editor", "Update", data(&["a"]))];
        for metadata in [
            json!({ "name": "a" }),
            json!({ "name": "a", "managedFields": null }),
            json!({ "name": "a", "managedFields": [] }),
            json!({ "name": "a", "managedFields": [7, "x", {}] }),
            json!({ "name": "a", "managedFields": ours }),
        ] {
            assert_eq!(patch(&object(metadata.clone()), &managers(&["helm", "trueup"])), None, "{metadata}");
        }
    }
}
