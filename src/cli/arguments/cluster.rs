//! Which cluster, and as whom.

use std::path::PathBuf;

/// Which cluster, and as whom.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterArguments {
    /// Compare with a folder of manifests (such as `kubectl get -o yaml` dumps) in place of a cluster
    #[arg(long, value_name = "DIR")]
    pub(crate) live: Option<PathBuf>,
    /// The kubeconfig; default: `KUBECONFIG`, then ~/.kube/config, then the pod's service account
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context for applications of `https://kubernetes.default.svc`
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The kubeconfig's cluster, in place of the context's
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// The kubeconfig's user, in place of the context's
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// The user to act as
    #[arg(long = "as", value_name = "USER")]
    pub(crate) impersonate: Option<String>,
    /// A group to act as; may be repeated
    #[arg(long = "as-group", value_name = "GROUP", requires = "impersonate")]
    pub(crate) impersonate_groups: Vec<String>,
    /// How long one request may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) request_timeout: u64,
    /// The context for a destination, by its name or its server; may be repeated
    #[arg(long, value_name = "DESTINATION=CONTEXT")]
    pub(crate) context_map: Vec<String>,
    /// How many things are done side by side
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) concurrency: u16,
}
