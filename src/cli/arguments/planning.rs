//! What every command that plans a sync is reported alike.

use super::cluster::ClusterArguments;
use super::comparing::ComparingArguments;
use super::health::HealthRuleArguments;
use super::output::{OutputArguments, ReportArguments};
use super::selection::SelectionArguments;
use super::source::SourceArguments;
use super::syncing::SyncingArguments;
use crate::cli::session::Look;

/// The flags of all commands that plan a sync.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PlanningArguments {
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    #[command(flatten)]
    pub(crate) syncing: SyncingArguments,
    #[command(flatten)]
    pub(crate) sources: SourceArguments,
    #[command(flatten)]
    pub(crate) cluster: ClusterArguments,
    #[command(flatten)]
    pub(crate) comparing: ComparingArguments,
    #[command(flatten)]
    pub(crate) rules: HealthRuleArguments,
    #[command(flatten)]
    pub(crate) report: ReportArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

impl PlanningArguments {
    /// How to look.
    pub(crate) fn look(&self) -> Look {
        Look {
            verbosity: self.output.verbosity(),
            context_lines: self.report.unified,
            show_ignored: self.report.show_ignored,
            exit: self.report.exit_rules(),
        }
    }
}
