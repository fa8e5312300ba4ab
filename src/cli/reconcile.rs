//! `trueup reconcile`: one turn of the pull loop.

use super::arguments::cluster::ClusterArguments;
use super::arguments::comparing::ComparingArguments;
use super::arguments::health::HealthRuleArguments;
use super::arguments::output::{OutputArguments, ReportArguments};
use super::arguments::selection::SelectionArguments;
use super::arguments::source::SourceArguments;
use super::arguments::syncing::SyncingArguments;
use super::session::{Look, Session};
use super::sync::{Asked, outputs, prepare, report};
use crate::fleet::sync::{self, Wish};

/// Obey each application's sync policy, once: the pull loop's turn
///
/// Automated applications are synced when git moved, healed and pruned where their policies say so; others are reported.
/// Never asks. Exits like `sync`.
#[derive(Debug, clap::Args)]
pub(super) struct ReconcileArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    /// Set back what changed in the cluster, also where no policy says so: to the last sync, not to newer git
    #[arg(long, help_heading = "Syncing")]
    self_heal: bool,
    /// Delete what git dropped, also where no policy says so
    #[arg(long, help_heading = "Syncing")]
    auto_prune: bool,
    /// Show the plan, and write nothing
    #[arg(long, help_heading = "Syncing")]
    dry_run: bool,
    #[command(flatten)]
    syncing: SyncingArguments,
    #[command(flatten)]
    sources: SourceArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    #[command(flatten)]
    comparing: ComparingArguments,
    #[command(flatten)]
    rules: HealthRuleArguments,
    #[command(flatten)]
    report: ReportArguments,
    #[command(flatten)]
    output: OutputArguments,
}

impl ReconcileArguments {
    pub(super) fn look(&self) -> Look {
        Look {
            verbosity: self.output.verbosity(),
            context_lines: self.report.unified,
            show_ignored: self.report.show_ignored,
            exit: self.report.exit_rules(),
        }
    }
}

/// Reads, compares, decides, does, reports.
pub(super) async fn reconcile(arguments: ReconcileArguments, mut session: Session) -> u8 {
    let exit = arguments.report.exit_rules();
    let is_dry = arguments.dry_run;
    let outputs = match outputs(&arguments.report) {
        Ok(outputs) => outputs,
        Err(finding) => return session.refuse(&[finding]),
    };
    let wish = Wish::Reconcile { self_heal: arguments.self_heal, auto_prune: arguments.auto_prune };
    let ReconcileArguments { selection, syncing, sources, cluster, comparing, rules, .. } = arguments;
    let asked = Asked { wish, made: None, selection, syncing, sources, cluster, comparing, rules };
    let (prepared, wanted, world) = match prepare(asked, &session).await {
        Ok(prepared) => prepared,
        Err(findings) => return session.refuse(&findings),
    };
    let run = if is_dry { prepared.end(&world) } else { sync::perform(prepared, &wanted, &world).await };
    // Its sender of events is the last: the progress ends with it.
    drop(world);
    report(&mut session, &run, &outputs, &exit).await
}
