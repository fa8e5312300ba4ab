//! `trueup sync`: make the cluster match git now.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::arguments::planning::PlanningArguments;
use super::arguments::syncing::parse_wait;
use super::request;
use super::session::{Look, Session};
use crate::finding::{Code, Finding};
use crate::fleet::commands::sync::{self, Prepared};
use crate::fleet::sync::{SyncRequest, Wish};
use crate::fleet::{Run, World};
use crate::report::terminal::write_file;
use crate::report::{ExitRules, Output, proposal, render};
use crate::sync::plan::{Making, Plan, SavedPlans};

/// The help when nobody can confirm.
const UNASKED: &str = "`-y` syncs without asking, `--dry-run` shows the plan, `trueup reconcile` follows each sync \
     policy";

/// Apply to the clusters what git says
///
/// Shows the plan and asks; `-y` does not ask. Prunes only with `--prune` or where the sync policy says so.
/// Exits with 1 if drift is left, 2 on errors, 3 if something applied is not healthy, 4 if it is not permitted, and 5 if
/// another run holds the lock.
#[derive(Debug, clap::Args)]
pub(super) struct SyncArguments {
    /// Show the plan and change nothing
    #[arg(long, help_heading = "Syncing")]
    dry_run: bool,
    /// Save the plan to a file and change nothing
    #[arg(long, value_name = "FILE", help_heading = "Syncing", conflicts_with = "dry_run")]
    plan: Option<PathBuf>,
    /// Execute a saved plan without asking; refuse if anything changed since
    #[arg(long, value_name = "FILE", help_heading = "Syncing", conflicts_with_all = ["plan", "dry_run", "prune"])]
    from: Option<PathBuf>,
    /// Refuse a saved plan that is older than this
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_wait, help_heading = "Syncing")]
    plan_lifetime: Duration,
    /// Do not ask for confirmation
    #[arg(short, long, alias = "auto-approve", help_heading = "Syncing")]
    yes: bool,
    /// Delete objects that were removed from git
    #[arg(long, help_heading = "Syncing")]
    prune: bool,
    #[command(flatten)]
    planning: PlanningArguments,
}

/// Show what a sync would do, and change nothing
///
/// The same as `trueup sync --dry-run`. Exits with 1 if there is something to do.
#[derive(Debug, clap::Args)]
pub(super) struct PlanArguments {
    /// Delete objects that were removed from git
    #[arg(long, help_heading = "Syncing")]
    prune: bool,
    #[command(flatten)]
    planning: PlanningArguments,
}

impl PlanArguments {
    /// The sync that only shows its plan.
    pub(super) fn into_sync(self) -> SyncArguments {
        SyncArguments {
            dry_run: true,
            plan: None,
            from: None,
            plan_lifetime: Duration::ZERO,
            yes: false,
            prune: self.prune,
            planning: self.planning,
        }
    }
}

impl SyncArguments {
    pub(super) fn look(&self) -> Look {
        self.planning.look()
    }
}

/// Reads, compares, plans, asks, does, reports.
pub(super) async fn sync(arguments: SyncArguments, mut session: Session) -> u8 {
    let exit = arguments.planning.report.exit_rules();
    let done = checked(arguments, &session);
    let (intent, outputs, asked) = match done {
        Ok(checked) => checked,
        Err(findings) => return session.refuse(&findings),
    };
    match intend(intent, asked, &session).await {
        Ok((run, PlanAnswer::Go)) => report(&mut session, &run, &outputs, &exit).await,
        Ok((run, PlanAnswer::Stop)) => report_unchanged(&mut session, &run, outputs, &exit).await,
        Err(findings) => session.refuse(&findings),
    }
}

/// The use of the plan.
enum Intent {
    Show,
    /// To be applied within this time.
    Save(PathBuf, Duration),
    Ask,
    Do,
    /// If it is this one still.
    DoIf(Box<SavedPlans>, Duration),
}

/// The request, as far as it can be known to be wrong before anything is fetched.
fn checked(arguments: SyncArguments, session: &Session) -> Result<(Intent, Vec<Output>, Asked), Vec<Finding>> {
    let outputs = arguments.planning.report.outputs()?;
    let mut wish = Wish::Sync { prune: arguments.prune };
    let mut made = None;
    let intent = match (arguments.plan, arguments.from) {
        (Some(file), _) => Intent::Save(file, arguments.plan_lifetime),
        (None, Some(file)) => {
            let saved = saved(&file, arguments.plan_lifetime).map_err(|finding| vec![finding])?;
            made = saved.making();
            wish = Wish::Sync { prune: made.is_some_and(|made| made.prune) };
            Intent::DoIf(Box::new(saved), arguments.plan_lifetime)
        }
        _ if arguments.dry_run => Intent::Show,
        _ if arguments.yes => Intent::Do,
        _ if session.terminal.can_ask() => Intent::Ask,
        _ => return Err(vec![nobody_to_ask(UNASKED)]),
    };
    let is_shown = !matches!(intent, Intent::Do);
    Ok((intent, outputs, Asked { wish, is_shown, made, planning: arguments.planning }))
}

/// A plan that was saved, and is not too old.
fn saved(file: &Path, lifetime: Duration) -> Result<SavedPlans, Finding> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Finding::error(Code::SyncPlanFile, format!("the saved plan {} cannot be read", file.display()))
            .with_cause(error.to_string())
            .with_help("`trueup sync --plan FILE` writes one")
    })?;
    let saved = SavedPlans::read(&text).map_err(|error| Finding::of(&error))?;
    saved.is_young(Timestamp::now(), lifetime).map_err(|error| Finding::of(&error))?;
    Ok(saved)
}

/// Plans, and does with the plan what is intended.
async fn intend(intent: Intent, asked: Asked, session: &Session) -> Result<(Run, PlanAnswer), Vec<Finding>> {
    let prune = matches!(asked.wish, Wish::Sync { prune: true });
    let (prepared, wanted, world) = prepare(asked, session).await?;
    let mut answer = PlanAnswer::Go;
    let is_to_be_done = match intent {
        Intent::Show => false,
        Intent::Save(file, lifetime) => {
            let making = Making { at: wanted.started, prune, flags: wanted.flags };
            let text = SavedPlans::of(prepared.plans(), &making).write();
            write_file(&file, text.as_bytes()).map_err(|error| vec![Finding::of(&error)])?;
            let lifetime = shown_duration(lifetime);
            let apply = apply_command(std::env::args().skip(1), &file.display().to_string());
            session
                .terminal
                .line(&format!("saved the plan, nothing was changed; within {lifetime} apply it with: {apply}"));
            false
        }
        Intent::Do => true,
        Intent::Ask => {
            answer = confirm(&prepared, |_run| "Apply?".to_owned(), session).await;
            answer == PlanAnswer::Go
        }
        Intent::DoIf(saved, lifetime) => {
            let holds = saved.still_holds(prepared.plans(), Timestamp::now(), lifetime);
            holds.map_err(|error| vec![Finding::of(&error)])?;
            true
        }
    };
    let run =
        if is_to_be_done { Box::pin(sync::perform(prepared, &wanted, &world)).await } else { prepared.end(&world) };
    Ok((run, answer))
}

/// `1h`, `90s`: as `--plan-lifetime` takes it.
fn shown_duration(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds >= 3600 && seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds >= 60 && seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

/// The command line that saved a plan, as one that applies it: the plan has the flags about pruning.
fn apply_command(arguments: impl Iterator<Item = String>, file: &str) -> String {
    let mut words = vec!["trueup".to_owned()];
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--plan" => {
                arguments.next();
                words.extend(["--from".to_owned(), quoted(file)]);
            }
            plan if plan.starts_with("--plan=") => words.extend(["--from".to_owned(), quoted(file)]),
            "--prune" => {}
            other => words.push(quoted(other)),
        }
    }
    words.join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-_./:=@,%+#".contains(character);
    if !word.is_empty() && !word.starts_with('#') && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The arguments that two commands share.
pub(super) struct Asked {
    pub(super) wish: Wish,
    /// Whether somebody looks at the plan before it is carried out, if it is.
    pub(super) is_shown: bool,
    /// With what a saved plan was made, where there is one.
    pub(super) made: Option<Making>,
    pub(super) planning: PlanningArguments,
}

/// Compares and plans.
pub(super) async fn prepare(asked: Asked, session: &Session) -> Result<(Prepared, SyncRequest, World), Vec<Finding>> {
    let Asked { wish, is_shown, made, planning } = asked;
    let PlanningArguments { selection, syncing, sources, cluster, comparing, rules, report, .. } = planning;
    let clusters = cluster.settings();
    let judge = rules.judge(&selection.argocd()?.settings)?;
    let (mut request, world) =
        request::request(&selection, sources, clusters, comparing.read_from_cluster(), session).await?;
    // What nobody waits for is not judged: right after a sync everything is on its way.
    request.health = syncing.wait.then(|| judge.clone());
    request.strict = comparing.strict;
    request.state_namespace = comparing.state.state_namespace;
    request.accept_move = comparing.accept_move;
    let mut wanted = syncing.request(wish, judge, session.cancel.clone());
    wanted.is_shown = is_shown;
    wanted.audit = report.audit()?;
    if let Some(made) = made {
        (wanted.started, wanted.flags) = (made.at, made.flags);
    }
    let prepared = Box::pin(sync::prepare(request, &wanted, &world)).await;
    let prepared = prepared.map_err(|errors| request::unselected(errors, &selection.chosen()))?;
    Ok((prepared, wanted, world))
}

/// Prints the report; the exit code is a function of the run.
pub(super) async fn report(session: &mut Session, run: &Run, outputs: &[Output], exit: &ExitRules) -> u8 {
    session.end_progress().await;
    session.terminal.findings_of(run);
    let unwritten = session.terminal.reports(outputs, |format, view| render(run, format, view));
    if unwritten.is_empty() {
        run.exit_code(exit)
    } else {
        session.refuse(&unwritten.iter().map(|error| Finding::of(error)).collect::<Vec<_>>())
    }
}

/// Without a terminal nobody can be asked.
pub(super) fn nobody_to_ask(help: &str) -> Finding {
    Finding::error(Code::CliUnconfirmed, "not confirmed: standard input is not a terminal; nothing was written")
        .with_help(help)
}

/// Prints the report of a run that was refused when asked: on a screen it was just read.
pub(super) async fn report_unchanged(
    session: &mut Session,
    run: &Run,
    mut outputs: Vec<Output>,
    exit: &ExitRules,
) -> u8 {
    session.end_progress().await;
    session.terminal.show(|_view| "nothing was changed\n".to_owned());
    if session.terminal.is_one_screen() {
        outputs.retain(|output| output.file.is_some());
        let unwritten = session.terminal.reports(&outputs, |format, view| render(run, format, view));
        let findings: Vec<Finding> = unwritten.iter().map(|error| Finding::of(error)).collect();
        return if findings.is_empty() { run.exit_code(exit) } else { session.refuse(&findings) };
    }
    report(session, run, &outputs, exit).await
}

/// The user's answer to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlanAnswer {
    Go,
    Stop,
}

/// Shows the diff and the plan, and asks. If nothing is to be done there is nothing to ask.
pub(super) async fn confirm(
    prepared: &Prepared,
    question: impl FnOnce(&Run) -> String,
    session: &Session,
) -> PlanAnswer {
    if prepared.plans().all(Plan::is_empty) && prepared.removals() == 0 {
        return PlanAnswer::Go;
    }
    let run = prepared.comparison();
    session.terminal.show(|view| proposal::proposal(&run, view));
    let removals = match prepared.removals() {
        0 => String::new(),
        1 => " 1 application is removed.".to_owned(),
        count => format!(" {count} applications are removed."),
    };
    let question = format!("{}.{removals} {}", proposal::summary(&run), question(&run));
    let terminal = session.terminal.clone();
    let answer = tokio::task::spawn_blocking(move || terminal.confirm(&question));
    // Whoever presses Ctrl-C in place of an answer is not kept waiting for one.
    tokio::select! {
        answer = answer => if answer.unwrap_or(false) { PlanAnswer::Go } else { PlanAnswer::Stop },
        () = session.cancel.cancelled() => PlanAnswer::Stop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever approves a saved plan copies this line.
    #[test]
    fn the_command_that_applies_a_saved_plan_is_the_one_that_saved_it() {
        for (saved, applies) in [
            ("sync --plan plan.json apps/", "trueup sync --from plan.json apps/"),
            ("apply --plan=plan.json --prune -l team=shop apps", "trueup apply --from plan.json -l team=shop apps"),
            ("sync shop a$b --plan plan.json", "trueup sync shop 'a$b' --from plan.json"),
        ] {
            assert_eq!(apply_command(saved.split(' ').map(str::to_owned), "plan.json"), applies);
        }
        assert_eq!(quoted("it's"), r"'it'\''s'");
        for (seconds, shown) in [(3600, "1h"), (7200, "2h"), (90, "90s"), (120, "2m"), (0, "0s")] {
            assert_eq!(shown_duration(Duration::from_secs(seconds)), shown);
        }
    }
}
