//! Syncing: what is written, in which order, what is never touched, and what is left behind.

mod delete;
mod faults;
mod first;
mod folder;
mod identity;
mod incomplete;
mod killed;
mod merge;
mod methods;
mod moves;
mod order;
mod past;
mod prune;
mod question;
mod reconcile;
mod record;
mod refused;
mod rollback;
mod signals;
mod strangers;
mod together;

use serde_json::{Value, json};

use crate::harness::{Missing, TestApplication, TestCluster, TestRepo, config_map, deployment};

/// A Deployment and a ConfigMap in git, and a namespace to bring them to.
struct Shop {
    cluster: TestCluster,
    git: TestRepo,
    application: TestApplication,
}

impl Shop {
    fn new() -> Result<Self, Missing> {
        Self::with_policy(json!({}))
    }

    /// With this `spec.syncPolicy`. Without a garbage collector, what is deleted in the foreground stays for ever.
    fn with_policy(mut policy: Value) -> Result<Self, Missing> {
        policy["syncOptions"] = json!(["PrunePropagationPolicy=background"]);
        Ok(Self::with(TestCluster::namespace()?, policy))
    }

    fn with(cluster: TestCluster, policy: Value) -> Self {
        let git = TestRepo::new()
            .file("shop/web.yaml", deployment("web").replicas(2))
            .file("shop/settings.yaml", config_map("settings").data("colour", "green"))
            .commit("the shop");
        let application = git.application("shop").path("shop").deployed_to(&cluster).spec_field("syncPolicy", policy);
        Self { cluster, git, application }
    }

    fn changed(self, change: impl FnOnce(TestRepo) -> TestRepo) -> Self {
        Self { git: change(self.git), ..self }
    }

    /// With another policy from now on.
    fn with_sync_policy(self, mut policy: Value) -> Self {
        policy["syncOptions"] = json!(["PrunePropagationPolicy=background"]);
        let application = self.git.application("shop").path("shop").deployed_to(&self.cluster);
        Self { application: application.spec_field("syncPolicy", policy), ..self }
    }

    /// One object of the namespace; nothing when it is not there.
    fn live(&self, kind: &str, name: &str) -> Option<Value> {
        live(&self.cluster, kind, name)
    }
}

fn live(cluster: &TestCluster, kind: &str, name: &str) -> Option<Value> {
    let text = cluster.kubectl(["get", kind, name, "--ignore-not-found", "--show-managed-fields", "-o", "json"]);
    (!text.trim().is_empty()).then(|| serde_json::from_str(&text).unwrap())
}

/// A wave of its own for an object: more than one makes a sync wait for health.
fn in_wave(wave: i32, manifest: impl std::fmt::Display) -> String {
    annotated("argocd.argoproj.io/sync-wave", &wave.to_string(), manifest)
}

fn annotated(name: &str, value: &str, manifest: impl std::fmt::Display) -> String {
    let manifest = manifest.to_string();
    assert_eq!(manifest.matches("\nmetadata:\n").count(), 1, "{manifest}");
    manifest.replace("\nmetadata:\n", &format!("\nmetadata:\n  annotations:\n    {name}: {value:?}\n"))
}

/// The steps of a sync in the order of its plan, each with how it ended: `Sync ConfigMap/web done`.
fn steps(report: &Value) -> Vec<String> {
    let steps = report["applications"][0]["operation"]["steps"].as_array().expect("steps").clone();
    let told = |step: &Value| {
        let text = |field: &str| step[field].as_str().unwrap_or_default().to_owned();
        format!("{} {}/{} {}", text("phase"), text("kind"), text("name"), text("result"))
    };
    steps.iter().map(told).collect()
}

/// A hook, of any kind: its types and its delete policy.
fn hook(types: &str, policy: &str, mut manifest: Value) -> Value {
    manifest["metadata"]["annotations"]["argocd.argoproj.io/hook"] = json!(types);
    if !policy.is_empty() {
        manifest["metadata"]["annotations"]["argocd.argoproj.io/hook-delete-policy"] = json!(policy);
    }
    manifest
}

/// The published schema and the report of a sync are one contract.
fn holds_to_the_schema(report: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/report.schema.json")).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(report).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}\n{report:#}");
}

/// A Job whose pod ends as it is told: `Succeeded` or `Failed`.
fn job(name: &str, outcome: &str) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {
            "metadata": {"annotations": {"test.trueup.dev/outcome": outcome}},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "job", "image": "registry.example.com/job:1"}]},
        }},
    })
}

/// A `ConfigMap` as a value: one without health, which works as soon as it is there.
fn plain(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}})
}

/// A Service that needs no controller.
fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80}]},
    })
}

/// The wave of an object.
fn wave(wave: i32, mut manifest: Value) -> Value {
    manifest["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] = json!(wave.to_string());
    manifest
}

/// What the record says of the last attempt.
fn attempt(cluster: &TestCluster, application: &str) -> Value {
    let parent = live(cluster, "configmap", &format!("trueup-{application}")).expect("the record is there");
    serde_json::from_str(parent["data"]["attempt.json"].as_str().expect("an attempt")).expect("it is JSON")
}

/// Who has the lock; nobody where it was given back.
fn lock_holder(cluster: &TestCluster, application: &str) -> String {
    let lease = live(cluster, "lease", &format!("trueup-{application}")).expect("the lock is there");
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
}

/// Whether a request really writes to the objects of an application, and does not only ask or renew the lock.
fn is_write(line: &str) -> bool {
    ["POST ", "PUT ", "PATCH ", "DELETE "].iter().any(|verb| line.starts_with(verb))
        && !["dryRun=All", "/leases/", "authorization.k8s.io", "authentication.k8s.io"]
            .iter()
            .any(|part| line.contains(part))
}
