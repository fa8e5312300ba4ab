//! Applications that are not in files as they are: in a cluster, in what a chart or a kustomization renders.

use std::path::PathBuf;

/// Where Applications are, beside PATH.
#[derive(Debug, Default, Clone, clap::Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct InputArguments {
    /// Render this Helm chart, and read the Applications that it contains; repeatable
    #[arg(long, value_name = "DIR")]
    pub(crate) chart: Vec<PathBuf>,
    /// Build this kustomization, and read the Applications that it contains; repeatable
    #[arg(short = 'k', long = "kustomization", value_name = "DIR")]
    pub(crate) kustomization: Vec<PathBuf>,
    /// Read the Applications, ApplicationSets and projects of the cluster that Argo CD runs in: those of its namespace, of
    /// `-n NAMESPACE`, or with `-A` of all
    #[arg(long)]
    pub(crate) from_cluster: bool,
}

impl InputArguments {
    /// Whether any of them is given.
    pub(crate) fn is_given(&self) -> bool {
        self.from_cluster || !self.chart.is_empty() || !self.kustomization.is_empty()
    }
}
