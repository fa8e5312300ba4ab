//! What the verbs that judge health share: which applications, in which clusters, by which rules, and how it is reported.

use super::cluster::ClusterArguments;
use super::comparing::FromCluster;
use super::health::HealthRuleArguments;
use super::output::{HealthFormatArguments, OutputArguments};
use super::selection::{Chosen, SelectionArguments};
use super::source::SourceArguments;
use crate::cli::request;
use crate::cli::session::{Look, Session};
use crate::finding::Finding;
use crate::fleet::{Request, World};

/// The flags that the health commands share.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct JudgingArguments {
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    /// Read Argo CD's settings from the ConfigMap `argocd-cm` in its cluster
    #[arg(long, conflicts_with = "argocd_cm", help_heading = "Selection")]
    pub(crate) argocd_cm_from_cluster: bool,
    /// Read repository Secrets, TLS certificates and SSH host keys from Argo CD's cluster
    #[arg(long, help_heading = "Selection")]
    pub(crate) repositories_from_cluster: bool,
    #[command(flatten)]
    pub(crate) sources: SourceArguments,
    #[command(flatten)]
    pub(crate) cluster: ClusterArguments,
    #[command(flatten)]
    pub(crate) rules: HealthRuleArguments,
    #[command(flatten)]
    pub(crate) format: HealthFormatArguments,
    #[command(flatten)]
    pub(crate) telling: OutputArguments,
}

impl JudgingArguments {
    /// How to look.
    pub(crate) fn look(&self) -> Look {
        Look::plain(self.telling.verbosity())
    }

    /// The request and its world, and the words that select.
    pub(crate) async fn resolve(self, session: &Session) -> Result<(Request, World, Chosen), Vec<Finding>> {
        let clusters = self.cluster.settings();
        let judge = self.rules.judge(&self.selection.argocd()?.settings)?;
        let from_cluster =
            FromCluster { settings: self.argocd_cm_from_cluster, repositories: self.repositories_from_cluster };
        let (mut request, world) =
            request::request(&self.selection, self.sources, clusters, from_cluster, session).await?;
        request.health = Some(judge);
        request.log_lines = self.rules.logs;
        Ok((request, world, self.selection.chosen()))
    }
}
