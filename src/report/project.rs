//! Projects, their sync windows and what they forbid, as text or data.
//!
//! In: what was found. Out: text, JSON or YAML, with a final line break. Keys are only ever added.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};

use super::style::page::Page;
use super::style::theme::Role;
use super::style::words::counted;
use super::{ExitStatus, Format, View, json as json_format, yaml};
use crate::app::project::Violation;
use crate::fleet::commands::project::{
    ApplicationWindows, CheckedApplication, ProjectCheck, ProjectSummary, WindowNow,
};

impl ProjectCheck {
    /// How it ended: errors first, then violations.
    pub fn exit_status(&self) -> ExitStatus {
        let has_violation = self.applications.iter().any(|application| !application.violations.is_empty());
        match self.run.exit_status() {
            ExitStatus::InSync if has_violation => ExitStatus::Forbidden,
            status => status,
        }
    }
}

/// Each project in one format.
pub fn write_list(projects: &[ProjectSummary], format: Format, view: &View) -> String {
    let data = || projects.iter().map(summary).collect::<Vec<_>>();
    match format {
        Format::Json => json_format::pretty(&document("ProjectList", "projects", data())),
        Format::Yaml => yaml::of(&document("ProjectList", "projects", data())),
        _ => list_text(projects, view),
    }
}

/// What windows say now in one format.
pub fn write_windows(applications: &[ApplicationWindows], format: Format, view: &View) -> String {
    let data = || applications.iter().map(windows).collect::<Vec<_>>();
    match format {
        Format::Json => json_format::pretty(&document("SyncWindows", "applications", data())),
        Format::Yaml => yaml::of(&document("SyncWindows", "applications", data())),
        _ => windows_text(applications, view),
    }
}

/// The violations in one format.
pub fn write_check(check: &ProjectCheck, format: Format, view: &View) -> String {
    let document = || {
        let applications = check.applications.iter().map(checked).collect();
        let mut document = document("ProjectCheck", "applications", applications);
        document.exit_code = Some(check.exit_status().code());
        document
    };
    match format {
        Format::Json => json_format::pretty(&document()),
        Format::Yaml => yaml::of(&document()),
        _ => check_text(check, view),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProjectDocument {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    list: std::collections::BTreeMap<&'static str, Vec<Value>>,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
}

fn document(kind: &'static str, list: &'static str, entries: Vec<Value>) -> ProjectDocument {
    let list = [(list, entries)].into();
    ProjectDocument { api_version: "trueup/v1", kind, list, version: env!("CARGO_PKG_VERSION"), exit_code: None }
}

fn summary(project: &ProjectSummary) -> Value {
    let rules = &project.rules;
    let destinations = rules.destinations();
    let destination =
        |(server, name, namespace): (&str, &str, &str)| json!({"server": server, "name": name, "namespace": namespace});
    json!({
        "name": rules.name(), "description": rules.project.description, "definedAt": rules.project.origin.to_string(),
        "sourceRepos": rules.source_repos().collect::<Vec<_>>(),
        "destinations": destinations.map(destination).collect::<Vec<_>>(),
        "syncWindows": rules.windows().len(),
        "applications": project.applications,
    })
}

fn list_text(projects: &[ProjectSummary], view: &View) -> String {
    let mut page = Page::new(view.color);
    for project in projects {
        let rules = &project.rules;
        page.write(Role::Name, rules.name()).write(Role::Hint, format!("  {}", rules.project.origin)).end();
        if !rules.project.description.is_empty() {
            page.write(Role::Plain, format!("  {}", rules.project.description)).end();
        }
        let listed = |texts: Vec<String>| if texts.is_empty() { "none".to_owned() } else { texts.join(", ") };
        let repos = rules.source_repos().map(str::to_owned).collect();
        let destination = |(server, name, namespace): (&str, &str, &str)| {
            format!("{}/{namespace}", if server.is_empty() { name } else { server })
        };
        let destinations = rules.destinations().map(destination).collect();
        for (title, texts) in [("sources", repos), ("destinations", destinations)] {
            page.write(Role::Hint, format!("  {title:<13} ")).write(Role::Plain, listed(texts)).end();
        }
        page.write(Role::Hint, "  applications  ").write(Role::Plain, listed(project.applications.clone())).end();
        if !rules.windows().is_empty() {
            page.write(Role::Hint, "  sync windows  ").write(Role::Plain, rules.windows().len().to_string()).end();
        }
    }
    page.write(Role::Hint, counted(projects.len(), "project")).end();
    page.finish()
}

fn windows(application: &ApplicationWindows) -> Value {
    let answer = |(is_open, changes): (bool, Option<Timestamp>)| json!({"open": is_open, "changes": changes});
    json!({
        "name": application.name, "project": application.project,
        "automated": answer(application.automated), "manual": answer(application.manual),
        "windows": application.windows.iter().map(window).collect::<Vec<_>>(),
    })
}

fn window(now: &WindowNow) -> Value {
    let window = &now.window;
    json!({
        "kind": window.kind.as_str(), "schedule": window.schedule.to_string(), "duration": window.duration_text,
        "timeZone": window.zone_name, "manualSync": window.manual_sync, "syncOverrun": window.overrun,
        "description": window.description, "definedAt": window.origin.to_string(),
        "open": now.since.is_some(), "since": now.since, "changes": now.next,
    })
}

fn windows_text(applications: &[ApplicationWindows], view: &View) -> String {
    let mut page = Page::new(view.color);
    for application in applications {
        page.write(Role::Name, &application.name).write(Role::Plain, "  ");
        let answer = |is_open: bool| if is_open { (Role::Good, "open") } else { (Role::Warning, "closed") };
        let zone = application.windows.first().map_or(TimeZone::UTC, |now| now.window.zone().clone());
        let (automated, manual) = (application.automated, application.manual);
        let (role, words) = answer(automated.0);
        page.write(role, words);
        if manual.0 != automated.0 {
            let (role, words) = answer(manual.0);
            page.write(Role::Plain, ", for `trueup sync` ").write(role, words);
        }
        if let Some(changes) = automated.1 {
            let next = if automated.0 { "closes" } else { "opens" };
            page.write(Role::Hint, format!("  {next} {}", shown_time(changes, &zone)));
        }
        if application.windows.is_empty() {
            page.write(Role::Hint, "  no sync window");
        }
        page.end();
        for now in &application.windows {
            let window = &now.window;
            page.write(Role::Plain, format!("  {}  ", window.shown()));
            let (role, words) = answer(now.since.is_some());
            page.write(role, words);
            if let Some(next) = now.next {
                let words = if now.since.is_some() { "closes" } else { "opens" };
                page.write(Role::Hint, format!("  {words} {}", shown_time(next, window.zone())));
            }
            page.write(Role::Hint, format!("  {}", window.origin)).end();
        }
    }
    page.finish()
}

fn shown_time(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%F %H:%M %Z").to_string()
}

fn checked(application: &CheckedApplication) -> Value {
    let violation = |violation: &Violation| {
        json!({
            "rule": violation.rule.as_str(), "entry": violation.entry, "definedAt": violation.place.to_string(),
            "subject": violation.subject.to_string(), "message": violation.to_string(),
        })
    };
    json!({
        "name": application.name, "project": application.project, "objects": application.objects,
        "violations": application.violations.iter().map(violation).collect::<Vec<_>>(),
    })
}

fn check_text(check: &ProjectCheck, view: &View) -> String {
    let mut page = Page::new(view.color);
    for application in &check.applications {
        page.write(Role::Name, &application.name).write(Role::Plain, "  ");
        match (application.violations.len(), application.objects) {
            (0, Some(objects)) => {
                page.write(Role::Good, "permitted").write(Role::Hint, format!("  {}", counted(objects, "object")));
            }
            (0, None) => {
                page.write(Role::Bad, "not rendered");
            }
            (count, _) => {
                page.write(Role::Bad, counted(count, "violation"));
            }
        }
        page.write(Role::Hint, format!("  project {}", application.project)).end();
        for violation in &application.violations {
            page.write(Role::Plain, format!("  {}", violation.subject)).end();
            let reason = violation.reason();
            page.write(Role::Hint, format!("    {reason}: {}", violation.place)).end();
        }
    }
    page.finish()
}
