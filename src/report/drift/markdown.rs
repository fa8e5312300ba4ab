//! The report for a GitHub job summary or a comment: a table of applications, and every difference folded.
//!
//! In: a [`Run`]. Out: markdown that shows text from manifests, and never obeys it: no markup, no mention, no link, no HTML, no
//! end of a table or of a fence. It stays below the size that GitHub takes; what was cut is said.
//!
//! Rules: the GitHub Flavored Markdown specification; "Adding a job summary" of GitHub's workflow commands (1 MiB a step).

use std::fmt::Write;

use crate::finding::{Finding, Severity};
use crate::fleet::{ApplicationRun, Run, SyncStatus};
use crate::object::Key;
use crate::report::View;
use crate::report::drift::diff::{self, CONTEXT, DiffSide, LONGEST_VALUE, Line};
use crate::report::drift::notes::note_of_all;
use crate::report::drift::operation;
use crate::report::gathered::GatheredFindings;
use crate::report::health::markdown::unhealthy;
use crate::report::style::escape::visible;
use crate::report::style::markdown::{cell, code, cut, fence_text, span};
use crate::report::style::page::Page;
use crate::report::style::path::{one_line, path, short};
use crate::report::style::theme::Role;
use crate::report::style::words::{
    STATES, application_counts, change_words, cluster_words, commit_words, counted, fetched_by_words, finding_line,
    going_words, is_listed_in_plan, manager_words, one_sided_words, resource_counts, rolled_back_words, short_revision,
    state_explained, status_words,
};
use crate::status::{Moved, ResourceDrift, ResourceState};

/// Below 1 MiB, with room for the last words.
const LIMIT: usize = 1_000_000;
/// The table of applications may take so much of it.
const TABLE_LIMIT: usize = LIMIT / 2;
/// So many lines of one difference are shown.
const FOLD: usize = 200;
/// So many commits of one resource are shown.
const FOLD_COMMITS: usize = 5;

/// The run as markdown.
pub(in crate::report) fn write(run: &Run, view: &View) -> String {
    let mut text = head(run);
    let mut cut = 0;
    table(run, &mut text);
    let note_of_all = note_of_all(run);
    if let Some(note) = note_of_all {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n> {}", span(note));
    }
    let gathered = GatheredFindings::of(run);
    for application in &run.applications {
        let mut title = format!("\n### {}\n", span(&application.name));
        let own = application.conditions.iter().map(|condition| &condition.finding);
        let own = own.filter(|finding| !gathered.is_shared(finding, &application.name));
        let is_listed = is_listed_in_plan(application);
        let resources = application.resources.iter().filter(|_| !is_listed);
        let pieces = own
            .map(finding)
            .chain(rolled_back_words(application).map(|words| format!("\n- {}\n", span(&words))))
            .chain(steps(application))
            .chain(application.orphans.iter().map(orphan))
            .chain(resources.filter_map(|drift| resource(drift, application, note_of_all, view)))
            .chain(application.health.iter().flat_map(|health| &health.resources).filter_map(unhealthy));
        for piece in pieces {
            if text.len() + title.len() + piece.len() > LIMIT {
                cut += 1;
            } else {
                text.push_str(&std::mem::take(&mut title));
                text.push_str(&piece);
            }
        }
    }
    let shared: Vec<String> = gathered.shared().map(|shared| finding(&shared)).collect();
    if !shared.is_empty() {
        text.push_str("\n### Several applications\n");
        for piece in shared {
            if text.len() + piece.len() > LIMIT { cut += 1 } else { text.push_str(&piece) }
        }
    }
    if !run.findings.is_empty() {
        text.push_str("\n### Outside of the applications\n");
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
        "❌ Incomplete: not everything could be compared"
    } else if run.has_drift() {
        "⚠️ Drift found"
    } else if run.count_recent() > 0 && run.is_well() {
        "✅ No drift that is as old as `--older-than` says"
    } else if !run.is_well() {
        "⚠️ Everything is in sync, but not everything is healthy"
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

/// A resource that belongs to no application.
fn orphan(key: &Key) -> String {
    format!("\n- {} orphaned: belongs to no application\n", span(&key.to_string()))
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
    let cluster: Vec<String> = cluster_words(application).into_iter().map(cell).collect();
    let sources: Vec<String> = application
        .sources
        .iter()
        .map(|source| {
            let revision = match source.revision.as_str() {
                "" => String::new(),
                revision => cell(&short_revision(revision)) + ", ",
            };
            revision + fetched_by_words(source)
        })
        .collect();
    let health = application.health.as_ref().map(|health| format!(", {}", health.status)).unwrap_or_default();
    format!(
        "| {} | {sign} {}{health} | {} | {} | {} |\n",
        cell(&application.name),
        going_words(application).unwrap_or(status_words(status)),
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
    let mut text = format!("\n- {severity} {}", span(&words));
    // Writing to a String cannot fail.
    if let Some(excerpt) = &finding.excerpt {
        let _ = write!(text, " at {}", span(&format!("{}:{}", excerpt.file, excerpt.line())));
    }
    if let Some(help) = &finding.help {
        let _ = write!(text, "\n  help: {}", span(help));
    }
    text.push('\n');
    text
}

/// The steps of a plan or of a sync, as the text report has them.
fn steps(application: &ApplicationRun) -> Option<String> {
    if !operation::is_reported(application) {
        return None;
    }
    let mut page = Page::new(false);
    operation::write(&mut page, application, false);
    let mut text = String::new();
    fence_text("text", &page.finish(), &mut text);
    Some(text)
}

/// A resource that is worth an entry: everything but those in sync.
fn resource(
    resource: &ResourceDrift,
    application: &ApplicationRun,
    note_of_all: Option<&str>,
    view: &View,
) -> Option<String> {
    let key = Key {
        group: resource.gvk.group.clone(),
        kind: resource.gvk.kind.clone(),
        namespace: resource.namespace.clone(),
        name: resource.name.clone(),
    };
    let mut body = String::new();
    match (resource.state, &resource.target) {
        (ResourceState::InSync, _) if resource.additions.is_empty() => return None,
        (ResourceState::Changed, _) => changed(resource, view, &mut body),
        (ResourceState::Missing, Some(target)) => fence(&diff::whole(target), FOLD, &mut body),
        _ => {}
    }
    commits(application, resource, &mut body);
    additions(resource, &mut body);
    // A summary is HTML, in which there are no code spans.
    let quote = if body.is_empty() { span } else { code };
    let mut title = format!("{} {}", state_explained(resource), quote(&key.to_string()));
    // Writing to a String cannot fail.
    if !one_sided_words(resource).is_empty() {
        let _ = write!(title, ", {}", one_sided_words(resource));
    }
    if let Some(origin) = &resource.origin {
        let _ = write!(title, " at {}", quote(&origin.to_string()));
    }
    if let Some(note) = resource.note.as_deref().filter(|note| Some(*note) != note_of_all) {
        let _ = write!(title, ": {}", quote(note));
    }
    if resource.is_tolerated {
        title.push_str(", does not count");
    }
    Some(if body.is_empty() {
        format!("\n- {title}\n")
    } else {
        format!("\n<details><summary>{title}</summary>\n{body}\n</details>\n")
    })
}

/// The commits that changed a resource in git.
fn commits(application: &ApplicationRun, resource: &ResourceDrift, body: &mut String) {
    let Some(history) = application.history_of(resource).filter(|_| resource.has_git_moved()) else { return };
    for commit in history.commits.iter().take(FOLD_COMMITS) {
        // An age would be wrong by the time that the summary is read.
        let words = span(&commit_words(commit, &commit.time));
        // Writing to a String cannot fail.
        item(body);
        let _ = writeln!(body, "commit {} {words}", span(&short_revision(&commit.hash)));
    }
    if history.commits.len() > FOLD_COMMITS || history.is_cut {
        item(body);
        body.push_str("… and more\n");
    }
}

fn changed(resource: &ResourceDrift, view: &View, body: &mut String) {
    let mut room = FOLD;
    for (index, field) in resource.fields.iter().enumerate() {
        if room == 0 {
            // Writing to a String cannot fail.
            item(body);
            let _ = writeln!(body, "… {}", counted(resource.fields.len() - index, "more field"));
            return;
        }
        room -= 1;
        let values = [&field.live, &field.git].map(|value| one_line(value.as_ref(), LONGEST_VALUE));
        item(body);
        let _ = write!(body, "{}", span(&path(field, resource)));
        if let [Some(live), Some(git)] = &values {
            let _ = write!(body, " {} → {}", span(live), span(git));
        }
        // An age would be wrong by the time that the summary is read.
        let words = change_words(field, str::to_owned);
        if !words.is_empty() {
            let _ = write!(body, " {}", visible_words(&words));
        }
        if field.moved == Moved::Both {
            let last = one_line(field.last_synced.as_ref(), 2 * LONGEST_VALUE).unwrap_or_else(|| "…".to_owned());
            let _ = write!(body, ", last synced: {}", span(&last));
        }
        body.push('\n');
        if values.iter().any(Option::is_none) {
            for lines in diff::field_lines(field, view.context_lines.unwrap_or(CONTEXT)) {
                fence(&lines, room, body);
                room -= lines.len().min(room);
            }
        }
    }
}

/// Fields that people added and git does not mention.
fn additions(resource: &ResourceDrift, body: &mut String) {
    for field in resource.additions.iter().take(FOLD) {
        let value = field.live.as_ref().map(short).unwrap_or_default();
        // Writing to a String cannot fail.
        item(body);
        let _ = write!(body, "addition {} {}", span(&path(field, resource)), span(cut(&value)));
        for manager in &field.managers {
            let _ = write!(body, ", by {}", span(&manager_words(manager, &manager.time)));
        }
        body.push('\n');
    }
}

/// Begins an item of a list.
fn item(body: &mut String) {
    // The first one after HTML needs a free line before it, to be markdown again.
    if body.is_empty() {
        body.push('\n');
    }
    body.push_str("- ");
}

/// Lines of a difference between fences.
fn fence(lines: &[Line], room: usize, body: &mut String) {
    let mut text = String::new();
    for line in lines.iter().take(room) {
        let whole = line.text();
        let shown = visible(&whole);
        text.push_str(match line.side {
            DiffSide::Both => "  ",
            DiffSide::Cluster => "- ",
            DiffSide::Git => "+ ",
        });
        text.push_str(cut(&shown));
        text.push_str(if cut(&shown).len() < shown.len() { "…\n" } else { "\n" });
    }
    fence_text("diff", &text, body);
    if lines.len() > room {
        more_lines(lines.len() - room, body);
    }
}

fn more_lines(count: usize, body: &mut String) {
    // Writing to a String cannot fail.
    let _ = writeln!(body, "\n… {}", counted(count, "more line"));
}

/// Words of ours around names from a cluster: the names are all that could be markup, so that all of it is a code span where
/// there is any.
fn visible_words(words: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || " -,:;".contains(character);
    if words.chars().all(is_plain) && !words.contains("://") { words.to_owned() } else { span(words) }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;
    use crate::finding::Code;
    use crate::fleet::ApplicationHealth;
    use crate::report::drift::fixture::{
        HOSTILE, application, everything, field, judged, resource as a_resource, unwell, view,
    };
    use crate::status::health::HealthStatus;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a snapshot is as long as a report")]
    fn a_summary_has_a_table_and_folds_every_difference() {
        let mut run = everything();
        run.applications[0].resources.retain(|resource| resource.name != HOSTILE);
        run.findings.pop();
        assert_snapshot!(write(&run, &view()), @r#"
        ## ❌ Incomplete: not everything could be compared

        3 applications (1 unknown, 1 out of sync, 1 in sync), 8 resources (1 unknown, 3 changed, 1 missing, 1 extra, 2 in sync)

        | application | status | resources | cluster | revision |
        |---|---|---|---|---|
        | `shop` | ⚠️ OutOfSync | 3 changed, 1 missing, 1 extra, 1 in sync | `https://10.0.0.1:6443` | `3f2a9c1`, fetched by gix |
        | `payments` | ❌ Unknown | 1 unknown | `eu-prod` `https://10.0.0.1:6443` | not fetched<br>`3f2a9c1`, fetched by the git program |
        | `search` | ✅ Synced | 1 in sync | `examples/search/live` | `3f2a9c1`, working tree as it is |

        ### `shop`

        - ⚠️ warning ``shop: `ConfigMap shop/settings` is written twice; the last one counts``
          help: `remove one of them`

        <details><summary>changed <code>apps/Deployment shop/web</code> at <code>overlays/prod/web.yaml:12</code></summary>

        - `spec.replicas` `5` → `2` changed in the cluster by kubectl scale, 2026-03-10T10:00:00Z
        - `spec.template.spec.containers[web].env[LOG_LEVEL]` last set by kubectl-edit, 2026-03-10T11:48:00Z

        ```diff
        - name: LOG_LEVEL
        - value: debug
        ```
        - `spec.template.spec.containers[web].image` `registry.example.com/shop/web:1.4.0-debug` → `registry.example.com/shop/web:1.4.0` changed in git and in the cluster by kubectl-edit, 2026-03-10T11:48:00Z, last synced: `registry.example.com/shop/web:1.3.9`
        - commit `9e107d9` `web: 1.4.0, Ada Lovelace, 2026-03-09T12:00:00Z`
        - … and more

        </details>

        <details><summary>changed <code>ConfigMap shop/settings</code> at <code>base/settings.yaml:1</code>: <code>compared without the API server: this account may not patch &#96;configmaps&#96;</code></summary>

        - `data["start.sh"]` last set by argocd-controller, 2026-03-07T12:00:00Z

        ```diff
          #!/bin/sh
        - set -e
        + set -eu
          
          export A=1
          export B=2
          export C=3
          export D=4
        - exec web --port 8080 --verbose
        + exec web --port 8080
        ```

        </details>

        <details><summary>changed <code>Secret shop/login</code> at <code>base/login.yaml:1</code></summary>

        - `data.password` `++++++++++++` → `++++++++`

        </details>

        <details><summary>missing in the cluster <code>Service shop/web</code> at <code>base/service.yaml:1</code></summary>

        ```diff
        + apiVersion: v1
        + kind: Service
        + metadata:
        +   name: web
        +   namespace: shop
        + spec:
        +   ports:
        +   - name: port-0
        +     port: 8080
        +     protocol: TCP
        +   - name: port-1
        +     port: 8081
        +     protocol: TCP
        +   - name: port-2
        +     port: 8082
        +     protocol: TCP
        +   - name: port-3
        +     port: 8083
        +     protocol: TCP
        +   - name: port-4
        +     port: 8084
        +     protocol: TCP
        +   selector:
        +     app: web
        ```

        </details>

        - extra, not in git `batch/Job shop/migrate-2025`, removed from git since the last sync

        ### `payments`

        - ❌ error ``payments: no tag satisfies `^1.2` in ssh://git@git.example.com/pay/infra: the remote has 0 tags`` at `apps/payments.yaml:4`
          help: `` `targetRevision: main` would follow the branch ``

        - unknown `apps/Deployment payments/api`: `` `deployments.apps` may not be listed in namespace `payments` ``

        ### Outside of the applications

        - ⚠️ warning ``apps/legacy.yaml: `{{` is a template, not a manifest``
          help: `render it first, and give the result`
        "#);
    }

    #[test]
    fn a_summary_of_nothing_but_peace_is_short() {
        let mut run = everything();
        run.findings.clear();
        run.applications.drain(..2);
        assert_snapshot!(write(&run, &view()), @r"
        ## ✅ Everything is in sync

        1 application (1 in sync), 1 resource (1 in sync)

        | application | status | resources | cluster | revision |
        |---|---|---|---|---|
        | `search` | ✅ Synced | 1 in sync | `examples/search/live` | `3f2a9c1`, working tree as it is |
        ");
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

    /// Takes code spans off, as a markdown reader does: a span ends at the next run of as many backticks.
    fn outside_of_spans(line: &str) -> String {
        let mut outside = String::new();
        let mut rest = line;
        while let Some(start) = rest.find('`') {
            let ticks = rest[start..].len() - rest[start..].trim_start_matches('`').len();
            outside.push_str(&rest[..start]);
            rest = &rest[start + ticks..];
            let mut at = 0;
            let end = loop {
                let next = at + rest[at..].find('`').unwrap_or_else(|| panic!("a code span is left open: {line}"));
                let run = rest[next..].len() - rest[next..].trim_start_matches('`').len();
                at = next + run;
                if run == ticks {
                    break at;
                }
            };
            rest = &rest[end..];
        }
        outside + rest
    }

    fn assert_harmless(text: &str) {
        assert!(!text.contains(|character: char| character != '\n' && character.is_control()));
        let mut outside: String = outside_of_fences(text).lines().map(|line| outside_of_spans(line) + "\n").collect();
        for ours in ["<code>", "</code>", "<details>", "</details>", "<summary>", "</summary>", "<br>", "<!-- -->"] {
            outside = outside.replace(ours, "");
        }
        let mut outside =
            outside.replace("\n- ", "\n").replace("\n> ", "\n").replace("\n### ", "\n").replace("## ", "");
        outside = outside.replace("&#", "");
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

    /// Whoever reads the summary of a failed job reads why, too.
    #[test]
    fn unhealthy_resources_are_listed_with_their_reasons() {
        let mut shop = application("shop");
        let resources = vec![judged(HealthStatus::Healthy, "all is well"), unwell("no money")];
        shop.health = Some(ApplicationHealth { status: HealthStatus::Degraded, resources });
        let text = write(&Run { applications: vec![shop], ..Run::default() }, &view());
        let of_shop = text.split("### ").nth(1).unwrap();
        assert_snapshot!(of_shop, @r"
        `shop`

        - Degraded `apps/Deployment shop/web`: `no money`
          - `no money`
          - `container no money of Pod web-1 wrote before its last restart:`<br>`no money`
          - `container no money of Pod web-1 wrote nothing before its last restart`
          - `the log of container no money of Pod web-1 before its last restart could not be read: no money`
        ");
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
            application.health = Some(ApplicationHealth { status: HealthStatus::Degraded, resources: vec![unwell(&text)] });
            let findings = vec![Finding::error(Code::AppYaml, text.clone()).with_help(text.clone())];
            assert_harmless(&write(&Run { applications: vec![application], findings, ..Run::default() }, &view()));
        }
    }
}
