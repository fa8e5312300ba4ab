//! `trueup delete`: take an application away, with everything that is its own.

use std::time::Duration;

use clap::ValueEnum;

use super::arguments::cluster::ClusterArguments;
use super::arguments::comparing::ComparingArguments;
use super::arguments::health::HealthRuleArguments;
use super::arguments::output::{OutputArguments, ReportArguments};
use super::arguments::planning::PlanningArguments;
use super::arguments::selection::SelectionArguments;
use super::arguments::source::SourceArguments;
use super::arguments::state::StateArguments;
use super::arguments::syncing::{SyncingArguments, parse_lock_duration, parse_patience, parse_wait};
use super::session::{Look, Session};
use super::sync::Asked;
use super::undo::{Consent, Question, carry_out, narrow};
use crate::cluster::Propagation;
use crate::fleet::sync::{Delete, Wish};
use crate::sync::plan::MaxPrune;

/// Delete an application and everything it owns
///
/// Runs its `PreDelete` hooks, deletes its objects in reverse order of waves, runs its `PostDelete` hooks, and removes
/// its record. Deletes only what the application provably owns; objects with `Delete=false` stay and are no longer
/// tracked. The manifest is not changed: the next sync would apply everything again.
/// Shows the plan and asks. Exits with 1 if something is left, with 3 if a hook failed or an object does not go away.
#[expect(clippy::struct_excessive_bools, reason = "they are flags of the command line")]
#[derive(Debug, clap::Args)]
#[command(override_usage = "trueup delete [OPTIONS] <APP> [PATH]...")]
pub(super) struct DeleteArguments {
    /// The application's name (`name` or `namespace/name`); with `--app`, a PATH
    #[arg(value_name = "APP")]
    application: Option<String>,
    #[command(flatten)]
    selection: SelectionArguments,
    /// Keep all objects, no longer tracked, and run no hooks
    #[arg(long, help_heading = "Deleting", conflicts_with_all = ["propagation_policy", "approve", "prune_protected"])]
    orphan: bool,
    /// Run no hooks, and fetch nothing from git
    #[arg(long, help_heading = "Deleting")]
    no_hooks: bool,
    /// Set how dependents are deleted [default: the application's sync options, else `foreground`]
    #[arg(long, value_name = "POLICY", value_enum, help_heading = "Deleting")]
    propagation_policy: Option<PropagationPolicy>,
    /// Confirm `Delete=confirm`
    #[arg(long, help_heading = "Deleting")]
    approve: bool,
    /// Also delete volume claims (PVCs), Namespaces and CRDs
    #[arg(long, help_heading = "Deleting")]
    prune_protected: bool,
    /// Show the plan and change nothing
    #[arg(long, help_heading = "Deleting")]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(short, long, alias = "auto-approve", help_heading = "Deleting")]
    yes: bool,
    /// Wait this long between two waves
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_wait, help_heading = "Deleting")]
    wave_delay: Duration,
    /// Limit each wave to this time; 0 for no limit
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_patience, help_heading = "Deleting")]
    timeout: Duration,
    /// Wait this long for the lock if another run holds it
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_wait, help_heading = "Deleting")]
    lock_timeout: Duration,
    /// Expire the lock of a run that died after this time
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_lock_duration, help_heading = "Deleting")]
    lock_duration: Duration,
    /// Read repository Secrets, TLS certificates and SSH host keys from Argo CD's cluster
    #[arg(long, help_heading = "Deleting")]
    repositories_from_cluster: bool,
    #[command(flatten)]
    state: StateArguments,
    /// Take over the record of an application that moved to another namespace, cluster or repository
    #[arg(long, help_heading = "State")]
    accept_move: bool,
    #[command(flatten)]
    sources: SourceArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    #[command(flatten)]
    rules: HealthRuleArguments,
    #[command(flatten)]
    report: ReportArguments,
    #[command(flatten)]
    output: OutputArguments,
}

/// How the dependents of a deleted object are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PropagationPolicy {
    /// Delete dependents first
    Foreground,
    /// Delete dependents afterwards
    Background,
    /// Keep dependents
    Orphan,
}

impl From<PropagationPolicy> for Propagation {
    fn from(policy: PropagationPolicy) -> Self {
        match policy {
            PropagationPolicy::Foreground => Self::Foreground,
            PropagationPolicy::Background => Self::Background,
            PropagationPolicy::Orphan => Self::Orphan,
        }
    }
}

impl DeleteArguments {
    pub(super) fn look(&self) -> Look {
        Look {
            verbosity: self.output.verbosity(),
            context_lines: self.report.unified,
            show_ignored: self.report.show_ignored,
            exit: self.report.exit_rules(),
        }
    }

    /// The arguments of a sync that a deletion uses.
    fn syncing(&self) -> SyncingArguments {
        SyncingArguments {
            approve: self.approve,
            prune_protected: self.prune_protected,
            wave_delay: self.wave_delay,
            timeout: self.timeout,
            lock_timeout: self.lock_timeout,
            lock_duration: self.lock_duration,
            adopt: false,
            force: false,
            max_prune: MaxPrune::Percent(100),
            allow_empty: true,
            allow_shared: false,
            apply_all: false,
            allow_removals: false,
            wait: false,
            wait_window: Duration::ZERO,
            fail_fast: false,
            by: None,
            write_status: false,
        }
    }
}

/// Reads, plans, asks, deletes, reports.
pub(super) async fn delete(mut arguments: DeleteArguments, session: Session) -> u8 {
    if let Err(finding) = narrow(&mut arguments.selection, arguments.application.take()) {
        return session.refuse(&[finding]);
    }
    let consent = Consent { is_dry: arguments.dry_run, is_given: arguments.yes, question: Question::Delete };
    let wish = Wish::Delete(Delete {
        orphan: arguments.orphan,
        hooks: !arguments.no_hooks,
        propagation: arguments.propagation_policy.map(Propagation::from),
    });
    let syncing = arguments.syncing();
    let DeleteArguments {
        selection,
        repositories_from_cluster,
        state,
        accept_move,
        sources,
        cluster,
        rules,
        report,
        output,
        ..
    } = arguments;
    let comparing = ComparingArguments {
        argocd_cm_from_cluster: false,
        repositories_from_cluster,
        strict: false,
        state,
        accept_move,
    };
    let planning = PlanningArguments { selection, syncing, sources, cluster, comparing, rules, report, output };
    Box::pin(carry_out(Asked { wish, is_shown: true, made: None, planning }, consent, session)).await
}
