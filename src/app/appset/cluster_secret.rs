//! A cluster as a Secret of Argo CD describes it.

use std::collections::BTreeMap;

/// A cluster that Argo CD knows: what a Secret says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterSecret {
    /// The cluster's name.
    pub name: String,
    /// The API server's URL.
    pub server: String,
    /// The project that the cluster belongs to.
    pub project: String,
    /// The Secret's labels.
    pub labels: BTreeMap<String, String>,
    /// The Secret's annotations.
    pub annotations: BTreeMap<String, String>,
}
