//! `trueup wait`: until everything is healthy, synced, or gone.

use std::time::Duration;

use clap::ValueEnum;

use super::arguments::judging::JudgingArguments;
use super::arguments::state::StateArguments;
use super::request;
use super::session::{Look, Session};
use super::watch::parse_interval;
use crate::cluster::settings::parse_request_timeout;
use crate::finding::Finding;
use crate::fleet::{self, Ending, Goal, Patience, Run};
use crate::report::health::text::{self as report, Judged};

/// How long, at most, when nothing is said: longer than any roll-out should take, shorter than a CI job may.
const DEFAULT_TIMEOUT: &str = "5m";
/// The longest wait that can be asked for: who says `0` waits for a year.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The state to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WaitFor {
    /// Everything is healthy or suspended
    Healthy,
    /// Everything is in sync
    Synced,
    /// Everything is deleted
    Deleted,
}

/// Wait until the applications are healthy, synced or deleted
///
/// Watches the clusters and changes nothing. Exits with 3 if the wait times out or something is degraded,
/// and says what it waited for; with 2 on errors.
#[derive(Debug, clap::Args)]
pub(super) struct WaitArguments {
    /// Wait for this condition
    #[arg(long = "for", value_name = "GOAL", value_enum, default_value_t = WaitFor::Healthy, help_heading = "Waiting")]
    goal: WaitFor,
    /// Wait at most this long: 30, 30s, 5m; 0 for no limit
    #[arg(long, value_name = "TIME", default_value = DEFAULT_TIMEOUT, value_parser = parse_timeout, help_heading = "Waiting")]
    timeout: Duration,
    /// Check at most this often
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_interval, help_heading = "Waiting")]
    interval: Duration,
    /// Keep waiting when something is degraded
    #[arg(long, help_heading = "Waiting")]
    ignore_degraded: bool,
    #[command(flatten)]
    judging: JudgingArguments,
    #[command(flatten)]
    state: StateArguments,
}

impl WaitArguments {
    pub(super) fn look(&self) -> Look {
        self.judging.look()
    }

    fn patience(&self) -> Patience {
        Patience {
            goal: match self.goal {
                WaitFor::Healthy => Goal::Healthy,
                WaitFor::Synced => Goal::Synced,
                WaitFor::Deleted => Goal::Deleted,
            },
            timeout: self.timeout,
            interval: self.interval,
            ignores_degraded: self.ignore_degraded,
        }
    }
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    Ok(parse_request_timeout(text)?.unwrap_or(FOR_EVER).min(FOR_EVER))
}

/// Reads, waits, reports.
pub(super) async fn wait(arguments: WaitArguments, mut session: Session) -> u8 {
    let timeout = arguments.timeout;
    let outputs = match arguments.judging.format.outputs() {
        Ok(outputs) => outputs,
        Err(findings) => return session.refuse(&findings),
    };
    let waited = until(arguments, &session).await;
    session.end_progress().await;
    let (run, ending) = match waited {
        Ok(waited) => waited,
        Err(findings) => return session.refuse(&findings),
    };
    session.terminal.findings_of(&run);
    let judged = Judged { run: &run, objects: &[], ending: Some(&ending) };
    let unwritten = session.terminal.reports(&outputs, |format, view| report::write(judged, format, view));
    if let Some(finding) = ending.finding(timeout) {
        session.terminal.findings([&finding]);
    }
    session.end(&unwritten, judged.exit_status())
}

async fn until(arguments: WaitArguments, session: &Session) -> Result<(Run, Ending), Vec<Finding>> {
    let patience = arguments.patience();
    let (mut request, world, chosen) = arguments.judging.resolve(session).await?;
    request.state_namespace = arguments.state.state_namespace;
    let waited = fleet::commands::wait::wait(request, &world, patience).await;
    waited.map_err(|errors| request::unselected(errors, &chosen))
}
