//! Finds what people put into an object of git's by hand, where git says nothing.
//!
//! In: the target, the live object. Out: the fields that a person's tool holds and git does not name. They are no
//! differences: applying the target would leave them as they are.
//!
//! Rule: a person's tool is known by its field manager. Tools that make or replace whole objects (`kubectl create`,
//! client-side `kubectl apply`) hold the server's defaults too, so that nothing can be said by what they hold.

use serde_json::{Map, Value};

use super::clean::Status;
use super::difference::{Difference, Edit};
use super::managers::{attributed, entries, find_item, is_item};
use super::moved::Views;
use super::path::Path;
use super::shape::Shape;
use crate::object::{Object, Pointer};
use crate::status::FieldDrift;

/// The field managers of tools that people change objects with. `Mozilla` is a browser, before a dashboard; `node-fetch` is
/// Lens and what came of it.
const BY_HAND: [&str; 11] = [
    "kubectl",
    "kubectl-annotate",
    "kubectl-edit",
    "kubectl-label",
    "kubectl-patch",
    "kubectl-rollout",
    "kubectl-set",
    "kubectl-taint",
    "k9s",
    "Mozilla",
    "node-fetch",
];

/// The additions that none of the differences tells already; `shown` is the live object as reports show it.
pub(super) fn additions(
    target: &Object,
    live: &Object,
    fields: &[FieldDrift],
    shown: impl FnOnce() -> Value,
) -> Vec<FieldDrift> {
    let mut found = FoundAdditions::default();
    let shape = Shape::of(&target.gvk());
    for entry in entries(live).filter(|entry| BY_HAND.contains(&entry.manager.manager.as_str())) {
        found.of_map(entry.fields, Some(target.value()), live.value(), shape, &Path::Root);
    }
    let is_shown =
        |path: &Pointer| fields.iter().any(|field| field.path.starts_with(path) || path.starts_with(&field.path));
    found.places.retain(|(path, _)| !is_shown(path));
    found.places.sort_by(|(one, _), (other, _)| one.place_order(other));
    found.places.dedup_by(|(later, _), (earlier, _)| later.starts_with(earlier));
    if found.places.is_empty() {
        return Vec::new();
    }
    let shown = shown();
    let differences: Vec<Difference> = found
        .places
        .into_iter()
        .filter_map(|(path, item)| {
            let live = Some(path.get(&shown)?.clone());
            Some(Difference { edit: Edit { path, git: None }, live, item })
        })
        .collect();
    // Git is silent about them, then as now: the holder tells who moved.
    let views = Views {
        live: &shown,
        target: &Value::Null,
        last: None,
        recorded: None,
        untouched: false,
        is_lost: false,
        has_managers: true,
    };
    attributed(differences, live, &views, shape)
}

/// Where additions are, each with the key of the list item that its path goes through.
#[derive(Default)]
struct FoundAdditions {
    places: Vec<(Pointer, Option<Map<String, Value>>)>,
    items: Vec<Map<String, Value>>,
}

impl FoundAdditions {
    fn of_map(
        &mut self,
        fields: &Map<String, Value>,
        target: Option<&Map<String, Value>>,
        live: &Map<String, Value>,
        shape: &Shape,
        path: &Path<'_>,
    ) {
        for (element, below) in fields {
            let Some(name) = element.strip_prefix("f:") else { continue };
            if let Some(held) = live.get(name).filter(|_| Status::Never.is_compared(path, name)) {
                let wanted = target.and_then(|target| target.get(name)).filter(|wanted| !wanted.is_null());
                self.of_value(below, wanted, held, shape.child(name), &Path::Key(path, name));
            }
        }
    }

    fn of_list(
        &mut self,
        fields: &Map<String, Value>,
        target: &[Value],
        live: &[Value],
        shape: &Shape,
        path: &Path<'_>,
    ) {
        for (element, below) in fields {
            let Some((index, item)) = find_item(element, live, shape) else { continue };
            let wanted = find_item(element, target, shape).map(|(_, wanted)| wanted);
            let key = element.strip_prefix("k:").and_then(|key| serde_json::from_str(key).ok());
            let has_key = key.is_some();
            self.items.extend(key);
            self.of_value(below, wanted, item, shape.item(), &Path::Index(path, index));
            if has_key {
                self.items.pop();
            }
        }
    }

    fn of_value(&mut self, below: &Value, wanted: Option<&Value>, held: &Value, shape: &Shape, path: &Path<'_>) {
        let Some(fields) = below.as_object() else { return };
        if wanted.is_none() && holds_all(fields, held, shape) {
            return self.places.push((path.pointer(), self.items.last().cloned()));
        }
        match (wanted, held) {
            (Some(Value::Object(wanted)), Value::Object(held)) => self.of_map(fields, Some(wanted), held, shape, path),
            (None, Value::Object(held)) => self.of_map(fields, None, held, shape, path),
            (Some(Value::Array(wanted)), Value::Array(held)) => self.of_list(fields, wanted, held, shape, path),
            (None, Value::Array(held)) => self.of_list(fields, &[], held, shape, path),
            // Git says something there: whether it is the same is reported as a difference.
            _ => {}
        }
    }
}

/// Whether a set of fields holds all that is in a value.
fn holds_all(fields: &Map<String, Value>, value: &Value, shape: &Shape) -> bool {
    let holds =
        |below: &Value, value: &Value, shape| below.as_object().is_some_and(|below| holds_all(below, value, shape));
    match value {
        // A value without parts of their own.
        _ if fields.is_empty() => true,
        Value::Object(map) => map.iter().all(|(name, value)| {
            fields.get(&format!("f:{name}")).is_some_and(|below| holds(below, value, shape.child(name)))
        }),
        Value::Array(list) => list.iter().enumerate().all(|(index, item)| {
            let mut elements = fields.iter();
            elements
                .any(|(element, below)| is_item(element, item, Some(index), shape) && holds(below, item, shape.item()))
        }),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        Object::new(value).unwrap()
    }

    #[expect(clippy::needless_pass_by_value, reason = "the cases read better")]
    fn deployment(spec: Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
    }

    fn found(target: Value, mut live: Value, managers: &[(&str, Value)]) -> Vec<String> {
        let entry = |(manager, fields): &(&str, Value)| json!({"manager": manager, "operation": "Update", "apiVersion": "apps/v1", "fieldsV1": fields});
        live["metadata"]["managedFields"] = managers.iter().map(entry).collect();
        let (target, live) = (object(target), object(live));
        let found = additions(&target, &live, &[], || super::super::shown(&live));
        let one = |field: &FieldDrift| {
            let live = field.live.as_ref().unwrap();
            format!("{} {live} {}", field.path, field.managers[0].manager)
        };
        found.iter().map(one).collect()
    }

    /// Somebody scaled what git leaves to an autoscaler: applying would not undo it, and nobody would see it.
    #[test]
    fn a_field_that_git_is_silent_about_is_an_addition_of_who_holds_it() {
        let git = deployment(json!({"paused": false}));
        let live = deployment(json!({"paused": false, "replicas": 5}));
        let replicas = json!({"f:spec": {"f:replicas": {}}});
        assert_eq!(found(git.clone(), live.clone(), &[("kubectl", replicas.clone())]), ["/spec/replicas 5 kubectl"]);
        for manager in ["kube-controller-manager", "kubectl-client-side-apply", "trueup", "argocd-controller"] {
            assert_eq!(found(git.clone(), live.clone(), &[(manager, replicas.clone())]), [""; 0], "{manager}");
        }
        assert_eq!(found(live.clone(), live, &[("kubectl", replicas)]), [""; 0]);
    }

    /// An addition whose every field is new is reported as a whole; where others own fields too, only the new parts.
    #[test]
    fn an_addition_is_told_at_the_highest_place_that_is_all_its_own() {
        let container = |containers: Value| deployment(json!({"template": {"spec": {"containers": containers}}}));
        let git = container(json!([{"name": "web"}]));
        let live = container(json!([{"name": "web", "env": [{"name": "A", "value": "1"}], "resources": {
            "limits": {"cpu": "1", "memory": "1Gi"}}}, {"name": "debug", "image": "busybox"}]));
        let of = |fields: Value| json!({"f:spec": {"f:template": {"f:spec": {"f:containers": fields}}}});
        let edited = of(json!({
            "k:{\"name\":\"web\"}": {"f:env": {".": {}, "k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}}},
                                     "f:resources": {"f:limits": {"f:cpu": {}}}},
            "k:{\"name\":\"debug\"}": {".": {}, "f:name": {}, "f:image": {}},
        }));
        let container = "/spec/template/spec/containers";
        assert_eq!(
            found(git, live, &[("kubectl-edit", edited)]),
            [
                format!("{container}/0/env [{{\"name\":\"A\",\"value\":\"1\"}}] kubectl-edit"),
                format!("{container}/0/resources/limits/cpu \"1\" kubectl-edit"),
                format!("{container}/1 {{\"image\":\"busybox\",\"name\":\"debug\"}} kubectl-edit"),
            ]
        );
    }

    #[test]
    fn what_the_server_keeps_is_no_addition_and_a_secret_is_masked() {
        let secret =
            |data: Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": data});
        let mut live = secret(json!({"a": "MQ==", "b": "Mg=="}));
        live["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": "{}"});
        let fields = json!({"f:data": {"f:b": {}}, "f:status": {"f:x": {}}, "f:metadata": {"f:generation": {},
            "f:annotations": {"f:kubectl.kubernetes.io/last-applied-configuration": {}}}});
        let found = found(secret(json!({"a": "MQ=="})), live, &[("kubectl-patch", fields)]);
        assert_eq!(found, ["/data/b \"++++++++++++\" kubectl-patch"]);
    }

    #[test]
    fn malformed_fields_are_passed_over() {
        for fields in [json!(null), json!({"f:spec": 1}), json!({"f:spec": {"k:{": {}, "f:replicas": null}})] {
            let live = deployment(json!({"replicas": 5}));
            assert_eq!(found(deployment(json!({})), live, &[("kubectl", fields)]), [""; 0]);
        }
    }
}
