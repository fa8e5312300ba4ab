//! `CreateNamespace` and `managedNamespaceMetadata`: the destination's namespace, made before everything else.
//!
//! In: the sync policy, the namespace as it is. Out: a step, if there is anything to do. The namespace is no member of the
//! application: it has no part-of label, and is neither extra nor pruned ([`is_created_by_option`]).
//!
//! Rule: Argo CD `controller/sync_namespace.go`, and gitops-engine's `autoCreateNamespace`. Quirk not kept: there, a
//! namespace that git has as a hook is not seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::claims::{own_entries, prove_ours};
use super::input::PlanInput;
use super::seen::Seen;
use super::step::{Action, Method, Phase, Step, name_of};
use crate::app::Application;
use crate::app::options::SyncOption;
use crate::app::sync_policy::NamespaceMetadata;
use crate::cluster::Validation;
use crate::object::{Key, Object};

/// Whether an object is the namespace that the application has trueup create: it is wanted, though git has no manifest of it.
pub fn is_created_by_option(application: &Application, key: &Key) -> bool {
    let is_namespace = key.kind == "Namespace" && key.group.is_empty();
    is_namespace
        && key.name == application.destination.namespace
        && application.sync_policy.has(SyncOption::CreateNamespace)
}

/// The destination's namespace as the Application wants it (`managedNamespaceMetadata`); nothing where it only has to be there,
/// and where git has it as a manifest.
pub fn managed_namespace(application: &Application, target: &[Object]) -> Option<Object> {
    let policy = &application.sync_policy;
    let name = application.destination.namespace.as_str();
    let metadata = policy.managed_namespace_metadata.as_ref()?;
    let is_in_git = target.iter().any(|object| is_namespace(object, name));
    if !policy.has(SyncOption::CreateNamespace) || name.is_empty() || is_in_git {
        return None;
    }
    namespace(name, Some(metadata))
}

fn is_namespace(object: &Object, name: &str) -> bool {
    object.kind() == "Namespace" && object.api_version() == "v1" && object.name() == name
}

/// The step that makes the namespace, or gives it its labels and annotations.
pub(super) fn create(input: &PlanInput<'_>) -> Option<Step> {
    let policy = &input.application.sync_policy;
    let name = input.application.destination.namespace.as_str();
    let is_in_git = || input.wanted.iter().any(|wanted| is_namespace(&wanted.target, name));
    if !policy.has(SyncOption::CreateNamespace) || name.is_empty() || is_in_git() {
        return None;
    }
    let metadata = policy.managed_namespace_metadata.as_ref();
    let why = match (input.namespace, metadata) {
        (None, _) => "`CreateNamespace=true`",
        (Some(live), Some(metadata)) if !has(live, metadata) => "`managedNamespaceMetadata`",
        // It was a manifest of the application before: the label is taken off.
        (Some(live), _) if prove_ours(live, &input.tracking.applyset_id).is_ok() => "`CreateNamespace=true`",
        (Some(_), _) => return None,
    };
    let target = namespace(name, metadata)?;
    Some(Step {
        phase: Phase::PreSync,
        wave: 0,
        object: name_of(&target),
        action: Action::Apply {
            method: Method::Apply,
            validation: Validation::Strict,
            force: false,
            adopt: Vec::new(),
        },
        why: why.to_owned(),
        hook: None,
        target: Some(Arc::new(target)),
        seen: input.namespace.map(Seen::of),
        unasked: false,
    })
}

fn namespace(name: &str, metadata: Option<&NamespaceMetadata>) -> Option<Object> {
    let mut fields = Map::from_iter([("name".to_owned(), json!(name))]);
    for (field, texts) in metadata.into_iter().flat_map(parts) {
        if !texts.is_empty() {
            fields.insert(field.to_owned(), json!(texts));
        }
    }
    // It has what every object has.
    Object::new(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": fields})).ok()
}

fn parts(metadata: &NamespaceMetadata) -> [(&'static str, &BTreeMap<String, String>); 2] {
    [("labels", &metadata.labels), ("annotations", &metadata.annotations)]
}

/// Whether a live namespace has all that it is to have, and nothing of ours beside.
fn has(live: &Object, metadata: &NamespaceMetadata) -> bool {
    parts(metadata).into_iter().all(|(field, texts)| {
        let held = live.metadata().and_then(|metadata| metadata.get(field));
        let is_held = |(name, text): (&String, &String)| {
            held.and_then(|held| held.get(name)).and_then(Value::as_str) == Some(text.as_str())
        };
        texts.iter().all(is_held) && ours(live, field).all(|name| texts.contains_key(name))
    })
}

/// The labels or annotations that trueup put there.
fn ours<'o>(live: &'o Object, field: &str) -> impl Iterator<Item = &'o str> {
    let field = format!("f:{field}");
    own_entries(live)
        .filter_map(move |entry| entry.get("fieldsV1")?.get("f:metadata")?.get(&field)?.as_object())
        .flat_map(|fields| fields.keys().filter_map(|name| name.strip_prefix("f:")))
}
