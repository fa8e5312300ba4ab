//! The report for a GitHub job summary or a comment: a table of applications, and every difference folded.
//!
//! In: a [`Run`]. Out: markdown that shows text from manifests, and never obeys it: no markup, no mention, no link, no HTML, no
//! end of a table or of a fence. It stays below the size that GitHub takes; what was cut is said.
//!
//! Rules: the GitHub Flavored Markdown specification; "Adding a job summary" of GitHub's workflow commands (1 MiB a step).

use std::fmt::Write;

use super::View;
use super::diff::{self, Diff, Line, Side};
use super::health::log_words;
use super::path::{path, short};
use super::summary::{
    STATES, application_counts, cluster_words, counted, fetched_by_words, finding_line, manager_words, moved_words,
    resource_counts, short_revision, state_words, status_words,
};
use super::theme::Role;
use super::visible::visible;
use crate::finding::{Finding, Severity};
use crate::fleet::{ApplicationRun, Run, SyncStatus};
use crate::object::Key;
use crate::status::health::{HealthStatus, ResourceHealth};
use crate::status::{Moved, ResourceDrift, ResourceState};

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
            .chain(application.resources.iter().filter_map(|drift| resource(drift, view)))
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
        "❌ The answer could not be found in full"
    } else if run.has_drift() {
        "⚠️ Drift found"
    } else if !run.is_well() {
        "⚠️ Everything is in sync, but not all of it works"
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
    let health = application.health.as_ref().map(|health| format!(", {}", health.status)).unwrap_or_default();
    format!(
        "| {} | {sign} {}{health} | {} | {} | {} |\n",
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
        let _ = write!(title, " at {}", code(&origin.to_string()));
    }
    if let Some(note) = &resource.note {
        let _ = write!(title, ": {}", code(note));
    }
    if resource.is_tolerated {
        title.push_str(", does not count");
    }
    let mut body = String::new();
    match (resource.state, &resource.target) {
        (ResourceState::InSync, _) if resource.additions.is_empty() => return None,
        (ResourceState::Changed, _) => changed(resource, view, &mut body),
        (ResourceState::Missing, Some(target)) => fence(&diff::whole(target), FOLD, &mut body),
        _ => {}
    }
    additions(resource, &mut body);
    Some(if body.is_empty() {
        format!("\n- {title}\n")
    } else {
        format!("\n<details><summary>{title}</summary>\n{body}\n</details>\n")
    })
}

/// A resource that does not work, and why.
fn unhealthy(resource: &ResourceHealth) -> Option<String> {
    let health = resource.health.as_ref().filter(|health| health.status != HealthStatus::Healthy)?;
    let mut text = format!("\n- {} {}", health.status, code(&resource.key().to_string()));
    // Writing to a String cannot fail.
    if !health.message.is_empty() {
        let _ = write!(text, ": {}", code(cut(&health.message)));
    }
    for reason in &resource.reasons {
        let _ = write!(text, "\n  - {}", code(cut(reason)));
    }
    for log in &resource.logs {
        let (title, lines) = log_words(log);
        let _ = write!(text, "\n  - {}", code(cut(&title)));
        for line in lines {
            let _ = write!(text, "<br>{}", code(line));
        }
    }
    text.push('\n');
    Some(text)
}

fn changed(resource: &ResourceDrift, view: &View, body: &mut String) {
    let Diff { elsewhere, hunks } = diff::diff(resource, view.context_lines);
    fields(&elsewhere, resource, true, body);
    let mut room = FOLD;
    for (index, hunk) in hunks.iter().enumerate() {
        if room == 0 {
            let left: usize = hunks[index..].iter().map(|hunk| hunk.lines.len()).sum();
            more_lines(left, body);
            return;
        }
        fields(&hunk.fields, resource, false, body);
        fence(&hunk.lines, room, body);
        room -= hunk.lines.len().min(room);
    }
}

/// The paths of fields and who holds them; their values too, where no line of a hunk shows them.
fn fields(indexes: &[usize], resource: &ResourceDrift, with_values: bool, body: &mut String) {
    for field in indexes.iter().take(FOLD).map(|index| &resource.fields[*index]) {
        // Writing to a String cannot fail.
        let _ = write!(body, "\n- {}", code(&path(field, resource)));
        if with_values {
            for (words, value) in [("cluster", &field.live), ("git", &field.git)] {
                let value = value.as_ref().map_or_else(|| "nothing".to_owned(), |value| code(cut(&short(value))));
                let _ = write!(body, ", {words} {value}");
            }
        }
        if field.moved != Moved::Unknown {
            let _ = write!(body, ", {}", moved_words(field.moved));
        }
        for manager in &field.managers {
            // An age would be wrong by the time that the summary is read.
            let _ = write!(body, ", held by {}", code(&manager_words(manager, &manager.time)));
        }
    }
    if !indexes.is_empty() {
        body.push('\n');
    }
    if indexes.len() > FOLD {
        // Writing to a String cannot fail.
        let _ = writeln!(body, "- … {} more fields", indexes.len() - FOLD);
    }
}

/// What people added where git is silent.
fn additions(resource: &ResourceDrift, body: &mut String) {
    for field in resource.additions.iter().take(FOLD) {
        let value = field.live.as_ref().map(short).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = write!(body, "\n- addition {} {}", code(&path(field, resource)), code(cut(&value)));
        for manager in &field.managers {
            let _ = write!(body, ", by {}", code(&manager_words(manager, &manager.time)));
        }
    }
    if !resource.additions.is_empty() {
        body.push('\n');
    }
}

/// Lines of a difference between fences longer than any run of backticks in them.
fn fence(lines: &[Line], room: usize, body: &mut String) {
    let mut text = String::new();
    for line in lines.iter().take(room) {
        let whole = line.text();
        let shown = visible(&whole);
        text.push_str(match line.side {
            Side::Both => "  ",
            Side::Cluster => "- ",
            Side::Git => "+ ",
        });
        text.push_str(cut(&shown));
        text.push_str(if cut(&shown).len() < shown.len() { "…\n" } else { "\n" });
    }
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    // Writing to a String cannot fail.
    let _ = write!(body, "\n{fence}diff\n{text}{fence}\n");
    if lines.len() > room {
        more_lines(lines.len() - room, body);
    }
}

fn more_lines(count: usize, body: &mut String) {
    // Writing to a String cannot fail.
    let _ = writeln!(body, "\n… {}", counted(count, "more line"));
}

/// As much of a line as is shown.
fn cut(line: &str) -> &str {
    line.char_indices().nth(LINE_LIMIT).map_or(line, |(end, _)| &line[..end])
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
    use crate::fleet::ApplicationHealth;
    use crate::report::fixture::{
        HOSTILE, application, everything, field, judged, resource as a_resource, unwell, view,
    };

    #[test]
    #[expect(clippy::too_many_lines, reason = "a snapshot is as long as a report")]
    fn a_summary_has_a_table_and_folds_every_difference() {
        let mut run = everything();
        run.applications[0].resources.retain(|resource| resource.name != HOSTILE);
        run.findings.pop();
        assert_snapshot!(write(&run, &view()), @r"
        ## ❌ The answer could not be found in full

        3 applications (1 unknown, 1 out of sync, 1 in sync), 8 resources (1 unknown, 3 changed, 1 missing, 1 extra, 2 in sync)

        | application | status | resources | cluster | revision |
        |---|---|---|---|---|
        | <code>shop</code> | ⚠️ OutOfSync | 3 changed, 1 missing, 1 extra, 1 in sync | <code>https&#58;//10&#46;0&#46;0&#46;1&#58;6443</code> | <code>3f2a9c1</code>, fetched by gix |
        | <code>payments</code> | ❌ Unknown | 1 unknown | <code>eu-prod</code> <code>https&#58;//10&#46;0&#46;0&#46;1&#58;6443</code> | not fetched<br><code>3f2a9c1</code>, fetched by the git program |
        | <code>search</code> | ✅ Synced | 1 in sync | <code>examples/search/live</code> | <code>3f2a9c1</code>, working tree as it is |

        ### <code>shop</code>

        - ⚠️ warning <code>shop&#58; &#96;ConfigMap shop/settings&#96; is written twice&#59; the last one counts</code><br>help: <code>remove one of them</code>

        <details><summary>changed <code>apps/Deployment shop/web</code> at <code>overlays/prod/web&#46;yaml&#58;12</code></summary>

        - <code>spec&#46;replicas</code>, the cluster moved, held by <code>kubectl scale&#44; Update&#44; 2026-03-10T10&#58;00&#58;00Z</code>

        ```diff
            namespace: shop
          spec:
            progressDeadlineSeconds: 600
        -   replicas: 5
        +   replicas: 2
            revisionHistoryLimit: 10
            selector:
              matchLabels:
        ```

        - <code>spec&#46;template&#46;spec&#46;containers&#91;web&#93;&#46;env&#91;LOG&#95;LEVEL&#93;</code>, held by <code>kubectl-edit&#44; Update&#44; 2026-03-10T11&#58;48&#58;00Z</code>
        - <code>spec&#46;template&#46;spec&#46;containers&#91;web&#93;&#46;image</code>, both moved, held by <code>kubectl-edit&#44; Update&#44; 2026-03-10T11&#58;48&#58;00Z</code>

        ```diff
          - env:
            - name: GREETING
              value: grüß Gott 👋
        -   - name: LOG_LEVEL
        -     value: debug
        -   image: registry.example.com/shop/web:1.4.0-debug
        +   image: registry.example.com/shop/web:1.4.0
            name: web
            ports:
            - containerPort: 8080
        ```

        </details>

        <details><summary>changed <code>ConfigMap shop/settings</code> at <code>base/settings&#46;yaml&#58;1</code>: <code>compared without the API server&#58; this account may not patch &#96;configmaps&#96;</code></summary>

        - <code>data&#91;&#34;start&#46;sh&#34;&#93;</code>, held by <code>argocd-controller&#44; Apply&#44; 2026-03-07T12&#58;00&#58;00Z</code>

        ```diff
          data:
            start.sh: |
              #!/bin/sh
        -     set -e
        +     set -eu
          
              export A=1
              export B=2
              export C=3
              export D=4
        -     exec web --port 8080 --verbose
        +     exec web --port 8080
          kind: ConfigMap
          metadata:
            name: settings
        ```

        </details>

        <details><summary>changed <code>Secret shop/login</code> at <code>base/login&#46;yaml&#58;1</code></summary>

        - <code>data&#46;password</code>

        ```diff
          apiVersion: v1
          data:
        -   password: ++++++++++++
        +   password: ++++++++
            user: ++++++++
          kind: Secret
          metadata:
        ```

        </details>

        <details><summary>missing <code>Service shop/web</code> at <code>base/service&#46;yaml&#58;1</code></summary>

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

        - extra <code>batch/Job shop/migrate-2025</code>

        ### <code>payments</code>

        - ❌ error <code>payments&#58; no tag satisfies &#96;&#94;1&#46;2&#96; in ssh&#58;//git&#64;<!-- -->git&#46;example&#46;com/pay/infra&#58; the remote has 0 tags</code> at <code>apps/payments&#46;yaml&#58;4</code><br>help: <code>&#96;targetRevision&#58; main&#96; would follow the branch</code>

        - unknown <code>apps/Deployment payments/api</code>: <code>&#96;deployments&#46;apps&#96; may not be listed in namespace &#96;payments&#96;</code>

        ### Outside of the applications

        - ⚠️ warning <code>apps/legacy&#46;yaml&#58; &#96;&#123;&#123;&#96; is a template&#44; not a manifest</code><br>help: <code>render it first&#44; and give the result</code>
        ");
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
        | <code>search</code> | ✅ Synced | 1 in sync | <code>examples/search/live</code> | <code>3f2a9c1</code>, working tree as it is |
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

    fn assert_harmless(text: &str) {
        assert!(!text.contains(|character: char| character != '\n' && character.is_control()));
        let mut outside = outside_of_fences(text);
        for ours in ["<code>", "</code>", "<details>", "</details>", "<summary>", "</summary>", "<br>", "<!-- -->"] {
            outside = outside.replace(ours, "");
        }
        let mut outside = outside.replace("\n- ", "\n").replace("\n### ", "\n").replace("## ", "");
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
    fn what_does_not_work_is_told_with_its_reasons() {
        let mut shop = application("shop");
        let resources = vec![judged(HealthStatus::Healthy, "all is well"), unwell("no money")];
        shop.health = Some(ApplicationHealth { status: HealthStatus::Degraded, resources });
        let text = write(&Run { applications: vec![shop], ..Run::default() }, &view());
        let of_shop = text.split("### ").nth(1).unwrap();
        assert_snapshot!(of_shop, @r"
        <code>shop</code>

        - Degraded <code>apps/Deployment shop/web</code>: <code>no money</code>
          - <code>no money</code>
          - <code>container no money of Pod web-1 wrote before its last restart&#58;</code><br><code>no money</code>
          - <code>container no money of Pod web-1 wrote nothing before its last restart</code>
          - <code>what container no money of Pod web-1 wrote before its last restart could not be read&#58; no money</code>
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
            let findings = vec![Finding::error("c", text.clone()).with_help(text.clone())];
            assert_harmless(&write(&Run { applications: vec![application], findings, ..Run::default() }, &view()));
        }
    }
}
