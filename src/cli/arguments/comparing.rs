//! What counts as a difference.

use super::state::StateArguments;

/// What counts as a difference.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Comparing")]
pub(crate) struct ComparingArguments {
    /// Read Argo CD's settings from the ConfigMap `argocd-cm` of the cluster that it runs in
    #[arg(long, conflicts_with = "argocd_cm")]
    pub(crate) argocd_cm_from_cluster: bool,
    /// Read the Secrets of repositories from the cluster that Argo CD runs in, and what it knows servers by
    #[arg(long)]
    pub(crate) repositories_from_cluster: bool,
    /// Count what people's tools added where git is silent as drift
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) state: StateArguments,
}
