//! How well everything works, as text or data; and how a team's tests went.
//!
//! In: a [`Run`] with its health, or objects that were judged alone. Out: text, JSON, YAML, and the exit code.
//!
//! Rule: docs/health.md, "The report".

use clap::ValueEnum;
use serde::Serialize;

use super::exit::UNHEALTHY;
use super::page::Page;
use super::theme::Role;
use super::{ExitRules, View, json};
use crate::fleet::{ApplicationRun, Ending, Run};
use crate::object::yaml;
use crate::status::health::logs::{ContainerLog, LogQuestion};
use crate::status::health::suite::{Outcome, Verdict};
use crate::status::health::{HealthStatus, ResourceHealth};

/// A format of the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum HealthFormat {
    /// For people
    #[default]
    Text,
    /// For scripts
    Json,
    /// The same value as JSON
    Yaml,
}

/// The report in one format, with a final line break.
pub fn write(run: &Run, objects: &[ResourceHealth], format: HealthFormat, view: &View) -> String {
    match format {
        HealthFormat::Text => text(run, objects, view),
        HealthFormat::Json => json::pretty(&HealthReport::of(run, objects)),
        // A value with text keys cannot fail to become JSON.
        HealthFormat::Yaml => yaml::write(&serde_json::to_value(HealthReport::of(run, objects)).unwrap_or_default()),
    }
}

/// The exit code: an error wins, then what does not work.
pub fn exit_code(run: &Run, objects: &[ResourceHealth]) -> u8 {
    match run.exit_code(&ExitRules::default()) {
        0 if objects.iter().any(|object| status(object).is_some_and(|status| status > HealthStatus::Suspended)) => {
            UNHEALTHY
        }
        code => code,
    }
}

/// The exit code of a wait: drift is none of its business unless it was waited for.
pub fn exit_code_of_wait(run: &Run, ending: &Ending) -> u8 {
    match ending {
        Ending::Degraded(_) | Ending::TimedOut(_) if !run.has_error() => UNHEALTHY,
        Ending::Reached => 0,
        Ending::Degraded(_) | Ending::TimedOut(_) | Ending::Failed => 2,
    }
}

fn status(resource: &ResourceHealth) -> Option<HealthStatus> {
    resource.health.as_ref().map(|health| health.status)
}

/// The role of a status.
pub(super) fn role(status: Option<HealthStatus>) -> Role {
    match status {
        Some(HealthStatus::Healthy) => Role::Good,
        Some(HealthStatus::Suspended) | None => Role::Hint,
        Some(HealthStatus::Progressing | HealthStatus::Missing) => Role::Drift,
        Some(HealthStatus::Degraded | HealthStatus::Unknown) => Role::Bad,
    }
}

/// How many resources have which status, worst first; what is not there is not said.
pub(super) fn counts(resources: &[ResourceHealth]) -> Vec<(Role, String)> {
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

fn text(run: &Run, objects: &[ResourceHealth], view: &View) -> String {
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
pub(super) fn lines(page: &mut Page, resources: &[ResourceHealth], all: bool) {
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
    let LogQuestion { pod, container, previous, .. } = &log.of;
    let which = if *previous { "before its last restart, " } else { "" };
    let margin = " ".repeat(15);
    let title = format!("{which}container {container} of Pod {pod}");
    match &log.lines {
        Ok(lines) if lines.is_empty() => {
            page.write(Role::Plain, margin).write(Role::Hint, format!("{title} wrote nothing")).end();
        }
        Ok(lines) => {
            page.write(Role::Plain, &margin).write(Role::Hint, format!("{title} wrote at last:")).end();
            for line in lines {
                page.write(Role::Plain, &margin).write(Role::Hint, "| ").write(Role::Plain, line).end();
            }
        }
        Err(why) => {
            let words = format!("what {title} wrote could not be read: {why}");
            page.write(Role::Plain, margin).write(Role::Hint, words).end();
        }
    }
}

/// The report for scripts. Keys are only ever added; one without a value is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HealthReport<'run> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    applications: Vec<Application<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<Resource<'run>>,
    version: &'static str,
    exit_code: u8,
}

#[derive(Serialize)]
struct Application<'run> {
    name: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'run str,
    project: &'run str,
    health: &'static str,
    resources: Vec<Resource<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<&'run str>,
}

#[derive(Serialize)]
struct Resource<'run> {
    #[serde(skip_serializing_if = "str::is_empty")]
    group: &'run str,
    version: &'run str,
    kind: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'run str,
    name: &'run str,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'run str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    reasons: &'run [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logs: Vec<Log<'run>>,
}

#[derive(Serialize)]
struct Log<'run> {
    pod: &'run str,
    container: &'run str,
    previous: bool,
    lines: &'run [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'run str>,
}

impl<'run> Log<'run> {
    fn of(log: &'run ContainerLog) -> Self {
        Self {
            pod: &log.of.pod,
            container: &log.of.container,
            previous: log.of.previous,
            lines: log.lines.as_deref().unwrap_or_default(),
            error: log.lines.as_ref().err().map(String::as_str),
        }
    }
}

impl<'run> HealthReport<'run> {
    fn of(run: &'run Run, objects: &'run [ResourceHealth]) -> Self {
        Self {
            api_version: "trueup/v1",
            kind: "HealthReport",
            applications: run.applications.iter().map(Application::of).collect(),
            resources: objects.iter().map(Resource::of).collect(),
            version: env!("CARGO_PKG_VERSION"),
            exit_code: exit_code(run, objects),
        }
    }
}

impl<'run> Application<'run> {
    fn of(application: &'run ApplicationRun) -> Self {
        let health = application.health.as_ref();
        let findings = application.conditions.iter().map(|condition| &condition.finding);
        Self {
            name: &application.name,
            namespace: &application.namespace,
            project: &application.project,
            health: health.map_or(HealthStatus::Unknown, |health| health.status).as_str(),
            resources: health.iter().flat_map(|health| &health.resources).map(Resource::of).collect(),
            errors: findings
                .filter(|finding| finding.severity == crate::finding::Severity::Error)
                .map(|finding| finding.message.as_str())
                .collect(),
        }
    }
}

impl<'run> Resource<'run> {
    fn of(resource: &'run ResourceHealth) -> Self {
        Self {
            group: &resource.gvk.group,
            version: &resource.gvk.version,
            kind: &resource.gvk.kind,
            namespace: &resource.namespace,
            name: &resource.name,
            health: status(resource).map(HealthStatus::as_str),
            message: resource.health.as_ref().map(|health| health.message.as_str()).filter(|text| !text.is_empty()),
            reasons: &resource.reasons,
            logs: resource.logs.iter().map(Log::of).collect(),
        }
    }
}

/// A case of a team's tests, tried.
pub struct TestedCase {
    /// The group and the kind of the suite.
    pub suite: String,
    /// The manifest.
    pub input: String,
    /// What the test says.
    pub expected: Verdict,
    /// What the script says.
    pub outcome: Outcome,
}

/// How the tests of a team went: every failure with what was expected and what came; each that passed, too.
pub fn suites(cases: &[TestedCase], verbose: bool, view: &View) -> String {
    let mut page = Page::new(view.color);
    for case in cases {
        let name = format!("{}  {}", case.suite, case.input);
        match &case.outcome {
            Outcome::Passed => {
                page.write(Role::Good, "pass").write(Role::Plain, "  ").write(Role::Plain, name);
                if verbose {
                    page.write(Role::Plain, "  ").write(Role::Hint, shown(&case.expected));
                }
                page.end();
            }
            Outcome::Broken(why) => {
                page.write(Role::Bad, "FAIL").write(Role::Plain, "  ").write(Role::Plain, name).end();
                page.write(Role::Plain, "      ").write(Role::Bad, why).end();
            }
            Outcome::Differs(found) => {
                page.write(Role::Bad, "FAIL").write(Role::Plain, "  ").write(Role::Plain, name).end();
                difference(&mut page, "status", &case.expected.status, &found.status);
                difference(&mut page, "message", &case.expected.message, &found.message);
            }
        }
    }
    let failed = cases.iter().filter(|case| case.outcome != Outcome::Passed).count();
    let passed = cases.len() - failed;
    let mut counts = vec![(Role::Good, format!("{passed} passed"))];
    if failed > 0 {
        counts.push((Role::Bad, format!("{failed} failed")));
    }
    page.list(&counts, ", ").end();
    page.finish()
}

fn shown(verdict: &Verdict) -> String {
    match (verdict.status.as_str(), verdict.message.as_str()) {
        ("", "") => "nothing".to_owned(),
        (status, "") => status.to_owned(),
        (status, message) => format!("{status}: {message}"),
    }
}

fn difference(page: &mut Page, field: &str, expected: &str, found: &str) {
    let shown = |text: &str| if text.is_empty() { "(empty)".to_owned() } else { text.to_owned() };
    if expected != found {
        let (expected, found) = (shown(expected), shown(found));
        page.write(Role::Plain, format!("      {field:<8}")).write(Role::Cluster, format!("- {expected}")).end();
        page.write(Role::Plain, " ".repeat(14)).write(Role::Git, format!("+ {found}")).end();
    }
}
