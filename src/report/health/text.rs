//! How well everything works, as text.
//!
//! In: what was [`Judged`]: a run with its health, or objects alone, and how a wait ended. Out: text, or one of the other formats.
//!
//! Rule: docs/health.md, "The report".

use crate::report::health::data::HealthReport;
pub use crate::report::health::judged::Judged;
use crate::report::health::judged::{counts, log_words, role, status};
use crate::report::health::markdown;
use crate::report::style::page::Page;
use crate::report::style::theme::Role;
use crate::report::style::words::lineage_words;
use crate::report::{Format, View, json, table, yaml};
use crate::status::health::logs::ContainerLog;
use crate::status::health::{HealthStatus, ResourceHealth};

/// The report in one format, with a final line break.
pub fn write(judged: Judged<'_>, format: Format, view: &View) -> String {
    match format {
        Format::Json => json::pretty(&HealthReport::of(judged)),
        Format::Yaml => yaml::of(&HealthReport::of(judged)),
        Format::Markdown => markdown::write(judged),
        Format::Text | Format::Diff | Format::Github | Format::Audit => text(judged, view),
        Format::Wide => table::wide(judged.run),
        Format::Name => table::names(judged.run),
    }
}

fn text(Judged { run, objects, .. }: Judged<'_>, view: &View) -> String {
    let mut page = Page::new(view.color);
    for application in &run.applications {
        let Some(health) = &application.health else { continue };
        page.write(Role::Name, &application.name).write(Role::Plain, "  ");
        page.write(role(Some(health.status)), health.status.as_str());
        if !health.resources.is_empty() {
            page.write(Role::Plain, "  ").list(&counts(&health.resources), ", ");
        }
        if let Some(words) = lineage_words(application) {
            page.write(Role::Hint, "  ").write(Role::Hint, words);
        }
        page.end();
        lines(&mut page, &health.resources, view.verbose);
    }
    if !objects.is_empty() {
        page.list(&counts(objects), ", ").end();
        // Whoever names objects wants to read of each.
        lines(&mut page, objects, true);
    }
    page.finish()
}

/// A line for each resource; those that are well, or that nothing is known of, only where all are wanted.
pub(in crate::report) fn lines(page: &mut Page, resources: &[ResourceHealth], all: bool) {
    let is_shown =
        |resource: &&ResourceHealth| all || status(resource).is_some_and(|status| status != HealthStatus::Healthy);
    for resource in resources.iter().filter(is_shown) {
        let words = status(resource).map_or("–", HealthStatus::as_str);
        page.write(Role::Plain, "  ").write(role(status(resource)), format!("{words:<11}"));
        page.write(Role::Plain, "  ").write(Role::Name, resource.key().to_string());
        if let Some(message) = resource.health.as_ref().map(|health| &health.message).filter(|text| !text.is_empty()) {
            page.write(Role::Plain, "  ").write(Role::Plain, message);
        }
        page.end();
        for reason in &resource.reasons {
            page.write(Role::Plain, " ".repeat(15)).write(Role::Hint, reason).end();
        }
        resource.logs.iter().for_each(|log| log_lines(page, log));
    }
}

/// The last lines of a container, marked, so that nobody takes them for ours.
fn log_lines(page: &mut Page, log: &ContainerLog) {
    let margin = " ".repeat(15);
    let (title, lines) = log_words(log);
    page.write(Role::Plain, &margin).write(Role::Hint, title).end();
    for line in lines {
        page.write(Role::Plain, &margin).write(Role::Hint, "| ").write(Role::Plain, line).end();
    }
}
