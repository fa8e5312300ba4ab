//! What was synced, when and by whom, as text or data.
//!
//! In: what is known of each application's syncs. Out: text, JSON, YAML, markdown. A last attempt without an end goes on, where
//! somebody has the lock, and was killed where nobody has.

use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;

use super::{Format, View, json, yaml};
use crate::fleet::commands::history::ApplicationSyncs;
use crate::report::style::age::age;
use crate::report::style::markdown::{cell, span};
use crate::report::style::page::Page;
use crate::report::style::theme::Role;
use crate::report::style::words::counted;
use crate::sync::OperationPhase;
use crate::sync::state::{Attempt, HistoryEntry, State, SyncedSource};

/// The histories in one format, with a final line break.
pub fn write(syncs: &[ApplicationSyncs], format: Format, view: &View) -> String {
    match format {
        Format::Json => json::pretty(&SyncHistory::of(syncs)),
        Format::Yaml => yaml::of(&SyncHistory::of(syncs)),
        Format::Markdown => markdown(syncs),
        Format::Text | Format::Diff | Format::Wide | Format::Name | Format::Github | Format::Audit => text(syncs, view),
    }
}

/// How an attempt went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AttemptOutcome {
    Ended(OperationPhase),
    Running,
    Killed,
}

impl AttemptOutcome {
    fn of(syncs: &ApplicationSyncs, state: &State) -> Self {
        match (&state.ended, &syncs.holder) {
            (Some(ended), _) => Self::Ended(ended.phase),
            (None, Some(_)) => Self::Running,
            (None, None) => Self::Killed,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Ended(phase) => phase.as_str(),
            Self::Running => "Running",
            Self::Killed => "Killed",
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Ended(OperationPhase::Succeeded) => Role::Good,
            Self::Ended(OperationPhase::Terminated) | Self::Running => Role::Warning,
            Self::Ended(OperationPhase::Failed | OperationPhase::Error) | Self::Killed => Role::Bad,
        }
    }
}

fn text(syncs: &[ApplicationSyncs], view: &View) -> String {
    let mut page = Page::new(view.color);
    for application in syncs {
        page.write(Role::Name, &application.subject.name).write(Role::Plain, "  ");
        let Ok(state) = &application.state else {
            page.write(Role::Bad, "Unknown").end();
            continue;
        };
        match (state.history.len(), &state.attempt) {
            (0, None) => page.write(Role::Hint, "never synced"),
            (count, _) => page.write(Role::Plain, counted(count, "sync")),
        };
        if let Some(id) = state.rolled_back_to {
            page.write(Role::Plain, ", ").write(Role::Warning, format!("rolled back to {id}"));
        }
        page.end();
        for entry in state.history.iter().rev() {
            line(&mut page, entry, view);
        }
        if let Some(attempt) = &state.attempt {
            last(&mut page, attempt, application, state, view);
        }
    }
    page.finish()
}

fn line(page: &mut Page, entry: &HistoryEntry, view: &View) {
    page.write(Role::Plain, format!("  {:>4}  ", entry.id));
    page.write(Role::Plain, format!("{:<8}  ", when(entry.deployed, view)));
    for (position, source) in entry.sources.iter().enumerate() {
        if position > 0 {
            page.end().write(Role::Plain, " ".repeat(18));
        }
        page.write(Role::Git, revision(&source.revision, view));
        page.write(Role::Plain, format!("  {}", source.repo_url));
        if !source.path.is_empty() {
            page.write(Role::Plain, format!(" {}", source.path));
        }
        let wanted = if source.target_revision.is_empty() { "HEAD" } else { &source.target_revision };
        page.write(Role::Hint, format!(" ({wanted})"));
    }
    page.write(Role::Hint, "  by ").write(Role::Manager, &entry.by).end();
}

fn last(page: &mut Page, attempt: &Attempt, syncs: &ApplicationSyncs, state: &State, view: &View) {
    let outcome = AttemptOutcome::of(syncs, state);
    let time = state.ended.as_ref().map_or(attempt.started, |ended| ended.at);
    page.write(Role::Hint, "  last  ").write(outcome.role(), outcome.as_str());
    page.write(
        Role::Plain,
        format!("  {}  ", if state.ended.is_none() { "begun " } else { "" }.to_owned() + &when(time, view)),
    );
    let revisions: Vec<(Role, String)> =
        attempt.revisions.iter().map(|hash| (Role::Git, revision(hash, view).to_owned())).collect();
    page.list(&revisions, " ");
    page.write(Role::Hint, "  by ").write(Role::Manager, &attempt.by);
    let message = state.ended.as_ref().map(|ended| &ended.message).filter(|message| !message.is_empty());
    match message {
        Some(message) => page.write(Role::Plain, "  ").write(Role::Plain, message),
        None => page.write(Role::Plain, "  ").write(Role::Hint, counted(attempt.steps, "step")),
    };
    page.end();
}

fn when(time: Timestamp, view: &View) -> String {
    let text = time.to_string();
    if view.verbose { text } else { age(&text, view.now) }
}

fn revision<'hash>(hash: &'hash str, view: &View) -> &'hash str {
    if view.verbose { hash } else { hash.get(..7).unwrap_or(hash) }
}

/// A table for each application, newest sync first. Times are whole: an age would be wrong by the time that it is read.
fn markdown(syncs: &[ApplicationSyncs]) -> String {
    let mut text = String::from("## Sync history\n");
    for application in syncs {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n### {}\n", span(&application.subject.name));
        let state = match &application.state {
            Ok(state) => state,
            Err(finding) => {
                let _ = writeln!(text, "❌ {}", span(&finding.message));
                continue;
            }
        };
        if let Some(id) = state.rolled_back_to {
            let _ = writeln!(text, "⚠️ Rolled back to {id}\n");
        }
        if let Some(attempt) = &state.attempt {
            let time = state.ended.as_ref().map_or(attempt.started, |ended| ended.at);
            let outcome = AttemptOutcome::of(application, state).as_str();
            let _ = write!(text, "Last sync: {outcome} at {time} by {}", span(&attempt.by));
            if let Some(ended) = state.ended.as_ref().filter(|ended| !ended.message.is_empty()) {
                let _ = write!(text, ": {}", span(&ended.message));
            }
            text.push('\n');
        }
        match (state.history.is_empty(), &state.attempt) {
            (false, _) => text.push_str("\n| id | deployed | revision | source | by |\n|---|---|---|---|---|\n"),
            (true, None) => text.push_str("Never synced\n"),
            (true, Some(_)) => {}
        }
        state.history.iter().rev().for_each(|entry| markdown_row(entry, &mut text));
    }
    text
}

fn markdown_row(entry: &HistoryEntry, text: &mut String) {
    let of_each = |shown: fn(&SyncedSource) -> String| {
        let shown: Vec<String> = entry.sources.iter().map(|source| cell(&shown(source))).collect();
        shown.join("<br>")
    };
    let revisions = of_each(|source| source.revision.get(..7).unwrap_or(&source.revision).to_owned());
    let sources = of_each(|source| format!("{} {}", source.repo_url, source.path).trim_end().to_owned());
    // Writing to a String cannot fail.
    let _ = writeln!(text, "| {} | {} | {revisions} | {sources} | {} |", entry.id, entry.deployed, cell(&entry.by));
}

/// The histories for scripts. Keys are only ever added; one without a value is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SyncHistory<'run> {
    api_version: &'static str,
    kind: &'static str,
    applications: Vec<HistoryApplication<'run>>,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HistoryApplication<'run> {
    name: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'run str,
    state: StatePlace<'run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'run str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back_to: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_attempt: Option<LastAttemptRow<'run>>,
    history: Vec<HistoryRow<'run>>,
}

#[derive(Serialize)]
struct StatePlace<'run> {
    namespace: &'run str,
    name: &'run str,
}

#[derive(Serialize)]
struct LastAttemptRow<'run> {
    result: &'static str,
    started: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Timestamp>,
    by: &'run str,
    revisions: &'run [String],
    steps: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'run str>,
}

#[derive(Serialize)]
struct HistoryRow<'run> {
    id: u64,
    started: Timestamp,
    deployed: Timestamp,
    by: &'run str,
    sources: Vec<HistorySource<'run>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HistorySource<'run> {
    #[serde(rename = "repoURL")]
    repo_url: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'run str,
    target_revision: &'run str,
    revision: &'run str,
}

impl<'run> SyncHistory<'run> {
    fn of(syncs: &'run [ApplicationSyncs]) -> Self {
        Self {
            api_version: "trueup/v1",
            kind: "SyncHistory",
            applications: syncs.iter().map(HistoryApplication::of).collect(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

impl<'run> HistoryApplication<'run> {
    fn of(syncs: &'run ApplicationSyncs) -> Self {
        let subject = &syncs.subject;
        let state = syncs.state.as_ref().ok();
        Self {
            name: &subject.name,
            namespace: &subject.namespace,
            state: StatePlace { namespace: &subject.place.namespace, name: &subject.place.name },
            error: syncs.state.as_ref().err().map(|finding| finding.message.as_str()),
            rolled_back_to: state.and_then(|state| state.rolled_back_to),
            last_attempt: state.and_then(|state| LastAttemptRow::of(syncs, state)),
            history: state.iter().flat_map(|state| &state.history).map(HistoryRow::of).collect(),
        }
    }
}

impl<'run> LastAttemptRow<'run> {
    fn of(syncs: &'run ApplicationSyncs, state: &'run State) -> Option<Self> {
        let attempt = state.attempt.as_ref()?;
        let ended = state.ended.as_ref();
        Some(Self {
            result: AttemptOutcome::of(syncs, state).as_str(),
            started: attempt.started,
            ended: ended.map(|ended| ended.at),
            by: &attempt.by,
            revisions: &attempt.revisions,
            steps: attempt.steps,
            message: ended.map(|ended| ended.message.as_str()).filter(|message| !message.is_empty()),
        })
    }
}

impl<'run> HistoryRow<'run> {
    fn of(entry: &'run HistoryEntry) -> Self {
        let source = |source: &'run SyncedSource| HistorySource {
            repo_url: &source.repo_url,
            path: &source.path,
            target_revision: &source.target_revision,
            revision: &source.revision,
        };
        Self {
            id: entry.id,
            started: entry.started,
            deployed: entry.deployed,
            by: &entry.by,
            sources: entry.sources.iter().map(source).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::commands::history::Subject;
    use crate::sync::lock::Holder;
    use crate::sync::state::AttemptEnd;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn syncs(state: State, holder: Option<&str>) -> ApplicationSyncs {
        let holder = holder.map(|name| Holder { name: name.to_owned(), since: String::new() });
        ApplicationSyncs { subject: Subject::named("shop", "prod"), state: Ok(state), holder }
    }

    fn attempted(by: &str) -> State {
        let mut state = State::default();
        state.attempt = Some(Attempt {
            revisions: vec!["3f2a9c1d".repeat(5), "1.2.3".to_owned()],
            started: time("2026-03-10T11:00:00Z"),
            by: by.to_owned(),
            steps: 12,
            kinds: [].into(),
            namespaces: [].into(),
        });
        state
    }

    fn shown(state: State, holder: Option<&str>) -> String {
        write(&[syncs(state, holder)], Format::Text, &View::plain(time("2026-03-10T12:00:00Z")))
    }

    /// Whoever is called at night has to know whether a sync is still at work.
    #[test]
    fn an_attempt_without_an_end_was_killed_unless_somebody_has_the_lock() {
        let last = |outcome: &str| {
            format!("shop  0 syncs\n  last  {outcome}  begun 60m ago  3f2a9c1 1.2.3  by ci  12 steps\n")
        };
        assert_eq!(shown(attempted("ci"), None), last("Killed"));
        assert_eq!(shown(attempted("ci"), Some("ci")), last("Running"));
        let mut ended = attempted("ci");
        let (at, message) = (time("2026-03-10T11:30:00Z"), "stopped by a signal".to_owned());
        ended.ended = Some(AttemptEnd { at, phase: OperationPhase::Terminated, message });
        let text = "shop  0 syncs\n  last  Terminated  30m ago  3f2a9c1 1.2.3  by ci  stopped by a signal\n";
        assert_eq!(shown(ended, Some("somebody")), text);
    }

    #[test]
    fn each_source_has_a_line_and_nothing_reaches_the_terminal() {
        let source = |path: &str, revision: &str| SyncedSource {
            repo_url: "https://git.example.com/shop".to_owned(),
            path: path.to_owned(),
            target_revision: String::new(),
            revision: revision.to_owned(),
            ..SyncedSource::default()
        };
        let mut state = State::default();
        state.history = vec![HistoryEntry {
            id: 7,
            started: time("2026-03-10T10:00:00Z"),
            deployed: time("2026-03-10T10:00:30Z"),
            by: "ada\u{1b}[2J".to_owned(),
            sources: vec![source("prod", &"3f2a9c1d".repeat(5)), source("", "1.2.3")],
        }];
        let expected = "shop  1 sync\n     7  119m ago  3f2a9c1  https://git.example.com/shop prod (HEAD)\n                  \
                        1.2.3  https://git.example.com/shop (HEAD)  by ada\\x1b[2J\n";
        assert_eq!(shown(state, None), expected);
    }
}
