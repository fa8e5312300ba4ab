//! What the verbs that judge health share: which applications, in which clusters, by which rules, and how it is reported.

use super::cluster::ClusterArguments;
use super::health::HealthRuleArguments;
use super::output::{FormatArguments, OutputArguments};
use super::selection::{Chosen, SelectionArguments};
use super::source::SourceArguments;
use crate::cli::request;
use crate::cli::session::{Look, Session};
use crate::finding::Finding;
use crate::fleet::{Request, World};
use crate::report::ExitRules;

/// The flags that the health commands share.
#[derive(Debug, clap::Args)]
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
    pub(crate) format: FormatArguments,
    #[command(flatten)]
    pub(crate) telling: OutputArguments,
}

impl JudgingArguments {
    /// How to look.
    pub(crate) fn look(&self) -> Look {
        look(&self.telling)
    }

    /// The request and its world, and the words that select.
    pub(crate) fn resolve(self, session: &Session) -> Result<(Request, World, Chosen), Vec<Finding>> {
        let clusters = self.cluster.settings();
        let concurrency = clusters.concurrency;
        let judge = self.rules.judge(&self.selection.argocd()?.settings)?;
        let mut request = request::request(&self.selection, &self.sources, concurrency, session)?;
        request.health = Some(judge);
        request.log_lines = self.rules.logs;
        request.settings_from_cluster = self.argocd_cm_from_cluster;
        request.repositories_from_cluster = self.repositories_from_cluster;
        let world = request::world(self.sources, clusters, concurrency, session)?;
        Ok((request, world, self.selection.chosen()))
    }
}

/// How to look, where nothing is compared.
pub(crate) fn look(telling: &OutputArguments) -> Look {
    Look { verbosity: telling.verbosity(), context_lines: None, show_ignored: false, exit: ExitRules::default() }
}
