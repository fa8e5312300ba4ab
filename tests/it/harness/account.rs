//! A service account with exactly the rights that a test gives it.

use std::path::{Path, PathBuf};

use super::cluster::TestCluster;

/// A service account, its rights, and a kubeconfig that logs in as it.
#[derive(Debug)]
pub(crate) struct TestAccount<'cluster> {
    cluster: &'cluster TestCluster,
    name: String,
    kubeconfig: PathBuf,
    rights: usize,
}

impl<'cluster> TestAccount<'cluster> {
    pub(super) fn new(cluster: &'cluster TestCluster, name: &str, kubeconfig: PathBuf) -> Self {
        Self { cluster, name: name.to_owned(), kubeconfig, rights: 0 }
    }

    /// A Role in the namespace, in kubectl's words: `.may("get,list", "configmaps,deployments.apps")`.
    #[must_use]
    pub(crate) fn may(mut self, verbs: &str, resources: &str) -> Self {
        let (role, verbs, resources) = self.next_role(verbs, resources);
        let holder = format!("--serviceaccount={}:{}", self.cluster.name(), self.name);
        self.cluster.kubectl(["create", "role", &role, &verbs, &resources]);
        self.cluster.kubectl(["create", "rolebinding", &role, &format!("--role={role}"), &holder]);
        self
    }

    /// A `ClusterRole`: the same rights in every namespace, and on what has none.
    #[must_use]
    pub(crate) fn may_everywhere(mut self, verbs: &str, resources: &str) -> Self {
        let (role, verbs, resources) = self.next_role(verbs, resources);
        let holder = format!("--serviceaccount={}:{}", self.cluster.name(), self.name);
        self.cluster.kubectl(["create", "clusterrole", &role, &verbs, &resources]);
        self.cluster.kubectl(["create", "clusterrolebinding", &role, &format!("--clusterrole={role}"), &holder]);
        self
    }

    /// `system:serviceaccount:<namespace>:<name>`, as the API server calls it.
    pub(crate) fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.cluster.name(), self.name)
    }

    /// A kubeconfig that logs in as this account.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    fn next_role(&mut self, verbs: &str, resources: &str) -> (String, String, String) {
        self.rights += 1;
        let role = format!("{}-{}-{}", self.cluster.name(), self.name, self.rights);
        (role, format!("--verb={verbs}"), format!("--resource={resources}"))
    }
}
