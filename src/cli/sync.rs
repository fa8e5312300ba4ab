//! `trueup sync`: make the cluster match git now.

use std::io::IsTerminal;

use super::arguments::cluster::ClusterArguments;
use super::arguments::comparing::ComparingArguments;
use super::arguments::health::HealthRuleArguments;
use super::arguments::output::{OutputArguments, ReportArguments};
use super::arguments::selection::SelectionArguments;
use super::arguments::source::SourceArguments;
use super::arguments::syncing::SyncingArguments;
use super::request;
use super::session::{Look, Session};
use crate::finding::Finding;
use crate::fleet::sync::{self, Prepared, SyncRequest, Wish};
use crate::fleet::{Run, World};
use crate::report::{Format, Output, plan};

/// Make the clusters what git says now
///
/// Shows the plan and asks; `-y` does not ask. Deletes nothing that git dropped without `--prune` or a policy that
/// prunes. Exits with 1 when drift is left, with 2 when something went wrong, with 3 when what was brought does not work,
/// with 4 when it is not permitted, with 5 when another run has the lock.
#[derive(Debug, clap::Args)]
pub(super) struct SyncArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    /// Show the plan, and write nothing
    #[arg(long, help_heading = "Syncing")]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long, help_heading = "Syncing")]
    yes: bool,
    /// Delete what git dropped
    #[arg(long, help_heading = "Syncing")]
    prune: bool,
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

impl SyncArguments {
    pub(super) fn look(&self) -> Look {
        Look {
            verbosity: self.output.verbosity(),
            context_lines: self.report.unified,
            show_ignored: self.report.show_ignored,
            exit: self.report.exit_rules(),
        }
    }
}

/// Reads, compares, plans, asks, does, reports.
pub(super) async fn sync(arguments: SyncArguments, mut session: Session) -> u8 {
    let (is_dry, is_confirmed) = (arguments.dry_run, arguments.yes);
    if !is_dry && !is_confirmed && !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return session.refuse(&[nobody_to_ask()]);
    }
    let exit = arguments.report.exit_rules();
    let outputs = match outputs(&arguments.report) {
        Ok(outputs) => outputs,
        Err(finding) => return session.refuse(&[finding]),
    };
    let wish = Wish::Sync { prune: arguments.prune };
    let SyncArguments { selection, syncing, sources, cluster, comparing, rules, .. } = arguments;
    let asked = Asked { wish, selection, syncing, sources, cluster, comparing, rules };
    let (prepared, wanted, world) = match prepare(asked, &session).await {
        Ok(prepared) => prepared,
        Err(findings) => return session.refuse(&findings),
    };
    let run = if is_dry {
        prepared.end(&world)
    } else if is_confirmed || confirm(&prepared, &session) {
        sync::perform(prepared, &wanted, &world).await
    } else {
        prepared.end(&world)
    };
    // Its sender of events is the last: the progress ends with it.
    drop(world);
    report(&mut session, &run, &outputs, &exit).await
}

/// What two commands ask for alike.
pub(super) struct Asked {
    pub(super) wish: Wish,
    pub(super) selection: SelectionArguments,
    pub(super) syncing: SyncingArguments,
    pub(super) sources: SourceArguments,
    pub(super) cluster: ClusterArguments,
    pub(super) comparing: ComparingArguments,
    pub(super) rules: HealthRuleArguments,
}

/// Where the report goes.
pub(super) fn outputs(report: &ReportArguments) -> Result<Vec<Output>, Finding> {
    let outputs = match report.output.as_slice() {
        [] => vec![Output { format: Format::Text, file: None }],
        given => given.to_vec(),
    };
    Output::resolve(outputs).map_err(|error| Finding::of(&error))
}

/// Compares and plans.
pub(super) async fn prepare(asked: Asked, session: &Session) -> Result<(Prepared, SyncRequest, World), Vec<Finding>> {
    let Asked { wish, selection, syncing, sources, cluster, comparing, rules } = asked;
    let clusters = cluster.settings();
    let concurrency = clusters.concurrency;
    let judge = rules.judge(selection.argocd_cm.as_deref())?;
    let mut request = request::request(&selection, &sources, concurrency, session)?;
    // What nobody waits for is not judged: right after a sync everything is on its way.
    request.health = syncing.wait.then(|| judge.clone());
    request.settings_from_cluster = comparing.argocd_cm_from_cluster;
    request.strict = comparing.strict;
    request.state_namespace = comparing.state.state_namespace;
    let world = request::world(sources, clusters, concurrency, session)?;
    let wanted = syncing.request(wish, judge, session.cancel.clone());
    let prepared = sync::prepare(request, &wanted, &world).await;
    Ok((prepared, wanted, world))
}

/// Prints the report; the exit code is a function of the run.
pub(super) async fn report(
    session: &mut Session,
    run: &Run,
    outputs: &[Output],
    exit: &crate::report::ExitRules,
) -> u8 {
    session.end_progress().await;
    session.terminal.findings(run.all_findings());
    let unwritten = session.terminal.reports(run, outputs);
    if unwritten.is_empty() {
        run.exit_code(exit)
    } else {
        session.refuse(&unwritten.iter().map(|error| Finding::of(error)).collect::<Vec<_>>())
    }
}

/// Without a terminal nobody can be asked.
fn nobody_to_ask() -> Finding {
    Finding::error("trueup::cli::unconfirmed", "nobody is there to confirm the plan; nothing was written")
        .with_help("`-y` syncs without asking, `--dry-run` shows the plan, `trueup reconcile` obeys each policy")
}

fn confirm(prepared: &Prepared, session: &Session) -> bool {
    let steps: usize = prepared.plans().map(|plan| plan.steps.len()).sum();
    if steps == 0 {
        return false;
    }
    session.terminal.show(|view| plan::text(prepared.plans(), view));
    session.terminal.confirm("Sync now?")
}
