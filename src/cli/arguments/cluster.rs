//! Which cluster, and as whom.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::session::environment;
use crate::cluster::settings::{parse_context_mapping, parse_request_timeout};
use crate::cluster::{ClusterEnvironment, ClusterSettings};

/// How long; nothing is for ever. A name of its own, so that clap does not take the `Option` for "may be left out".
type RequestTimeout = Option<Duration>;

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
    /// How long one request may take: 30, 30s, 1m30s; 0 is for ever
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_request_timeout)]
    pub(crate) request_timeout: RequestTimeout,
    /// The context for a destination, by its name or its server; may be repeated
    #[arg(long, value_name = "DESTINATION=CONTEXT", value_parser = parse_context_mapping)]
    pub(crate) context_map: Vec<(String, String)>,
    /// How many things are done side by side
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
            environment: ClusterEnvironment::read(environment),
        }
    }
}
