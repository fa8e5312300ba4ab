//! How well everything works, as text.
//!
//! In: what was [`Judged`]: a run with its health, or objects alone, and how a wait ended. Out: text, or one of the other formats.
//!
//! Rule: docs/health.md, "The report".

use crate::fleet::{Ending, Run};
use crate::report::health::data::HealthReport;
use crate::report::health::markdown;
use crate::report::style::page::Page;
use crate::report::style::theme::Role;
use crate::report::{Format, View, json, yaml};
use crate::status::health::logs::{ContainerLog, LogQuestion};
use crate::status::health::{HealthStatus, ResourceHealth};

/// The health of applications, and how a wait for it ended.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'run> {
    /// The applications.
    pub run: &'run Run,
    /// Objects that belong to no application: those of `-f`.
    pub objects: &'run [ResourceHealth],
    /// How a wait ended; nothing where nobody waited.
    pub ending: Option<&'run Ending>,
}

impl Judged<'_> {
    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        self.exit_status().code()
    }
}

/// The report in one format, with a final line break.
pub fn write(judged: Judged<'_>, format: Format, view: &View) -> String {
    match format {
        Format::Json => json::pretty(&HealthReport::of(judged)),
        Format::Yaml => yaml::of(&HealthReport::of(judged)),
        Format::Markdown => markdown::write(judged),
        Format::Text | Format::Diff => text(judged, view),
    }
}

pub(in crate::report) fn status(resource: &ResourceHealth) -> Option<HealthStatus> {
    resource.health.as_ref().map(|health| health.status)
}

/// The role of a status.
pub(in crate::report) fn role(status: Option<HealthStatus>) -> Role {
    match status {
        Some(HealthStatus::Healthy) => Role::Good,
        Some(HealthStatus::Suspended) | None => Role::Hint,
        Some(HealthStatus::Progressing | HealthStatus::Missing) => Role::Drift,
        Some(HealthStatus::Degraded | HealthStatus::Unknown) => Role::Bad,
    }
}

/// How many resources have which status, worst first; what is not there is not said.
pub(in crate::report) fn counts(resources: &[ResourceHealth]) -> Vec<(Role, String)> {
    let count = |wanted| resources.iter().filter(|resource| status(resource) == wanted).count();
    let mut counts: Vec<(Role, String)> = HealthStatus::ALL
        .into_iter()
        .rev()
        .map(|status| (status, count(Some(status))))
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| (role(Some(status)), format!("{count} {}", status.as_str().to_lowercase())))
        .collect();
    let silent = count(None);
    if silent > 0 {
        counts.push((Role::Hint, format!("{silent} without health")));
    }
    counts
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

/// The subject of a log, and its lines.
pub(in crate::report) fn log_words(log: &ContainerLog) -> (String, &[String]) {
    let LogQuestion { pod, container, previous, .. } = &log.of;
    let title = format!("container {container} of Pod {pod} wrote");
    let when = if *previous { " before its last restart" } else { "" };
    match &log.lines {
        Ok(lines) if lines.is_empty() => (format!("{title} nothing{when}"), &[]),
        Ok(lines) if *previous => (format!("{title}{when}:"), lines),
        Ok(lines) => (format!("{title} at last:"), lines),
        Err(why) => (format!("the log of container {container} of Pod {pod}{when} could not be read: {why}"), &[]),
    }
}
