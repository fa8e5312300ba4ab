//! `trueup diff`: compare; print the drift report; change nothing.

use std::time::Duration;

use jiff::Timestamp;

use super::arguments::cluster::ClusterArguments;
use super::arguments::comparing::ComparingArguments;
use super::arguments::health::HealthRuleArguments;
use super::arguments::output::{OutputArguments, ReportArguments};
use super::arguments::selection::SelectionArguments;
use super::arguments::source::SourceArguments;
use super::request;
use super::session::{Look, Session};
use super::watch::{self, parse_interval};
use crate::finding::Finding;
use crate::fleet;
use crate::report::{Output, render, suggestions};

/// Show what differs between git and the clusters
///
/// Exits with 1 on drift and with 2 on errors. Writes nothing but the cache.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct DiffArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    sources: SourceArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    #[command(flatten)]
    comparing: ComparingArguments,
    #[command(flatten)]
    rules: HealthRuleArguments,
    /// Also assess health; exit with 3 if an application is not healthy
    #[arg(long, help_heading = "Health")]
    health: bool,
    #[command(flatten)]
    report: ReportArguments,
    /// Also list resources in the applications' namespaces that belong to no application; never drift
    #[arg(long, help_heading = "Comparing")]
    orphans: bool,
    /// Report only drift that has lasted at least this long, or whose age is not known
    #[arg(long, value_name = "TIME", value_parser = parse_interval, help_heading = "Comparing")]
    older_than: Option<Duration>,
    /// Print the `ignoreDifferences` that would accept the current drift, instead of the report
    #[arg(long, help_heading = "Output", conflicts_with = "output")]
    suggest_ignores: bool,
    /// Repeat until interrupted, and print the report whenever it changes [default: every 10s]
    #[arg(short, long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "10s",
        value_parser = parse_interval, conflicts_with = "suggest_ignores", help_heading = "Output")]
    watch: Option<Duration>,
    #[command(flatten)]
    output: OutputArguments,
}

/// Show sync and health status
///
/// The same as `trueup diff --health`: exits with 1 on drift, 3 if an application is not healthy, and 2 on errors.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArguments {
    #[command(flatten)]
    selection: SelectionArguments,
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

impl StatusArguments {
    /// The diff that also assesses health.
    pub(super) fn into_diff(self) -> DiffArguments {
        let Self { selection, sources, cluster, comparing, rules, report, output } = self;
        DiffArguments {
            selection,
            sources,
            cluster,
            comparing,
            rules,
            health: true,
            orphans: false,
            older_than: None,
            report,
            suggest_ignores: false,
            watch: None,
            output,
        }
    }
}

impl DiffArguments {
    pub(super) fn look(&self) -> Look {
        Look {
            verbosity: self.output.verbosity(),
            context_lines: self.report.unified,
            show_ignored: self.report.show_ignored,
            exit: self.report.exit_rules(),
        }
    }
}

/// Reads, compares, reports; the exit code is a function of the run.
pub(super) async fn diff(arguments: DiffArguments, mut session: Session) -> u8 {
    let exit = arguments.report.exit_rules();
    if let Some(interval) = arguments.watch {
        let outputs = match arguments.report.outputs() {
            Ok(outputs) => outputs,
            Err(findings) => return session.refuse(&findings),
        };
        let look = async |session: &Session| compare(arguments.clone(), session).await.map(|(run, _)| run);
        let show = |session: &Session, run: &fleet::Run| {
            session.terminal.reports(&outputs, |format, view| render(run, format, view))
        };
        return watch::watch(interval, look, show, session).await;
    }
    let suggest_ignores = arguments.suggest_ignores;
    let compared = compare(arguments, &session).await;
    session.end_progress().await;
    let (run, outputs) = match compared {
        Ok(compared) => compared,
        Err(findings) => return session.refuse(&findings),
    };
    session.terminal.findings_of(&run);
    let unwritten = if suggest_ignores {
        session.terminal.data(suggestions(&run).as_bytes()).err().into_iter().collect()
    } else {
        session.terminal.reports(&outputs, |format, view| render(&run, format, view))
    };
    if unwritten.is_empty() {
        run.exit_code(&exit)
    } else {
        session.refuse(&unwritten.iter().map(|error| Finding::of(error)).collect::<Vec<_>>())
    }
}

async fn compare(arguments: DiffArguments, session: &Session) -> Result<(fleet::Run, Vec<Output>), Vec<Finding>> {
    let DiffArguments { selection, sources, cluster, comparing, rules, health, orphans, older_than, report, .. } =
        arguments;
    let outputs = report.outputs()?;
    let clusters = cluster.settings();
    let logs = rules.logs;
    // Whoever asks for logs wants to know what does not work.
    let judge = if health || logs.is_some() { Some(rules.judge(&selection.argocd()?.settings)?) } else { None };
    let (mut request, world) =
        request::request(&selection, sources, clusters, comparing.read_from_cluster(), session).await?;
    request.health = judge;
    request.strict = comparing.strict;
    request.orphans = orphans;
    request.state_namespace = comparing.state.state_namespace;
    request.accept_move = comparing.accept_move;
    request.log_lines = logs;
    let run = fleet::diff(request, &world).await;
    let mut run = run.map_err(|errors| request::unselected(errors, &selection.chosen()))?;
    if let Some(limit) = older_than {
        run.put_recent_aside(limit, Timestamp::now());
    }
    Ok((run, outputs))
}
