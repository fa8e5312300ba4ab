//! Clusters by Argo CD's Secrets: what they open, what they limit, and what a broken one costs.

mod commands;
mod limits;
mod secrets;

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Outcome, TestCluster};

/// A folder with cluster Secrets, as `--clusters` reads it.
struct ClusterSecrets {
    folder: TempDir,
}

impl ClusterSecrets {
    fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("trueup-clusters-").tempdir().unwrap() }
    }

    /// One more Secret, of the name of its cluster.
    fn with(self, name: &str, server: &str, config: &Value) -> Self {
        self.with_data(name, &json!({ "name": name, "server": server, "config": config.to_string() }))
    }

    fn with_data(self, name: &str, data: &Value) -> Self {
        let secret = cluster_secret(name, data);
        fs::write(self.folder.path().join(format!("{name}.yaml")), format!("{secret:#}\n")).unwrap();
        self
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn cluster_secret(name: &str, data: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": name, "labels": { "argocd.argoproj.io/secret-type": "cluster" } },
        "stringData": data,
    })
}

/// `config` with this credential, and the authority of the cluster's certificate.
fn config(cluster: &TestCluster, credential: &Value) -> Value {
    let mut config = credential.clone();
    let pem = fs::read(authority(cluster)).unwrap();
    config["tlsClientConfig"] = json!({ "caData": base64::engine::general_purpose::STANDARD.encode(pem) });
    config
}

fn authority(cluster: &TestCluster) -> PathBuf {
    cluster.control_plane_folder().join("certificates/apiserver.crt")
}

/// The administrator's token.
fn token(cluster: &TestCluster) -> String {
    let kubeconfig: Value = serde_json::from_str(&fs::read_to_string(cluster.kubeconfig()).unwrap()).unwrap();
    kubeconfig["users"][0]["user"]["token"].as_str().unwrap().to_owned()
}

/// Everything that a run printed, however its lines were wrapped.
fn flat(outcome: &Outcome) -> String {
    outcome.transcript().split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

fn with_token(cluster: &TestCluster) -> Value {
    config(cluster, &json!({ "bearerToken": token(cluster) }))
}
