//! What counts as a difference.

use super::state::StateArguments;

/// Flags that decide which differences count as drift.
#[expect(clippy::struct_excessive_bools, reason = "they are flags of the command line")]
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Comparing")]
pub(crate) struct ComparingArguments {
    /// Read Argo CD's settings from the ConfigMap `argocd-cm` in its cluster
    #[arg(long, conflicts_with = "argocd_cm")]
    pub(crate) argocd_cm_from_cluster: bool,
    /// Read repository Secrets, TLS certificates and SSH host keys from Argo CD's cluster
    #[arg(long)]
    pub(crate) repositories_from_cluster: bool,
    /// Treat fields that exist only in the cluster as drift
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) state: StateArguments,
    /// Take over the record of an application that moved to another namespace, cluster or repository
    #[arg(long, help_heading = "State")]
    pub(crate) accept_move: bool,
}

impl ComparingArguments {
    /// The parts that are read from Argo CD's cluster.
    pub(crate) fn read_from_cluster(&self) -> FromCluster {
        FromCluster { settings: self.argocd_cm_from_cluster, repositories: self.repositories_from_cluster }
    }
}

/// The parts that are read from the cluster that Argo CD runs in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FromCluster {
    /// `argocd-cm`.
    pub(crate) settings: bool,
    /// Repository Secrets.
    pub(crate) repositories: bool,
}
