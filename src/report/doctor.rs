//! A checkup: a line a thing, what is missing with what it is for.
//!
//! In: a [`Checkup`]. Out: text, JSON, YAML, markdown. Rule: docs/formats.md.

use std::fmt::Write;

use serde::Serialize;

use super::{Format, json, yaml};
use crate::finding::{Code, Finding, Severity};
use crate::fleet::commands::doctor::{Check, Checkup};
use crate::report::style::escape::visible;
use crate::report::style::markdown::{cell, span};

/// The checkup in one format, with a final line break.
pub fn write(checkup: &Checkup, format: Format) -> String {
    match format {
        Format::Json => json::pretty(&DoctorReport::of(checkup)),
        Format::Yaml => yaml::of(&DoctorReport::of(checkup)),
        Format::Markdown => markdown(checkup),
        Format::Text | Format::Diff | Format::Wide | Format::Name | Format::Github | Format::Audit => text(checkup),
    }
}

/// Every kind of check that was made, with its title.
fn sections(checkup: &Checkup) -> impl Iterator<Item = (&'static str, &[Check])> {
    let sections = [
        ("programs", &checkup.tools[..]),
        ("repositories", &checkup.repositories[..]),
        ("clusters", &checkup.clusters[..]),
    ];
    sections.into_iter().filter(|(_, checks)| !checks.is_empty())
}

fn platform() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

fn text(checkup: &Checkup) -> String {
    let mut text = format!("trueup {} ({})\n", env!("CARGO_PKG_VERSION"), platform());
    for (title, checks) in sections(checkup) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{title}");
        let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or_default();
        for check in checks {
            line(&mut text, check, width);
        }
    }
    text
}

fn line(text: &mut String, check: &Check, width: usize) {
    let name = visible(&check.name);
    let _ = match &check.result {
        Ok(found) => writeln!(text, "  {name:width$}  {}", visible(found)),
        Err(finding) => {
            let words = words(finding);
            let needed = match &check.needed_by[..] {
                [] => String::new(),
                names => format!(", needed by {}", names.join(", ")),
            };
            let help = finding.help.as_deref().unwrap_or_default();
            let (words, needed) = (visible(&words), visible(&needed));
            writeln!(text, "  {name:width$}  × {words}{needed}\n  {:width$}    {}", "", visible(help))
        }
    };
}

/// The message with its causes.
fn words(finding: &Finding) -> String {
    let words: Vec<&str> =
        std::iter::once(finding.message.as_str()).chain(finding.causes.iter().map(String::as_str)).collect();
    words.join(": ")
}

fn markdown(checkup: &Checkup) -> String {
    let title = if checkup.has_error() { "❌ Something is missing" } else { "✅ Ready" };
    let mut text = format!("## {title}\n\ntrueup {} ({})\n", env!("CARGO_PKG_VERSION"), platform());
    for (title, checks) in sections(checkup) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n| {title} | found |\n|---|---|");
        for Check { name, result, needed_by } in checks {
            let needed = if needed_by.is_empty() {
                String::new()
            } else {
                format!(", needed by {}", cell(&needed_by.join(", ")))
            };
            let _ = match result {
                Ok(found) => writeln!(text, "| {} | ✅ {} |", cell(name), cell(found)),
                Err(finding) => writeln!(text, "| {} | ❌ {}{needed} |", cell(name), cell(&words(finding))),
            };
        }
    }
    for finding in &checkup.findings {
        let _ = writeln!(text, "\n- {}", span(&words(finding)));
    }
    text
}

/// The checkup for scripts. Keys are only ever added; one without a value is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DoctorReport<'run> {
    api_version: &'static str,
    kind: &'static str,
    programs: Vec<Entry<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    repositories: Vec<Entry<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clusters: Vec<Entry<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
    version: &'static str,
    platform: String,
    exit_code: u8,
}

/// One check: what was found, or what is wrong and what to do about it.
#[derive(Serialize)]
struct Entry<'run> {
    name: &'run str,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'run str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'run str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'run str>,
    #[serde(rename = "neededBy", skip_serializing_if = "<[String]>::is_empty")]
    needed_by: &'run [String],
}

impl<'run> DoctorReport<'run> {
    fn of(checkup: &'run Checkup) -> Self {
        let entries = |checks: &'run [Check]| checks.iter().map(Entry::of).collect();
        let errors = checkup.findings.iter().filter(|finding| finding.severity == Severity::Error);
        Self {
            api_version: "trueup/v1",
            kind: "DoctorReport",
            programs: entries(&checkup.tools),
            repositories: entries(&checkup.repositories),
            clusters: entries(&checkup.clusters),
            errors: errors.map(words).collect(),
            version: env!("CARGO_PKG_VERSION"),
            platform: platform(),
            exit_code: checkup.exit_status().code(),
        }
    }
}

impl<'run> Entry<'run> {
    fn of(check: &'run Check) -> Self {
        let error = check.result.as_ref().err();
        Self {
            name: &check.name,
            found: check.result.as_deref().ok(),
            error: error.map(words),
            code: error.and_then(|finding| finding.code.map(Code::as_str)),
            help: error.and_then(|finding| finding.help.as_deref()),
            needed_by: &check.needed_by,
        }
    }
}
