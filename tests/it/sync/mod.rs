//! Syncing: what is written, in which order, what is never touched, and what is left behind.

mod first;
mod prune;
mod reconcile;
mod rollback;

use serde_json::{Value, json};

use crate::harness::{Missing, TestApplication, TestCluster, TestRepo, config_map, deployment, trueup};

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

/// Objects by kind and name, oldest first; those of one second in the order of their names.
fn steps(report: &Value) -> Vec<String> {
    let steps = report["applications"][0]["operation"]["steps"].as_array().expect("steps").clone();
    let told = |step: &Value| {
        let text = |field: &str| step[field].as_str().unwrap_or_default().to_owned();
        format!("{} {}/{} {}", text("phase"), text("kind"), text("name"), text("result"))
    };
    steps.iter().map(told).collect()
}
