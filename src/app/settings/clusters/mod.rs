//! The clusters that Argo CD knows: Secrets with the label `argocd.argoproj.io/secret-type: cluster`.
//!
//! In: the text of a file with their manifests, or the objects. Out: [`RegisteredClusters`], asked by a destination's name or server.
//! Values stay in [`Secret`]s; no error and no `Debug` shows one. What is wrong with one Secret costs only the applications of its
//! cluster, so it is kept with the cluster ([`RegisteredCluster::login`]).
//!
//! Rules: Argo CD util/db/cluster.go `SecretToCluster`, pkg/apis/application/v1alpha1/types.go `RawRestConfig`; client-go
//! rest/config.go for what goes together.

mod reading;

use std::collections::{BTreeMap, BTreeSet};

use super::ClientCertificate;
use crate::finding::Finding;
use crate::object::Object;
use crate::object::annotations::SKIP_RECONCILE;
use crate::secret::Secret;

/// The address of the cluster that Argo CD runs in, as Argo CD writes it.
pub const LOCAL_CLUSTER: &str = "https://kubernetes.default.svc";

/// Why the Secret of a cluster cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum ClusterSecretFault {
    /// The file is no YAML.
    #[error("{file}:{line}: cannot be read: {why}")]
    #[diagnostic(code(trueup::settings::yaml), help("`--clusters` takes manifests of cluster Secrets"))]
    Yaml {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// The fault.
        why: String,
    },
    /// A Secret that does not name its cluster.
    #[error("{place}: has no `server`")]
    #[diagnostic(
        code(trueup::settings::cluster),
        help("Argo CD finds a cluster by the `server` of its Secret: add the URL of its API server")
    )]
    NoServer {
        /// The Secret and where it is.
        place: String,
    },
    /// A field of a Secret.
    #[error("{place}: `{field}` {why}")]
    #[diagnostic(
        code(trueup::settings::cluster),
        help("`config` is one JSON object; in `data` all of it is base64, in `stringData` it is written as it is")
    )]
    Field {
        /// The Secret and where it is.
        place: String,
        /// The field: `config.tlsClientConfig.caData`.
        field: String,
        /// The fault; never its value.
        why: String,
    },
}

/// A program that prints credentials: a client-go credential plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialProgram {
    /// The program.
    pub command: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The variables that are added to its environment.
    pub environment: BTreeMap<String, Secret<String>>,
    /// The version of its protocol.
    pub api_version: String,
    /// The advice where it is not installed.
    pub install_hint: String,
}

/// What opens a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ClusterCredential {
    /// Nothing, or a client certificate alone.
    #[default]
    None,
    /// `username` and `password`.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Secret<String>,
    },
    /// `bearerToken`.
    Token(Secret<String>),
    /// `execProviderConfig`, or `awsAuthConfig`, for which Argo CD runs `argocd-k8s-auth`.
    Program(CredentialProgram),
}

/// How a cluster is connected to: the `config` of its Secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterLogin {
    /// What opens it.
    pub credential: ClusterCredential,
    /// `tlsClientConfig.certData` and `keyData`.
    pub client_certificate: Option<ClientCertificate>,
    /// `tlsClientConfig.caData`, in PEM.
    pub authority: Option<String>,
    /// `tlsClientConfig.insecure`: its certificate is not checked.
    pub insecure: bool,
    /// `tlsClientConfig.serverName`.
    pub server_name: String,
    /// `disableCompression`.
    pub disable_compression: bool,
    /// `proxyUrl`; may hold a password.
    pub proxy: Option<Secret<String>>,
}

impl ClusterLogin {
    /// Whether it has nothing that opens the cluster.
    pub fn is_anonymous(&self) -> bool {
        self.credential == ClusterCredential::None && self.client_certificate.is_none()
    }
}

/// One cluster, as its Secret describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredCluster {
    /// The Secret and where it is: ``Secret `prod` of clusters.yaml``.
    pub place: String,
    /// The Secret's name.
    pub secret: String,
    /// `name`.
    pub name: String,
    /// `server`, without slashes at its end.
    pub server: String,
    /// `project`: the one that the cluster belongs to; empty for none.
    pub project: String,
    /// `namespaces`: the only ones that are managed; empty for all.
    pub namespaces: BTreeSet<String>,
    /// `clusterResources`: whether cluster-scoped resources are managed although `namespaces` are named.
    pub cluster_resources: bool,
    /// The Secret's labels.
    pub labels: BTreeMap<String, String>,
    /// The Secret's annotations.
    pub annotations: BTreeMap<String, String>,
    /// How it is connected to; or everything that is wrong with it.
    pub login: Result<ClusterLogin, Vec<ClusterSecretFault>>,
}

impl RegisteredCluster {
    /// Its name, or its server where it has none.
    pub fn shown_name(&self) -> &str {
        if self.name.is_empty() { &self.server } else { &self.name }
    }

    /// Whether Argo CD leaves the cluster alone.
    pub fn skips_reconcile(&self) -> bool {
        self.annotations.get(SKIP_RECONCILE).is_some_and(|value| value == "true")
    }
}

/// Every cluster that Secrets describe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegisteredClusters {
    clusters: Vec<RegisteredCluster>,
}

impl RegisteredClusters {
    /// Reads manifests; what is no Secret of a cluster is left alone.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, ClusterSecretFault> {
        reading::read(file, bytes).map(|clusters| Self { clusters })
    }

    /// Reads objects, as a cluster has them.
    pub fn of_objects<'a>(place: &str, objects: impl IntoIterator<Item = &'a Object>) -> Self {
        Self { clusters: objects.into_iter().filter_map(|object| reading::cluster(place, object)).collect() }
    }

    /// Every cluster, in order.
    pub fn iter(&self) -> impl Iterator<Item = &RegisteredCluster> {
        self.clusters.iter()
    }

    /// Adds what another file of the same place has.
    pub fn join(&mut self, other: Self) {
        self.clusters.extend(other.clusters);
    }

    /// Adds what is known from elsewhere. Of a server that is known already, what was there counts: a file comes before a cluster.
    pub fn extend(&mut self, other: Self) {
        let known: BTreeSet<String> = self.clusters.iter().map(|cluster| cluster.server.clone()).collect();
        self.clusters.extend(other.clusters.into_iter().filter(|cluster| !known.contains(&cluster.server)));
    }

    /// What is wrong with Secrets that no destination can mean, because they name no server.
    pub fn nameless(&self) -> impl Iterator<Item = Finding> {
        let nameless = self.clusters.iter().filter(|cluster| cluster.server.is_empty());
        nameless.filter_map(|cluster| cluster.login.as_ref().err()?.first()).map(|fault| Finding::of(fault))
    }
}

#[cfg(test)]
mod tests;
