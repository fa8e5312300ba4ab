//! Who runs this, and what each application lacks: a line a fact, the rule that is missing as RBAC has it.
//!
//! In: a [`Whoami`]. Out: text, JSON, YAML. Rule: docs/formats.md.

use std::fmt::Write;

use serde::Serialize;

use super::{Format, json, yaml};
use crate::fleet::commands::whoami::{ApplicationAccess, MissingRule, Whoami};
use crate::report::style::escape::visible;

/// The answer in one format, with a final line break.
pub fn write(whoami: &Whoami, format: Format) -> String {
    match format {
        Format::Json => json::pretty(&WhoamiReport::of(whoami)),
        Format::Yaml => yaml::of(&WhoamiReport::of(whoami)),
        Format::Text
        | Format::Markdown
        | Format::Diff
        | Format::Github
        | Format::Wide
        | Format::Name
        | Format::Audit => text(whoami),
    }
}

fn text(whoami: &Whoami) -> String {
    let mut text = String::new();
    for cluster in &whoami.clusters {
        let (user, groups) = match &cluster.user {
            Some(user) => (user.name.as_str(), user.groups.join(", ")),
            None => ("unknown: the cluster does not say", String::new()),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "cluster {}\n  user    {}", visible(&cluster.cluster), visible(user));
        if !groups.is_empty() {
            let _ = writeln!(text, "  groups  {}", visible(&groups));
        }
    }
    for application in &whoami.applications {
        let _ = writeln!(text, "{}", visible(&application.name));
        for (what, missing) in parts(application) {
            let _ = match missing {
                [] if application.is_known => writeln!(text, "  {what:5}  yes"),
                [] => writeln!(text, "  {what:5}  unknown: the cluster does not say"),
                _ => writeln!(text, "  {what:5}  no, missing:"),
            };
            for rule in missing {
                let _ = writeln!(text, "         {}", visible(&rule_text(rule)));
            }
        }
    }
    text
}

fn parts(application: &ApplicationAccess) -> [(&'static str, &[MissingRule]); 3] {
    [("diff", &application.diff), ("sync", &application.sync), ("prune", &application.prune)]
}

/// The rule as a Role has it, and where.
fn rule_text(rule: &MissingRule) -> String {
    let place = match &rule.namespace {
        Some(namespace) => format!("Role in namespace {namespace}"),
        None => "ClusterRole".to_owned(),
    };
    let (group, verbs) = (format!("\"{}\"", rule.group), rule.verbs.join(", "));
    format!("{place}: {{apiGroups: [{group}], resources: [{}], verbs: [{verbs}]}}", rule.resource)
}

/// The answer for scripts. Keys are only ever added.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WhoamiReport<'whoami> {
    api_version: &'static str,
    kind: &'static str,
    clusters: Vec<ClusterReport<'whoami>>,
    applications: Vec<ApplicationReport<'whoami>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterReport<'whoami> {
    cluster: &'whoami str,
    user: Option<&'whoami str>,
    groups: &'whoami [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApplicationReport<'whoami> {
    name: &'whoami str,
    cluster: &'whoami str,
    diff: AccessReport<'whoami>,
    sync: AccessReport<'whoami>,
    prune: AccessReport<'whoami>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccessReport<'whoami> {
    /// Null where the cluster does not say.
    allowed: Option<bool>,
    missing: Vec<RuleReport<'whoami>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleReport<'whoami> {
    namespace: Option<&'whoami str>,
    api_groups: [&'whoami str; 1],
    resources: [&'whoami str; 1],
    verbs: &'whoami [&'static str],
}

impl<'whoami> WhoamiReport<'whoami> {
    fn of(whoami: &'whoami Whoami) -> Self {
        let clusters = whoami.clusters.iter().map(|cluster| ClusterReport {
            cluster: &cluster.cluster,
            user: cluster.user.as_ref().map(|user| user.name.as_str()),
            groups: cluster.user.as_ref().map_or(&[], |user| &user.groups),
        });
        let applications = whoami.applications.iter().map(ApplicationReport::of);
        Self {
            api_version: "trueup/v1",
            kind: "Whoami",
            clusters: clusters.collect(),
            applications: applications.collect(),
        }
    }
}

impl<'whoami> ApplicationReport<'whoami> {
    fn of(application: &'whoami ApplicationAccess) -> Self {
        let access = |missing: &'whoami [MissingRule]| AccessReport {
            allowed: if missing.is_empty() { application.is_known.then_some(true) } else { Some(false) },
            missing: missing.iter().map(RuleReport::of).collect(),
        };
        Self {
            name: &application.name,
            cluster: &application.cluster,
            diff: access(&application.diff),
            sync: access(&application.sync),
            prune: access(&application.prune),
        }
    }
}

impl<'whoami> RuleReport<'whoami> {
    fn of(rule: &'whoami MissingRule) -> Self {
        Self {
            namespace: rule.namespace.as_deref(),
            api_groups: [&rule.group],
            resources: [&rule.resource],
            verbs: &rule.verbs,
        }
    }
}
