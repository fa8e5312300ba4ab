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
use super::undo::{Consent, carry_out, narrow};
use crate::cluster::Propagation;
use crate::fleet::sync::{Delete, Wish};
use crate::sync::plan::MaxPrune;

/// Take an application away, with everything that is its own
///
/// Runs its `PreDelete` hooks, deletes its objects wave by wave, the last that was brought first, runs its `PostDelete`
/// hooks, and takes away what trueup kept about it. Only what is provably the application's own is deleted; what says
/// `Delete=false` stays, and is nobody's then. The manifest is not touched: the next sync would bring everything again.
/// Shows the plan and asks. Exits with 1 when something is left, with 3 when a hook failed or something does not go.
#[expect(clippy::struct_excessive_bools, reason = "they are flags of the command line")]
#[derive(Debug, clap::Args)]
pub(super) struct DeleteArguments {
    /// The application's name (`name` or `namespace/name`)
    #[arg(value_name = "APP", conflicts_with = "app")]
    application: String,
    #[command(flatten)]
    selection: SelectionArguments,
    /// Delete no object: they stay, and are nobody's; no hook runs
    #[arg(long, help_heading = "Deleting", conflicts_with_all = ["propagation_policy", "approve", "prune_protected"])]
    orphan: bool,
    /// Run no hooks; nothing is brought from git then
    #[arg(long, help_heading = "Deleting")]
    no_hooks: bool,
    /// What happens to what a deleted object owns; default: that of the application's sync options, else `foreground`
    #[arg(long, value_name = "POLICY", value_enum, help_heading = "Deleting")]
    propagation_policy: Option<PropagationPolicy>,
    /// Confirm what asks for it: `Delete=confirm`
    #[arg(long, help_heading = "Deleting")]
    approve: bool,
    /// Delete volume claims, namespaces, and definitions of kinds, too
    #[arg(long, help_heading = "Deleting")]
    prune_protected: bool,
    /// Show the plan, and write nothing
    #[arg(long, help_heading = "Deleting")]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long, help_heading = "Deleting")]
    yes: bool,
    /// How long to wait between two waves
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_wait, help_heading = "Deleting")]
    wave_delay: Duration,
    /// How long one wave may take to be gone; 0 is as long as it takes
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_patience, help_heading = "Deleting")]
    timeout: Duration,
    /// How long to wait for the lock, when another run has it
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_wait, help_heading = "Deleting")]
    lock_timeout: Duration,
    /// How long a run that died keeps others out; the lock is renewed at each third of it
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_lock_duration, help_heading = "Deleting")]
    lock_duration: Duration,
    /// Read the Secrets of repositories from the cluster that Argo CD runs in, and what it knows servers by
    #[arg(long, help_heading = "Deleting")]
    repositories_from_cluster: bool,
    #[command(flatten)]
    state: StateArguments,
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

/// What happens to what a deleted object owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PropagationPolicy {
    /// It goes first
    Foreground,
    /// It goes afterwards
    Background,
    /// It stays
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

    /// What a deletion leaves of the arguments of a sync.
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
            wait: false,
            write_status: false,
        }
    }
}

/// Reads, plans, asks, deletes, reports.
pub(super) async fn delete(mut arguments: DeleteArguments, session: Session) -> u8 {
    narrow(&mut arguments.selection, &arguments.application);
    let consent = Consent { is_dry: arguments.dry_run, is_given: arguments.yes, question: "Delete it now?" };
    let wish = Wish::Delete(Delete {
        orphan: arguments.orphan,
        hooks: !arguments.no_hooks,
        propagation: arguments.propagation_policy.map(Propagation::from),
    });
    let syncing = arguments.syncing();
    let DeleteArguments {
        selection, repositories_from_cluster, state, sources, cluster, rules, report, output, ..
    } = arguments;
    let comparing =
        ComparingArguments { argocd_cm_from_cluster: false, repositories_from_cluster, strict: false, state };
    let planning = PlanningArguments { selection, syncing, sources, cluster, comparing, rules, report, output };
    carry_out(Asked { wish, is_shown: true, made: None, planning }, consent, session).await
}
