//! Manifests as people write them, and the findings.

mod faults;
mod files;
mod selections;
mod shown;
mod values;

use super::*;
use crate::finding::{Finding, Severity};

/// A file that the user named.
fn named(name: &str, text: &str) -> ManifestText {
    ManifestText { name: name.to_owned(), bytes: text.into(), folder: "apps".into(), given: Given::ByName }
}

/// A file that was found in a folder.
fn found(name: &str, text: &str) -> ManifestText {
    ManifestText { given: Given::InFolder, ..named(name, text) }
}

/// Every finding, those about Applications first.
fn findings(manifests: &Manifests) -> Vec<&Finding> {
    let of_applications = manifests.applications.iter().flat_map(|entry| match entry {
        Ok(application) => &application.findings,
        Err(invalid) => &invalid.findings,
    });
    of_applications.chain(&manifests.findings).collect()
}

/// Each finding on a line: `error 7 message | label | help`.
fn reported(manifests: &Manifests) -> Vec<String> {
    let line = |finding: &&Finding| {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let line = finding.excerpt.as_ref().map(|excerpt| format!(" {}", excerpt.line())).unwrap_or_default();
        let label = finding.excerpt.as_ref().and_then(|excerpt| excerpt.label.as_deref()).unwrap_or("-");
        let help = finding.help.as_deref().unwrap_or("-");
        format!("{severity}{line} {} | {label} | {help}", finding.message)
    };
    findings(manifests).iter().map(line).collect()
}

/// Every finding, as a terminal without colour shows it.
fn shown(manifests: &Manifests) -> String {
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut text = String::new();
    for finding in findings(manifests) {
        handler.render_report(&mut text, finding).unwrap();
    }
    text
}

/// An Application with this specification, which begins at line 5.
fn application(specification: &str) -> String {
    let specification = specification.trim_end().replace('\n', "\n  ");
    format!("apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: shop}}\nspec:\n  {specification}\n")
}
