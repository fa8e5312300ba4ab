//! Which cluster, and as whom.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::session::environment;
use crate::cluster::settings::{parse_context_mapping, parse_request_timeout};
use crate::cluster::{ClusterEnvironment, ClusterSettings};

/// A duration, or none for no limit. An alias, so that clap does not take the `Option` for an optional argument.
type RequestTimeout = Option<Duration>;

/// Clusters and credentials.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterArguments {
    /// Compare with a folder of manifests, such as `kubectl get -o yaml` dumps, instead of a cluster
    #[arg(long, value_name = "DIR")]
    pub(crate) live: Option<PathBuf>,
    /// Use this kubeconfig [default: `KUBECONFIG`, ~/.kube/config, the pod's service account]
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Use this kubeconfig context for applications of `https://kubernetes.default.svc`
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Use this kubeconfig cluster instead of the context's
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// Use this kubeconfig user instead of the context's
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Impersonate this user
    #[arg(long = "as", value_name = "USER")]
    pub(crate) impersonate: Option<String>,
    /// Impersonate this group; repeatable
    #[arg(long = "as-group", value_name = "GROUP", requires = "impersonate")]
    pub(crate) impersonate_groups: Vec<String>,
    /// Limit each request to this time: 30, 30s, 1m30s; 0 for no limit
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_request_timeout)]
    pub(crate) request_timeout: RequestTimeout,
    /// Use a kubeconfig context for a destination, by its name or server; repeatable
    #[arg(long, value_name = "DESTINATION=CONTEXT", value_parser = parse_context_mapping)]
    pub(crate) context_map: Vec<(String, String)>,
    /// Run at most this many operations in parallel
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) concurrency: u16,
}

impl ClusterArguments {
    /// The flags and the environment, resolved.
    pub(crate) fn settings(self) -> ClusterSettings {
        ClusterSettings {
            live: self.live,
            kubeconfig: self.kubeconfig,
            context: self.context,
            cluster: self.cluster,
            server: None,
            user: self.user,
            impersonate: self.impersonate,
            impersonate_groups: self.impersonate_groups,
            request_timeout: self.request_timeout,
            concurrency: usize::from(self.concurrency),
            cache_dir: None,
            context_map: self.context_map.into_iter().collect(),
            untrusted: false,
            environment: ClusterEnvironment::read(environment),
        }
    }
}
