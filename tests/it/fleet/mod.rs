//! Fleets: ApplicationSets and Applications of Applications in every command.

mod order;
mod removals;
mod sets;
mod tree;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Outcome, Run};
use crate::harness::{TestCluster, TestRepo, config_map, folder_with, trueup};

/// A repository, a namespace, and a folder with the manifests at the top.
struct Fleet {
    cluster: TestCluster,
    git: TestRepo,
    top: TempDir,
}

impl Fleet {
    /// Manifests of the top by name.
    fn new<const N: usize>(cluster: TestCluster, git: TestRepo, manifests: [(&str, &Value); N]) -> Self {
        let top = folder_with(manifests.map(|(name, manifest)| (name, manifest as &dyn std::fmt::Display)));
        Self { cluster, git, top }
    }

    /// A run of a command with the folder of manifests as its PATH.
    fn run<const N: usize>(&self, arguments: [&str; N]) -> Run {
        trueup(arguments).argument(self.top.path()).kubeconfig(self.cluster.kubeconfig())
    }

    /// The same with `-o json`: each application's name, its status, and where it comes from.
    #[track_caller]
    fn applications<const N: usize>(&self, arguments: [&str; N], code: i32) -> Vec<String> {
        listed(&self.run(arguments).arguments(["-o", "json"]).exits(code))
    }

    /// Whether a ConfigMap is in the namespace.
    fn has(&self, name: &str) -> bool {
        !self.cluster.kubectl(["get", "configmap", name, "--ignore-not-found", "-o", "name"]).is_empty()
    }
}

/// `web Synced of argocd/shops in argocd/root`, for each application of a report.
fn listed(outcome: &Outcome) -> Vec<String> {
    let report = outcome.json();
    let line = |application: &Value| {
        let text = |field: &str| application[field].as_str().unwrap_or_default().to_owned();
        let mut line = format!("{} {}", text("name"), text("sync"));
        for (word, field) in [("of", "generatedBy"), ("in", "parent")] {
            if !text(field).is_empty() {
                line = format!("{line} {word} {}", text(field));
            }
        }
        line
    };
    report["applications"].as_array().expect("applications").iter().map(line).collect()
}

/// An Application of a folder in a repository.
fn application(name: &str, git: &TestRepo, path: &str, cluster: &TestCluster) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": git.url(), "path": path, "targetRevision": "HEAD"},
            "destination": {"server": cluster.server(), "namespace": cluster.name()},
        }
    })
}

/// An ApplicationSet that generates such Applications.
#[expect(clippy::needless_pass_by_value, reason = "the calls read as the manifests do")]
fn application_set(name: &str, generators: Value, application: Value) -> Value {
    let mut template = application;
    for field in ["apiVersion", "kind"] {
        template.as_object_mut().expect("a map").remove(field);
    }
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "goTemplate": true, "goTemplateOptions": ["missingkey=error"],
            "generators": generators, "template": template,
        }
    })
}

/// A repository with one ConfigMap in each of these folders, named like it.
fn folders(paths: &[&str]) -> TestRepo {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    paths.iter().fold(TestRepo::new(), |git, path| git.file(&format!("{path}/map.yaml"), config_map(&name(path))))
}
