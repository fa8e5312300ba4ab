//! `trueup reconcile`: one turn of the pull loop.

use super::arguments::planning::PlanningArguments;
use super::session::{Look, Session};
use super::sync::{Asked, prepare, report};
use crate::fleet::commands::sync;
use crate::fleet::sync::Wish;

/// Apply each application's sync policy once: one turn of the pull loop
///
/// Syncs automated applications if git changed, self-heals and prunes as their policies say, and reports the others.
/// Never asks. Exits like `sync`.
#[derive(Debug, clap::Args)]
pub(super) struct ReconcileArguments {
    /// Revert changes in the cluster to the last sync, even if the policy does not say so
    #[arg(long, help_heading = "Syncing")]
    self_heal: bool,
    /// Delete objects that were removed from git, even if the policy does not say so
    #[arg(long, help_heading = "Syncing")]
    auto_prune: bool,
    /// Show the plan and change nothing
    #[arg(long, help_heading = "Syncing")]
    dry_run: bool,
    #[command(flatten)]
    planning: PlanningArguments,
}

impl ReconcileArguments {
    pub(super) fn look(&self) -> Look {
        self.planning.look()
    }
}

/// Reads, compares, decides, does, reports.
pub(super) async fn reconcile(arguments: ReconcileArguments, mut session: Session) -> u8 {
    let exit = arguments.planning.report.exit_rules();
    let is_dry = arguments.dry_run;
    let outputs = match arguments.planning.report.outputs() {
        Ok(outputs) => outputs,
        Err(findings) => return session.refuse(&findings),
    };
    let wish = Wish::Reconcile { self_heal: arguments.self_heal, auto_prune: arguments.auto_prune };
    let asked = Asked { wish, is_shown: is_dry, made: None, planning: arguments.planning };
    let (prepared, wanted, world) = match prepare(asked, &session).await {
        Ok(prepared) => prepared,
        Err(findings) => return session.refuse(&findings),
    };
    let run = if is_dry { prepared.end(&world) } else { Box::pin(sync::perform(prepared, &wanted, &world)).await };
    // Its sender of events is the last: the progress ends with it.
    drop(world);
    report(&mut session, &run, &outputs, &exit).await
}
