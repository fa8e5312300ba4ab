//! Applications, ApplicationSets and `AppProjects` that a cluster holds, as somebody would have written them.
//!
//! In: an object as the API server returns it. Out: its manifest without what the server and Argo CD's controllers add:
//! `status` is a report and `operation` a request to Argo CD, and neither is a wish of git. Where an Application is written in
//! a manifest, too, the manifest counts ([`Manifests::add_held`]).

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::application::{Application, SourceForm};
use super::ignore::IgnoreDifference;
use super::manifests::Manifests;
use super::source::SourceBlock;
use crate::finding::{Code, Finding};
use crate::object::annotations::LAST_APPLIED;

/// The fields of `metadata` that people write.
const WRITTEN_METADATA: [&str; 5] = ["name", "namespace", "labels", "annotations", "finalizers"];

/// Annotations that are requests to Argo CD's controllers, which remove them.
const REQUESTS: [&str; 6] = [
    "argocd.argoproj.io/application-set-refresh",
    "argocd.argoproj.io/hydrate",
    "argocd.argoproj.io/hydrate-timestamp",
    "argocd.argoproj.io/refresh",
    "argocd.argoproj.io/refresh-timestamp",
    LAST_APPLIED,
];

/// The manifest of an object that a cluster holds.
pub fn written_manifest(object: &Value) -> Value {
    let mut metadata = object.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    metadata.retain(|field, _| WRITTEN_METADATA.contains(&field.as_str()));
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|name, _| !REQUESTS.contains(&name.as_str()));
    }
    metadata.retain(|_, value| value.as_object().is_none_or(|map| !map.is_empty()));
    let mut manifest = Map::new();
    for field in ["apiVersion", "kind"] {
        manifest.insert(field.to_owned(), object.get(field).cloned().unwrap_or_default());
    }
    manifest.insert("metadata".to_owned(), Value::Object(metadata));
    manifest.insert("spec".to_owned(), object.get("spec").cloned().unwrap_or_else(|| json!({})));
    Value::Object(manifest)
}

/// Whether the object waits for its finalizers: it is no longer wanted.
pub fn is_being_deleted(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null())
}

/// The name of the ApplicationSet that generates an Application and deletes it again.
pub fn generating_set(object: &Value) -> Option<&str> {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten();
    let text = |owner: &'_ Value, field: &str| owner.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_set = |owner: &&Value| {
        text(owner, "kind") == "ApplicationSet" && text(owner, "apiVersion").starts_with("argoproj.io/")
    };
    owners.filter(is_set).find_map(|owner| owner.get("name").and_then(Value::as_str))
}

impl Manifests {
    /// Adds what a cluster holds. An Application that a manifest has, too, stays as the manifest has it, with a warning where
    /// the two differ; a manifest without a namespace is in `default_namespace`.
    pub fn add_held(&mut self, held: Self, default_namespace: &str) {
        let identity = |namespace: &str, name: &str| {
            let namespace = if namespace.is_empty() { default_namespace } else { namespace };
            (namespace.to_owned(), name.to_owned())
        };
        let mut written: HashMap<(String, String), Option<&Application>> = HashMap::new();
        for entry in &self.applications {
            match entry {
                Ok(application) => {
                    written.entry(identity(&application.namespace, &application.name)).or_insert(Some(application));
                }
                Err(invalid) => {
                    let name = invalid.name.as_deref().unwrap_or_default();
                    written.entry(identity(&invalid.namespace, name)).or_insert(None);
                }
            }
        }
        let (mut added, mut differing) = (Vec::new(), Vec::new());
        for entry in held.applications {
            let found = match &entry {
                Ok(held) => written.get(&identity(&held.namespace, &held.name)),
                Err(held) => held.name.as_deref().and_then(|name| written.get(&identity(&held.namespace, name))),
            };
            match (found, entry) {
                (None, entry) => added.push(entry),
                (Some(Some(written)), Ok(held)) => differing.extend(difference(written, &held)),
                (Some(_), _) => {}
            }
        }
        self.applications.extend(added);
        self.findings.extend(held.findings);
        self.findings.extend(differing);
        self.details.extend(held.details);
        for (kind, count) in held.ignored {
            *self.ignored.entry(kind).or_default() += count;
        }
    }
}

/// The warning that an Application in a cluster is not as its manifest has it.
fn difference(written: &Application, held: &Application) -> Option<Finding> {
    let rules = |application: &Application| -> Vec<IgnoreDifference> {
        let rules = application.ignore_differences.iter().cloned();
        rules.map(|rule| IgnoreDifference { line: 0, ..rule }).collect()
    };
    let blocks = |application: &Application| -> Vec<SourceBlock> {
        let sources = application.sources.iter();
        sources.map(|source| SourceBlock::of(source, application.source_form)).collect()
    };
    let sources = match written.source_form {
        SourceForm::Single => "spec.source",
        SourceForm::Multiple => "spec.sources",
        SourceForm::Hydrated => "spec.sourceHydrator",
    };
    let fields = [
        ("spec.project", written.project != held.project),
        (sources, blocks(written) != blocks(held)),
        ("spec.destination", written.destination != held.destination),
        ("spec.syncPolicy", written.sync_policy != held.sync_policy),
        ("spec.ignoreDifferences", rules(written) != rules(held)),
    ];
    let differing: Vec<String> =
        fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| format!("`{field}`")).collect();
    if differing.is_empty() {
        return None;
    }
    let Application { name, origin, .. } = written;
    let message = format!(
        "{name}: the Application in the cluster differs from {}:{} in {}",
        origin.file,
        origin.line,
        differing.join(", ")
    );
    let finding = Finding::warning(Code::FleetHeldDiffers, message);
    Some(finding.with_help(format!("the manifest is used; `kubectl diff -f {}` shows the difference", origin.file)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{self, Given, ManifestText};

    fn read(name: &str, manifest: &Value) -> Manifests {
        let bytes = manifest.to_string().into_bytes();
        app::read(&[ManifestText { name: name.into(), bytes, folder: ".".into(), given: Given::ByName }])
    }

    fn live() -> Value {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {
                "name": "shop", "namespace": "argocd", "uid": "1", "resourceVersion": "2", "generation": 3,
                "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": [{"manager": "argocd"}],
                "labels": {"team": "shop"},
                "annotations": {"argocd.argoproj.io/refresh": "hard", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
                "finalizers": ["resources-finalizer.argocd.argoproj.io"],
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "ConfigMap", "name": "a"},
                    {"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "name": "shops"},
                ],
            },
            "spec": {
                "project": "default", "source": {"repoURL": "https://git.example.com/shop", "path": "a"},
                "destination": {"name": "in-cluster"},
            },
            "operation": {"sync": {"prune": true}},
            "status": {"sync": {"status": "Synced"}},
        })
    }

    #[test]
    fn a_held_application_keeps_only_what_people_write() {
        let live = live();
        let manifest = written_manifest(&live);
        assert_eq!(
            manifest,
            json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                "metadata": {"name": "shop", "namespace": "argocd", "labels": {"team": "shop"},
                    "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
                "spec": live["spec"],
            })
        );
        let read = read("cluster", &manifest);
        assert!(read.findings.is_empty(), "{:?}", read.findings);
        let application = read.applications[0].as_ref().unwrap();
        assert!(application.operation.is_none() && application.findings.is_empty(), "{:?}", application.findings);
        assert_eq!(generating_set(&live), Some("shops"));
        assert!(!is_being_deleted(&live));
    }

    #[test]
    fn a_manifest_counts_before_the_application_in_the_cluster() {
        let held = written_manifest(&live());
        for (field, value, expected) in [
            ("/spec/project", json!("default"), None),
            ("/spec/project", json!("shop"), Some("`spec.project`")),
            ("/spec/source/path", json!("b"), Some("`spec.source`")),
            ("/spec/destination/name", json!("prod"), Some("`spec.destination`")),
            ("/metadata/namespace", json!(""), None),
        ] {
            let mut written = held.clone();
            *written.pointer_mut(field).unwrap() = value;
            let mut manifests = read("shop.yaml", &written);
            manifests.add_held(read("cluster", &held), "argocd");
            assert_eq!(manifests.applications.len(), 1, "{field}");
            let messages: Vec<String> = manifests.findings.iter().map(|finding| finding.message.clone()).collect();
            let words =
                |fields: &str| format!("shop: the Application in the cluster differs from shop.yaml:1 in {fields}");
            assert_eq!(messages, expected.map(words).into_iter().collect::<Vec<_>>(), "{field}");
        }
        let mut manifests = read("shop.yaml", &held);
        let mut other = held.clone();
        other["metadata"]["namespace"] = json!("team");
        manifests.add_held(read("cluster", &other), "argocd");
        assert_eq!(manifests.applications.len(), 2);
    }
}
