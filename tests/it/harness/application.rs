//! An Argo CD Application manifest for a test, written to a folder of its own when it is first needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::cluster::TestCluster;

/// An Application with one directory source.
#[derive(Debug)]
pub(crate) struct TestApplication {
    name: String,
    source: Map<String, Value>,
    destination: Value,
    kubeconfig: Option<PathBuf>,
    spec: Map<String, Value>,
    folder: TempDir,
    written: OnceLock<PathBuf>,
}

impl TestApplication {
    pub(super) fn new(name: &str, url: &str) -> Self {
        let source = [("repoURL", url), ("path", "."), ("targetRevision", "HEAD")];
        Self {
            name: name.to_owned(),
            source: source.into_iter().map(|(field, value)| (field.to_owned(), json!(value))).collect(),
            destination: json!({"server": "https://kubernetes.default.svc", "namespace": "default"}),
            kubeconfig: None,
            spec: Map::new(),
            folder: tempfile::Builder::new().prefix("trueup-application-").tempdir().expect("a folder"),
            written: OnceLock::new(),
        }
    }

    /// An Application with this source.
    pub(crate) fn of_source(name: &str, source: Value) -> Self {
        let Value::Object(source) = source else { panic!("a source is a map: {source}") };
        Self { source, ..Self::new(name, "") }
    }

    /// `spec.destination` is the test's namespace on the API server, and runs get its kubeconfig.
    #[must_use]
    pub(crate) fn deployed_to(mut self, cluster: &TestCluster) -> Self {
        self.destination = json!({"server": cluster.server(), "namespace": cluster.name()});
        self.kubeconfig = Some(cluster.kubeconfig().to_owned());
        self
    }

    /// `spec.destination`, for what [`Self::deployed_to`] does not say.
    #[must_use]
    pub(crate) fn destination(mut self, destination: Value) -> Self {
        self.destination = destination;
        self
    }

    /// `spec.source.path`; without it, the whole repository.
    #[must_use]
    pub(crate) fn path(self, path: &str) -> Self {
        self.source_field("path", json!(path))
    }

    /// `spec.source.targetRevision`; without it, `HEAD`.
    #[must_use]
    pub(crate) fn revision(self, revision: &str) -> Self {
        self.source_field("targetRevision", json!(revision))
    }

    /// `spec.source.directory.recurse`.
    #[must_use]
    pub(crate) fn recurse(self) -> Self {
        self.source_field("directory", json!({"recurse": true}))
    }

    /// Any field of `spec.source`.
    #[must_use]
    pub(crate) fn source_field(mut self, field: &str, value: Value) -> Self {
        self.source.insert(field.to_owned(), value);
        self
    }

    /// Any other field of `spec`.
    #[must_use]
    pub(crate) fn spec_field(mut self, field: &str, value: Value) -> Self {
        self.spec.insert(field.to_owned(), value);
        self
    }

    /// The manifest's file, written on first use.
    pub(crate) fn manifest(&self) -> &Path {
        self.written.get_or_init(|| {
            let path = self.folder.path().join(format!("{}.yaml", self.name));
            fs::write(&path, self.text()).expect("the folder is ours");
            path
        })
    }

    /// The administrator's kubeconfig of the cluster that it is deployed to.
    pub(crate) fn kubeconfig(&self) -> Option<&Path> {
        self.kubeconfig.as_deref()
    }

    /// The manifest; JSON is YAML too, and needs no emitter of ours.
    fn text(&self) -> String {
        let mut spec = self.spec.clone();
        spec.entry("project").or_insert_with(|| json!("default"));
        if !spec.contains_key("sources") {
            spec.entry("source").or_insert_with(|| Value::Object(self.source.clone()));
        }
        spec.entry("destination").or_insert_with(|| self.destination.clone());
        let manifest = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": self.name, "namespace": "argocd"}, "spec": spec,
        });
        format!("{manifest:#}\n")
    }
}

/// The manifest says what the test said, in Argo CD's fields.
#[test]
fn an_application_is_written_as_argo_cd_reads_it() {
    let git = super::TestRepo::new();
    let shop = git
        .application("shop")
        .path("shop")
        .revision("v1.0.0")
        .recurse()
        .destination(json!({"name": "prod"}))
        .spec_field("syncPolicy", json!({"automated": {}}));

    let manifest: Value = serde_json::from_str(&fs::read_to_string(shop.manifest()).unwrap()).unwrap();
    assert!(shop.kubeconfig().is_none());
    assert_eq!(
        manifest["spec"],
        json!({
            "project": "default", "destination": {"name": "prod"}, "syncPolicy": {"automated": {}},
            "source": {"repoURL": git.url(), "path": "shop", "targetRevision": "v1.0.0", "directory": {"recurse": true}},
        })
    );
}
