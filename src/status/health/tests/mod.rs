//! Every built-in rule, the general rule, and what no object can do.

mod argo;
mod cluster;
mod conventions;
mod every;
mod jobs;
mod network;
mod projects;
mod workloads;

use serde_json::{Value, json};

use super::*;

/// An object of a kind with a `spec` and a `status`, of generation 2.
fn object(api_version: &str, kind: &str, spec: &Value, status: &Value) -> Object {
    let metadata = json!({"name": "web", "namespace": "shop", "generation": 2});
    let value = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec, "status": status});
    Object::new(value).unwrap()
}

/// The verdict as `Status: message`.
fn shown(health: Option<Health>) -> String {
    match health {
        None => "none".to_owned(),
        Some(Health { status, message }) if message.is_empty() => status.to_string(),
        Some(Health { status, message }) => format!("{status}: {message}"),
    }
}

/// A case: its name, `spec`, `status`, and what is said of it.
type Case = (&'static str, Value, Value, &'static str);

fn check(api_version: &str, kind: &str, cases: impl IntoIterator<Item = Case>) {
    for (name, spec, status, expected) in cases {
        assert_eq!(shown(health(&object(api_version, kind, &spec, &status))), expected, "{kind}: {name}");
    }
}
