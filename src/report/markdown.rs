//! The report for a GitHub job summary or a comment: a table of applications, and every difference folded.
//!
//! In: a [`Run`]. Out: markdown that shows text from manifests, and never obeys it: no markup, no mention, no link, no HTML, no
//! end of a table or of a fence. It stays below the size that GitHub takes; what was cut is said.
//!
//! Rules: the GitHub Flavored Markdown specification; "Adding a job summary" of GitHub's workflow commands (1 MiB a step).

use std::fmt::Write;

use super::View;
use super::diff::{self, Diff, Line, Side};
use super::path::{path, short};
use super::summary::{
    STATES, application_counts, cluster_words, counted, fetched_by_words, finding_line, manager_words, resource_counts,
    short_revision, state_words, status_words,
};
use super::theme::Role;
use super::visible::visible;
use crate::finding::{Finding, Severity};
use crate::fleet::{ApplicationRun, Run, SyncStatus};
use crate::object::Key;
use crate::status::{ResourceDrift, ResourceState};

/// Below 1 MiB, with room for the last words.
const LIMIT: usize = 1_000_000;
/// The table of applications may take so much of it.
const TABLE_LIMIT: usize = LIMIT / 2;
/// So many lines of one difference are shown.
const FOLD: usize = 200;
/// So much of one line is shown, in characters.
const LINE_LIMIT: usize = 1000;

/// The run as markdown.
pub(super) fn write(run: &Run, view: &View) -> String {
    let mut text = head(run);
    let mut cut = 0;
    table(run, &mut text);
    for application in &run.applications {
        let mut title = format!("\n### {}\n", code(&application.name));
        let pieces = application
            .conditions
            .iter()
            .map(|condition| finding(&condition.finding))
            .chain(application.resources.iter().filter_map(|drift| resource(drift, view)));
        for piece in pieces {
            if text.len() + title.len() + piece.len() > LIMIT {
                cut += 1;
            } else {
                text.push_str(&std::mem::take(&mut title));
                text.push_str(&piece);
            }
        }
    }
    if !run.findings.is_empty() {
        text.push_str("\n### Input\n");
        for piece in run.findings.iter().map(finding) {
            if text.len() + piece.len() > LIMIT { cut += 1 } else { text.push_str(&piece) }
        }
    }
    if cut > 0 {
        let words = counted(cut, "more entry").replace("entrys", "entries");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n**{words} cut off**: a job summary holds 1 MiB. The JSON report has everything.");
    }
    text
}

fn head(run: &Run) -> String {
    let title = if run.has_error() {
        "❌ The answer could not be found in full"
    } else if run.has_drift() {
        "⚠️ Drift found"
    } else {
        "✅ Everything is in sync"
    };
    let words = |counts: Vec<(Role, String)>| {
        let words: Vec<String> = counts.into_iter().map(|(_, words)| words).collect();
        if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
    };
    format!(
        "## {title}\n\n{}{}, {}{}\n",
        counted(run.applications.len(), "application"),
        words(application_counts(run)),
        counted(STATES.into_iter().map(|state| run.count(state)).sum(), "resource"),
        words(resource_counts(|state| run.count(state))),
    )
}

fn table(run: &Run, text: &mut String) {
    if run.applications.is_empty() {
        return;
    }
    text.push_str("\n| application | status | resources | cluster | revision |\n|---|---|---|---|---|\n");
    for (index, application) in run.applications.iter().enumerate() {
        let row = row(application);
        if text.len() + row.len() > TABLE_LIMIT {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| … {} more | | | | |", run.applications.len() - index);
            return;
        }
        text.push_str(&row);
    }
}

fn row(application: &ApplicationRun) -> String {
    let status = application.sync();
    let sign = match status {
        SyncStatus::Synced => "✅",
        SyncStatus::OutOfSync => "⚠️",
        SyncStatus::Unknown => "❌",
    };
    let counts: Vec<String> =
        resource_counts(|state| application.count(state)).into_iter().map(|(_, words)| words).collect();
    let cluster: Vec<String> = cluster_words(application).into_iter().map(code).collect();
    let sources: Vec<String> = application
        .sources
        .iter()
        .map(|source| {
            let revision = match source.revision.as_str() {
                "" => String::new(),
                revision => code(&short_revision(revision)) + ", ",
            };
            revision + fetched_by_words(source)
        })
        .collect();
    format!(
        "| {} | {sign} {} | {} | {} | {} |\n",
        code(&application.name),
        status_words(status),
        counts.join(", "),
        cluster.join(" "),
        sources.join("<br>")
    )
}

fn finding(finding: &Finding) -> String {
    let (_, _, words) = finding_line(finding);
    let severity = match finding.severity {
        Severity::Error => "❌ error",
        Severity::Warning => "⚠️ warning",
    };
    let mut text = format!("\n- {severity} {}", code(&words));
    // Writing to a String cannot fail.
    if let Some(excerpt) = &finding.excerpt {
        let _ = write!(text, " at {}", code(&format!("{}:{}", excerpt.file, excerpt.line())));
    }
    if let Some(help) = &finding.help {
        let _ = write!(text, "<br>help: {}", code(help));
    }
    text.push('\n');
    text
}

/// A resource that is worth an entry: everything but those in sync.
fn resource(resource: &ResourceDrift, view: &View) -> Option<String> {
    let key = Key {
        group: resource.gvk.group.clone(),
        kind: resource.gvk.kind.clone(),
        namespace: resource.namespace.clone(),
        name: resource.name.clone(),
    };
    let mut title = format!("{} {}", state_words(resource.state), code(&key.to_string()));
    // Writing to a String cannot fail.
    if let Some(origin) = &resource.origin {
        let _ = write!(title, " at {}", code(&format!("{}:{}", origin.file, origin.line)));
    }
    let mut body = String::new();
    if let Some(note) = &resource.note {
        let _ = writeln!(body, "\n{}", code(note));
    }
    match (resource.state, &resource.target) {
        (ResourceState::InSync, _) => return None,
        (ResourceState::Changed, _) => changed(resource, view, &mut body),
        (ResourceState::Missing, Some(target)) => fence(&diff::whole(target), &mut body),
        _ => {}
    }
    Some(if body.is_empty() {
        format!("\n- {title}\n")
    } else {
        format!("\n<details><summary>{title}</summary>\n{body}\n</details>\n")
    })
}

fn changed(resource: &ResourceDrift, view: &View, body: &mut String) {
    let Diff { elsewhere, hunks } = diff::diff(resource, view.context_lines);
    for (index, field) in resource.fields.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(body, "\n- {}", code(&path(field, resource)));
        if elsewhere.contains(&index) {
            for (words, value) in [("cluster", &field.live), ("git", &field.git)] {
                let value = value.as_ref().map_or_else(|| "nothing".to_owned(), |value| code(&short(value)));
                let _ = write!(body, ", {words} {value}");
            }
        }
        for manager in &field.managers {
            // An age would be wrong by the time that the summary is read.
            let _ = write!(body, ", {}", code(&manager_words(manager, &manager.time)));
        }
    }
    body.push('\n');
    let lines: Vec<Line> = hunks.into_iter().flat_map(|hunk| hunk.lines).collect();
    if !lines.is_empty() {
        fence(&lines, body);
    }
}

/// Lines of a difference between fences longer than any run of backticks in them.
fn fence(lines: &[Line], body: &mut String) {
    let mut text = String::new();
    for line in &lines[..lines.len().min(FOLD)] {
        let whole = line.text();
        let shown = visible(&whole);
        text.push_str(match line.side {
            Side::Both => "  ",
            Side::Cluster => "- ",
            Side::Git => "+ ",
        });
        match shown.char_indices().nth(LINE_LIMIT) {
            Some((end, _)) => text.extend([&shown[..end], "…"]),
            None => text.push_str(&shown),
        }
        text.push('\n');
    }
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    // Writing to a String cannot fail.
    let _ = write!(body, "\n{fence}diff\n{text}{fence}\n");
    if lines.len() > FOLD {
        let _ = writeln!(body, "\n… {} more lines", lines.len() - FOLD);
    }
}

/// Any text as code that says nothing to markdown, HTML or GitHub: the door of this format.
///
/// HTML's `code` rather than backticks, whose rules bend in tables; GitHub looks for no mentions in it. All punctuation
/// is written as character references, which markdown never takes for markup, and a comment keeps `@` from joining an address.
fn code(text: &str) -> String {
    let mut escaped = String::from("<code>");
    for character in visible(text).chars() {
        match character {
            '@' => escaped.push_str("&#64;<!-- -->"),
            ' ' | '-' | '/' => escaped.push(character),
            _ if character.is_ascii_punctuation() => {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped.push_str("</code>");
    escaped
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;
    use crate::report::fixture::{HOSTILE, application, everything, field, resource as a_resource, view};

    #[test]
    fn a_summary_has_a_table_and_folds_every_difference() {
        let mut run = everything();
        run.applications[0].resources.retain(|resource| resource.name != HOSTILE);
        run.findings.pop();
        assert_snapshot!(write(&run, &view()), @"");
    }

    #[test]
    fn a_summary_of_nothing_but_peace_is_short() {
        let mut run = everything();
        run.findings.clear();
        run.applications.drain(..2);
        assert_snapshot!(write(&run, &view()), @"");
    }

    /// Takes fences off, as a markdown reader does: a fence ends at the first line with as many backticks.
    fn outside_of_fences(text: &str) -> String {
        let mut open: Option<usize> = None;
        let mut outside = String::new();
        for line in text.lines() {
            let ticks = line.len() - line.trim_start_matches('`').len();
            match open {
                None if ticks >= 3 => open = Some(ticks),
                None => outside.extend([line, "\n"]),
                Some(length) if ticks >= length && line.trim_matches('`').is_empty() => open = None,
                Some(_) => {}
            }
        }
        assert_eq!(open, None, "a fence is left open");
        outside
    }

    fn assert_harmless(text: &str) {
        assert!(!text.contains(|character: char| character != '\n' && character.is_control()));
        let mut outside = outside_of_fences(text);
        for ours in [
            "<code>",
            "</code>",
            "<details>",
            "</details>",
            "<summary>",
            "</summary>",
            "<br>",
            "<!-- -->",
            "\n- ",
            "\n### ",
            "\n## ",
        ] {
            outside = outside.replace(ours, "\n");
        }
        let table: String = outside.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(table.matches('|').count() % 6, 0, "{table}");
        let references = outside.replace("&#", "").replace("**", "");
        for character in ['<', '>', '`', '[', ']', '*', '_', '@', '!', '\\', '~', '#', '&'] {
            assert!(!references.contains(character), "{character} in {outside}");
        }
        assert!(!references.contains("://") && !references.contains("www."), "{outside}");
    }

    #[test]
    fn hostile_text_is_shown_and_not_obeyed() {
        assert_harmless(&write(&everything(), &view()));
    }

    /// A fleet of thousands that all drifted: GitHub would take nothing of a summary above its limit.
    #[test]
    fn a_summary_too_large_is_cut_and_says_so() {
        let mut run = Run::default();
        for number in 0..3000 {
            let mut application = application(&format!("application-{number}"));
            application.resources = (0..3)
                .map(|number| {
                    let mut missing = a_resource(&format!("web-{number}"), ResourceState::Missing);
                    missing.target = Some(serde_json::json!({ "data": "x".repeat(500) }));
                    missing
                })
                .collect();
            run.applications.push(application);
        }
        let text = write(&run, &view());
        assert!(text.len() <= 1 << 20, "{}", text.len());
        assert!(text.len() > 900_000, "{}", text.len());
        let end = text.lines().last().unwrap();
        assert!(
            end.ends_with("more entries cut off**: a job summary holds 1 MiB. The JSON report has everything."),
            "{end}"
        );
        assert_harmless(&text);
    }

    #[test]
    fn a_huge_difference_leaves_room_for_the_others() {
        let mut missing = a_resource("web", ResourceState::Missing);
        missing.target = Some(serde_json::json!({ "data": vec!["x".repeat(5000); 500] }));
        let mut application = application("shop");
        application.resources = vec![missing, a_resource("other", ResourceState::Extra)];
        let text = write(&Run { applications: vec![application], ..Run::default() }, &view());
        assert!(text.contains("\n… 301 more lines\n"), "{text}");
        assert!(text.contains("shop/other"));
        assert!(text.len() < 250_000, "{}", text.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_text_of_a_manifest_is_markup(text in "(\\PC|[`<>|@#*_\\[\\]()!\\\\~&;:/.\n\x1b-]){0,40}") {
            let mut drift = a_resource(&text, ResourceState::Changed);
            drift.live = Some(serde_json::json!({ "data": text }));
            drift.target = Some(serde_json::json!({ "data": format!("{text}.") }));
            drift.fields = vec![field(&drift, "/data", None, None)];
            drift.note = Some(text.clone());
            let mut application = application(&text);
            application.cluster.clone_from(&text);
            application.resources = vec![drift];
            let findings = vec![Finding::error("c", text.clone()).with_help(text.clone())];
            assert_harmless(&write(&Run { applications: vec![application], findings, ..Run::default() }, &view()));
        }
    }
}
