//! `trueup rollback`: make an application what it was at an earlier sync.

use super::arguments::planning::PlanningArguments;
use super::arguments::syncing::holder;
use super::manifests::ManifestPath;
use super::registered;
use super::request;
use super::session::{Look, Session};
use super::sync::Asked;
use super::undo::{Consent, Question, carry_out, narrow, several};
use crate::finding::{Code, Finding};
use crate::fleet::commands::history::{self as syncs, ApplicationSyncs, Subject};
use crate::fleet::sync::{self, Wish};
use crate::report::{exit_status_of, history};

/// Roll an application back to an earlier sync
///
/// `trueup rollback shop 7 apps/` syncs the sources of entry 7 of `trueup history`, with their parameters, hooks included;
/// without an ID, those of the sync before the last one. Sync options and the destination come from the manifest.
/// `trueup reconcile` then skips the application until `trueup sync` or `--clear`. Refused with
/// exit code 4 while automated sync is on. Shows the plan and asks. Exits like `sync`.
#[expect(clippy::struct_excessive_bools, reason = "they are flags of the command line")]
#[derive(Debug, clap::Args)]
#[command(override_usage = "trueup rollback [OPTIONS] <APP> [ID] [PATH]...")]
pub(super) struct RollbackArguments {
    /// The application's name (`name` or `namespace/name`); with `--app`, an ID or a PATH
    #[arg(value_name = "APP")]
    application: Option<String>,
    /// End a rollback without syncing: `trueup reconcile` follows the policy again
    #[arg(long, help_heading = "Syncing", conflicts_with_all = ["dry_run", "prune"])]
    clear: bool,
    /// Show the plan and change nothing
    #[arg(long, help_heading = "Syncing")]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(short, long, alias = "auto-approve", help_heading = "Syncing")]
    yes: bool,
    /// Delete objects that git did not have then
    #[arg(long, help_heading = "Syncing")]
    prune: bool,
    #[command(flatten)]
    planning: PlanningArguments,
}

impl RollbackArguments {
    pub(super) fn look(&self) -> Look {
        self.planning.look()
    }
}

/// Reads, plans, asks, does, reports.
pub(super) async fn rollback(mut arguments: RollbackArguments, session: Session) -> u8 {
    let name = match narrow(&mut arguments.planning.selection, arguments.application.take()) {
        Ok(name) => name,
        Err(finding) => return session.refuse(&[finding]),
    };
    let to = take_id(&mut arguments.planning.selection.paths);
    if arguments.clear {
        return match to {
            None => Box::pin(clear(name, arguments.planning, session)).await,
            Some(id) => session.refuse(&[id_to_clear(id)]),
        };
    }
    let consent = Consent { is_dry: arguments.dry_run, is_given: arguments.yes, question: Question::RollBack };
    let wish = Wish::Rollback { to, prune: arguments.prune };
    let asked = Asked { wish, is_shown: true, made: None, planning: arguments.planning };
    Box::pin(carry_out(asked, consent, session)).await
}

/// Takes the number before the paths away from them; a folder of such a name is `./7`. A number alone is no path unless it exists.
fn take_id(paths: &mut Vec<ManifestPath>) -> Option<u64> {
    let ManifestPath::Path(first) = paths.first()? else { return None };
    let id = first.to_str()?.parse().ok()?;
    if paths.len() == 1 && first.exists() {
        return None;
    }
    paths.remove(0);
    Some(id)
}

fn id_to_clear(id: u64) -> Finding {
    Finding::error(Code::CliClear, format!("`--clear` ends a rollback and takes no ID, but `{id}` was given"))
        .with_help("remove one of the two; for a folder of that name write `./7`".replace('7', &id.to_string()))
}

/// Ends a rollback, and prints the history.
async fn clear(name: String, planning: PlanningArguments, mut session: Session) -> u8 {
    let outputs = match planning.report.outputs() {
        Ok(outputs) => outputs,
        Err(findings) => return session.refuse(&findings),
    };
    let cleared = Box::pin(end(name, planning, &session)).await;
    session.end_progress().await;
    let (syncs, mut findings) = match cleared {
        Ok(cleared) => cleared,
        Err(findings) => return session.refuse(&findings),
    };
    findings.extend(syncs.findings());
    session.terminal.findings(&findings);
    let syncs = [syncs];
    let unwritten = session.terminal.reports(&outputs, |format, view| history::write(&syncs, format, view));
    session.end(&unwritten, exit_status_of(&findings))
}

async fn end(
    name: String,
    planning: PlanningArguments,
    session: &Session,
) -> Result<(ApplicationSyncs, Vec<Finding>), Vec<Finding>> {
    let PlanningArguments { selection, syncing, sources, cluster, comparing, .. } = planning;
    let (settings, untrusted) = (cluster.settings(), sources.repositories.untrusted);
    let (mut applications, findings) = request::applications(&selection, sources, settings.clone(), session).await?;
    let count = applications.len();
    let application = match applications.pop() {
        Some(Ok(application)) if count == 1 => application,
        Some(Err(invalid)) if count == 1 => return Err(invalid.findings),
        _ => return Err(vec![several(&name, count)]),
    };
    let state_namespace = comparing.state.state_namespace.as_deref();
    let mut subject = Subject::of(&application, &selection.argocd_namespace, state_namespace);
    subject.place.accepts_move = comparing.accept_move;
    let clusters = registered::clusters(settings, untrusted, &selection, session).await?;
    sync::end_rollback(&subject, &holder(), syncing.lock_timeout, &clusters).await.map_err(|finding| vec![finding])?;
    let mut syncs = syncs::read(vec![subject], &clusters, 1).await;
    // One was asked for, so one is there.
    syncs.pop().map(|syncs| (syncs, findings)).ok_or_else(Vec::new)
}
