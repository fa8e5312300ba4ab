//! What rolling back and deleting have in common: one application by its name, a plan, somebody's consent.

use std::ffi::OsString;
use std::path::Path;

use super::arguments::selection::SelectionArguments;
use super::manifests::ManifestPath;
use super::session::Session;
use super::sync::{Asked, PlanAnswer, confirm, nobody_to_ask, prepare, report, report_unchanged};
use crate::finding::{Code, Finding};
use crate::fleet::Run;
use crate::fleet::commands::sync;
use crate::source::short;

/// How somebody consents.
#[derive(Clone, Copy)]
pub(super) struct Consent {
    /// `--dry-run`: nothing is done.
    pub(super) is_dry: bool,
    /// `-y`: nobody is asked.
    pub(super) is_given: bool,
    /// The question.
    pub(super) question: Question,
}

/// The question to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    RollBack,
    Delete,
}

/// Keeps the one application that APP or `--app` names, and gives the name; a name that several have is an error.
pub(super) fn narrow(selection: &mut SelectionArguments, first: Option<String>) -> Result<String, Finding> {
    match (&selection.app[..], first) {
        ([], Some(name)) if selection.paths.is_empty() && Path::new(&name).exists() => Err(unnamed()
            .with_help(format!("`{name}` is a file or folder: name the application before it, or with `--app`"))),
        ([], Some(name)) => {
            selection.app = vec![name.clone()];
            Ok(name)
        }
        ([name], first) => {
            let name = name.clone();
            selection.paths.splice(0..0, first.map(|path| ManifestPath::from(OsString::from(path))));
            Ok(name)
        }
        ([], None) => Err(unnamed().with_help("name it: as the first argument, or with `--app`")),
        ([_, _, ..], _) => Err(unnamed().with_help("one at a time: give `--app` once")),
    }
}

fn unnamed() -> Finding {
    Finding::error(Code::CliNoApplication, "which application is meant is not clear; nothing was written")
}

/// Plans, asks, does, reports.
pub(super) async fn carry_out(asked: Asked, consent: Consent, mut session: Session) -> u8 {
    let Consent { is_dry, is_given, question } = consent;
    if !is_dry && !is_given && !session.terminal.can_ask() {
        return session.refuse(&[nobody_to_ask("`-y` continues without asking, `--dry-run` shows the plan")]);
    }
    let exit = asked.planning.report.exit_rules();
    let outputs = match asked.planning.report.outputs() {
        Ok(outputs) => outputs,
        Err(findings) => return session.refuse(&findings),
    };
    let name = asked.planning.selection.app.concat();
    let (prepared, wanted, world) = match prepare(asked, &session).await {
        Ok(prepared) => prepared,
        Err(findings) => return session.refuse(&findings),
    };
    if prepared.applications() > 1 {
        return session.refuse(&[several(&name, prepared.applications())]);
    }
    let answer = if is_dry || is_given {
        PlanAnswer::Go
    } else {
        confirm(&prepared, |run| question_of(question, &name, run), &session).await
    };
    let is_done = !is_dry && answer == PlanAnswer::Go;
    let run = if is_done { Box::pin(sync::perform(prepared, &wanted, &world)).await } else { prepared.end(&world) };
    // Its sender of events is the last: the progress ends with it.
    drop(world);
    match answer {
        PlanAnswer::Go => report(&mut session, &run, &outputs, &exit).await,
        PlanAnswer::Stop => report_unchanged(&mut session, &run, outputs, &exit).await,
    }
}

/// The question, about the application that was named.
fn question_of(question: Question, name: &str, run: &Run) -> String {
    let to = run.applications.iter().find_map(|application| application.rolled_back.as_ref());
    match (question, to) {
        (Question::Delete, _) => format!("Delete application `{name}`?"),
        (Question::RollBack, None) => format!("Roll back `{name}`?"),
        (Question::RollBack, Some(to)) => {
            let revision = short(&to.revision);
            format!("Roll back `{name}` to entry {} ({revision})?", to.entry)
        }
    }
}

/// One application at a time is taken back or deleted.
pub(super) fn several(name: &str, count: usize) -> Finding {
    Finding::error(Code::CliSeveral, format!("`{name}` matches {count} applications; nothing was written"))
        .with_help("name one of them: `namespace/name`")
}
