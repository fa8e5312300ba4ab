//! The drift as annotations of a GitHub job: a workflow command for each error, warning and drifted resource.
//!
//! Takes a [`Run`], returns lines for the runner, errors first because it shows only ten of each kind. Secrets are masked already, and
//! no text of a manifest can start a command of its own.
//!
//! Rules: GitHub's workflow commands (`::error file=…,line=…::…`), and the escaping of actions/toolkit, `command.ts`.

use std::fmt::Write;

use crate::finding::{Code, Finding, Severity};
use crate::fleet::{ApplicationRun, Run};
use crate::report::style::escape::visible;
use crate::report::style::path::path;
use crate::report::style::words::{message_with_causes, state_explained};
use crate::status::{ResourceDrift, ResourceState};

/// At most this many fields of one resource are named.
const SHOWN_FIELDS: usize = 5;

/// The run as annotations; empty when everything is in sync and nothing is to be said.
pub(in crate::report) fn write(run: &Run) -> String {
    let of_applications = run.applications.iter().flat_map(|application| &application.conditions);
    let findings: Vec<&Finding> =
        run.findings.iter().chain(of_applications.map(|condition| &condition.finding)).collect();
    let mut text = String::new();
    for severity in [Severity::Error, Severity::Warning] {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .for_each(|finding| write_finding(finding, &mut text));
    }
    for application in &run.applications {
        let drifted = application.resources.iter().filter(|resource| resource.state != ResourceState::InSync);
        drifted.for_each(|resource| write_resource(application, resource, &mut text));
    }
    text
}

fn write_finding(finding: &Finding, text: &mut String) {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut message = message_with_causes(finding);
    if let Some(help) = &finding.help {
        message.push('\n');
        message.push_str(help);
    }
    let place = finding.excerpt.as_ref().map(|excerpt| (excerpt.file.as_str(), excerpt.line()));
    let title = finding.code.map_or("trueup", Code::as_str);
    annotate(command, place, title, &message, text);
}

fn write_resource(application: &ApplicationRun, resource: &ResourceDrift, text: &mut String) {
    let mut message = state_explained(resource).to_owned();
    let fields: Vec<String> = resource.fields.iter().take(SHOWN_FIELDS).map(|field| path(field, resource)).collect();
    if resource.state == ResourceState::Changed && !fields.is_empty() {
        let more = resource.fields.len() - fields.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        message = format!("{message}: {}{more}", fields.join(", "));
    }
    let place = resource.origin.as_ref().map(|origin| (&*origin.file, origin.line));
    annotate("warning", place, &format!("{}: {}", application.name, resource.key()), &message, text);
}

fn annotate(command: &str, place: Option<(&str, usize)>, title: &str, message: &str, text: &mut String) {
    let mut properties = Vec::new();
    if let Some((file, line)) = place {
        properties.push(format!("file={}", property(file)));
        if line > 0 {
            properties.push(format!("line={line}"));
        }
    }
    properties.push(format!("title={}", property(title)));
    // Writing to a String cannot fail.
    let _ = writeln!(text, "::{command} {}::{}", properties.join(","), data(message));
}

fn data(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| visible(line).replace('%', "%25")).collect();
    lines.join("%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::drift::fixture::{HOSTILE, everything};

    /// The reader of a pull request sees drift beside the line of the manifest.
    #[test]
    fn drift_and_findings_are_annotations_with_file_and_line() {
        let mut run = everything();
        run.applications.truncate(1);
        run.findings.truncate(1);
        assert_snapshot!(write(&run), @r#"
        ::warning title=trueup%3A%3Aapp%3A%3Atemplate::apps/legacy.yaml: `{{` is a template, not a manifest%0Arender it first, and give the result
        ::warning title=trueup%3A%3Arender%3A%3Arepeated::shop: `ConfigMap shop/settings` is written twice; the last one counts%0Aremove one of them
        ::warning file=overlays/prod/web.yaml,line=12,title=shop%3A apps/Deployment shop/web::changed: spec.replicas, spec.template.spec.containers[web].env[LOG_LEVEL], spec.template.spec.containers[web].image
        ::warning file=base/settings.yaml,line=1,title=shop%3A ConfigMap shop/settings::changed: data["start.sh"]
        ::warning file=base/login.yaml,line=1,title=shop%3A Secret shop/login::changed: data.password
        ::warning file=\x1b]0;owned\x07\x1b[2J @admin <img src=x onerror=alert(1)> | [x](https%3A//evil.example) `` ``` **bold** &lt; \u{202e}gpj.exe\u{200b} user@evil.example www.evil.example%0A# heading,line=1,title=shop%3A ConfigMap shop/\x1b]0;owned\x07\x1b[2J @admin <img src=x onerror=alert(1)> | [x](https%3A//evil.example) `` ``` **bold** &lt; \u{202e}gpj.exe\u{200b} user@evil.example www.evil.example%0A# heading::changed: data["\x1b]0;owned\x07\x1b[2J @admin <img src=x onerror=alert(1)> | [x](https://evil.example) `` ``` **bold** &lt; \u{202e}gpj.exe\u{200b} user@evil.example www.evil.example%0A# heading"], data["fence.md"]
        ::warning file=base/service.yaml,line=1,title=shop%3A Service shop/web::missing in the cluster
        ::warning title=shop%3A batch/Job shop/migrate-2025::extra, not in git
        "#);
    }

    /// A manifest cannot start a command of the runner.
    #[test]
    fn no_text_starts_a_command_of_its_own() {
        let mut run = everything();
        run.findings = vec![Finding::error(Code::AppYaml, format!("50%\n::error::owned {HOSTILE}"))];
        let text = write(&run);
        assert!(text.starts_with("::error title=trueup%3A%3Aapp%3A%3Ayaml::50%25%0A::error::owned "), "{text}");
        assert!(text.lines().all(|line| line.starts_with("::error ") || line.starts_with("::warning ")), "{text}");
        assert!(!text.contains(['\u{1b}', '\r']));
    }
}
