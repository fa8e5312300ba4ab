//! The answer of `can-i`: yes or no, and the line that decides.

use serde::Serialize;

use super::{Format, json, yaml};
use crate::app::policy::{Decision, Question, Subject};

/// A question to a policy, and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Who.
    pub subject: Subject,
    /// What.
    pub question: Question,
    /// The answer.
    pub decision: Decision,
}

/// The answer for scripts. Keys are only ever added.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PermissionReport<'asked> {
    api_version: &'static str,
    kind: &'static str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'asked str>,
    groups: &'asked [String],
    action: &'asked str,
    object: &'asked str,
    /// Where the line is that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// The line that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'asked str>,
    /// The lines that would allow it.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    missing: &'asked [String],
}

/// The answer in one format, with a final line break.
pub fn write(asked: &Asked, format: Format) -> String {
    match format {
        Format::Json => json::pretty(&report(asked)),
        Format::Yaml => yaml::of(&report(asked)),
        Format::Text
        | Format::Markdown
        | Format::Diff
        | Format::Github
        | Format::Wide
        | Format::Name
        | Format::Audit => {
            let answer = if asked.decision.is_allowed() { "yes" } else { "no" };
            format!("{answer}\n  {}\n", asked.decision.reason())
        }
    }
}

fn report(asked: &Asked) -> PermissionReport<'_> {
    let (place, line, missing) = match &asked.decision {
        Decision::Allowed { place, line } | Decision::Denied { place, line } => {
            (Some(place.to_string()), Some(line.as_str()), &[][..])
        }
        Decision::NoLine { missing, .. } => (None, None, missing.as_slice()),
    };
    PermissionReport {
        api_version: "trueup/v1",
        kind: "Permission",
        allowed: asked.decision.is_allowed(),
        user: asked.subject.user.as_deref(),
        groups: &asked.subject.groups,
        action: &asked.question.action,
        object: &asked.question.object,
        place,
        line,
        missing,
    }
}
