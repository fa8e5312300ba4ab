//! The health report for a job summary or a comment: a table of applications, then what is not healthy and why.
//!
//! In: what was [`Judged`]. Out: markdown. No text from a cluster can be markup in it.

use std::fmt::Write;

use crate::fleet::ApplicationRun;
use crate::report::ExitStatus;
use crate::report::health::judged::{Judged, counts, log_words, status};
use crate::report::style::markdown::{cell, cut, span};
use crate::report::style::words::finding_line;
use crate::status::health::{HealthStatus, ResourceHealth};

/// The report, with a final line break.
pub(super) fn write(judged: Judged<'_>) -> String {
    let title = match judged.exit_status() {
        ExitStatus::InSync | ExitStatus::Drift => "✅ Everything is healthy",
        ExitStatus::Unhealthy => "⚠️ Not everything is healthy",
        ExitStatus::Error | ExitStatus::Forbidden | ExitStatus::Locked => "❌ Health is not known in full",
    };
    let mut text = format!("## {title}\n");
    let Judged { run, objects, .. } = judged;
    if !run.applications.is_empty() {
        text.push_str("\n| application | health | resources |\n|---|---|---|\n");
        run.applications.iter().for_each(|application| row(application, &mut text));
    }
    for application in &run.applications {
        let resources = application.health.iter().flat_map(|health| &health.resources);
        let pieces: Vec<String> = resources.filter_map(unhealthy).collect();
        let errors = application.conditions.iter().map(|condition| &condition.finding);
        let errors: String =
            errors.flat_map(|finding| ["\n- ".to_owned(), span(&finding_line(finding).2), "\n".to_owned()]).collect();
        if !pieces.is_empty() || !errors.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\n### {}\n{errors}{}", span(&application.name), pieces.concat());
        }
    }
    text.extend(objects.iter().filter_map(unhealthy));
    for finding in &run.findings {
        let _ = write!(text, "\n- {}\n", span(&finding_line(finding).2));
    }
    text
}

fn row(application: &ApplicationRun, text: &mut String) {
    let health = application.health.as_ref();
    let status = health.map_or(HealthStatus::Unknown, |health| health.status);
    let sign = match status {
        HealthStatus::Healthy | HealthStatus::Suspended => "✅",
        HealthStatus::Progressing | HealthStatus::Missing => "⚠️",
        HealthStatus::Degraded | HealthStatus::Unknown => "❌",
    };
    let counts: Vec<String> =
        health.iter().flat_map(|health| counts(&health.resources)).map(|(_, words)| words).collect();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "| {} | {sign} {status} | {} |", cell(&application.name), counts.join(", "));
}

/// A resource that is not healthy, and why.
pub(in crate::report) fn unhealthy(resource: &ResourceHealth) -> Option<String> {
    let shown = status(resource).filter(|status| *status != HealthStatus::Healthy)?;
    let message = resource.health.as_ref().map(|health| health.message.as_str()).unwrap_or_default();
    let mut text = format!("\n- {shown} {}", span(&resource.key().to_string()));
    // Writing to a String cannot fail.
    if !message.is_empty() {
        let _ = write!(text, ": {}", span(cut(message)));
    }
    for reason in &resource.reasons {
        let _ = write!(text, "\n  - {}", span(cut(reason)));
    }
    for log in &resource.logs {
        let (title, lines) = log_words(log);
        let _ = write!(text, "\n  - {}", span(cut(&title)));
        for line in lines {
            let _ = write!(text, "<br>{}", span(line));
        }
    }
    text.push('\n');
    Some(text)
}
