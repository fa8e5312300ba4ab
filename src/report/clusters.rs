//! The clusters in a table, one a line, and for scripts.
//!
//! In: a [`ClusterList`]. Out: text, wide, names, JSON, YAML. Rule: docs/formats.md.

use serde::Serialize;

use super::columns::columns;
use super::{ExitStatus, Format, exit_status_of, json, yaml};
use crate::cluster::KnownFrom;
use crate::finding::{Code, Finding};
use crate::fleet::commands::clusters::{ClusterList, ListedCluster};
use crate::report::style::escape::visible;

impl ClusterList {
    /// 2 where a cluster does not answer.
    pub fn exit_status(&self) -> ExitStatus {
        exit_status_of(&self.all_findings())
    }
}

/// The list in one format, with a final line break.
pub fn write(list: &ClusterList, format: Format) -> String {
    match format {
        Format::Json => json::pretty(&ClusterReport::of(list)),
        Format::Yaml => yaml::of(&ClusterReport::of(list)),
        Format::Name => list.clusters.iter().map(|cluster| visible(&cluster.name).into_owned() + "\n").collect(),
        Format::Wide => table(list, true),
        Format::Text | Format::Markdown | Format::Diff | Format::Github | Format::Audit => table(list, false),
    }
}

fn table(list: &ClusterList, is_wide: bool) -> String {
    let has_applications = list.clusters.iter().any(|cluster| cluster.applications.is_some());
    let mut titles = vec!["NAME", "SERVER", "VERSION", "LATENCY"];
    titles.extend(has_applications.then_some("APPLICATIONS"));
    titles.extend(is_wide.then_some(["PROJECT", "NAMESPACES", "FROM"]).into_iter().flatten());
    let row = |cluster: &ListedCluster| {
        let (version, latency) = match &cluster.answer {
            Ok(answer) => (answer.version.clone(), format!("{} ms", answer.latency.as_millis())),
            Err(_) => ("unreachable".to_owned(), String::new()),
        };
        let mut row = vec![cluster.name.clone(), cluster.server.clone(), version, latency];
        if has_applications {
            row.push(cluster.applications.as_ref().map(|names| names.len().to_string()).unwrap_or_default());
        }
        if is_wide {
            let (project, namespaces) = match &cluster.from {
                KnownFrom::Secret(secret) => (secret.project.clone(), joined(secret.namespaces.iter())),
                KnownFrom::Context | KnownFrom::Pod => Default::default(),
            };
            row.extend([project, namespaces, from_words(&cluster.from)]);
        }
        row
    };
    let rows: Vec<Vec<String>> = list.clusters.iter().map(row).collect();
    columns(&titles, &rows)
}

fn joined<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(",")
}

fn from_words(from: &KnownFrom) -> String {
    match from {
        KnownFrom::Context => "context".to_owned(),
        KnownFrom::Pod => "pod".to_owned(),
        KnownFrom::Secret(secret) => secret.place.clone(),
    }
}

/// The list for scripts. Keys are only ever added; one without a value is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterReport<'a> {
    api_version: &'static str,
    kind: &'static str,
    clusters: Vec<ClusterEntry<'a>>,
    version: &'static str,
    exit_code: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterEntry<'a> {
    name: &'a str,
    server: &'a str,
    from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespaces: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_resources: Option<bool>,
    reachable: bool,
    #[serde(rename = "kubernetesVersion", skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applications: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

impl<'a> ClusterReport<'a> {
    fn of(list: &'a ClusterList) -> Self {
        Self {
            api_version: "trueup/v1",
            kind: "ClusterList",
            clusters: list.clusters.iter().map(ClusterEntry::of).collect(),
            version: env!("CARGO_PKG_VERSION"),
            exit_code: list.exit_status().code(),
        }
    }
}

impl<'a> ClusterEntry<'a> {
    fn of(cluster: &'a ListedCluster) -> Self {
        let secret = match &cluster.from {
            KnownFrom::Secret(secret) => Some(&**secret),
            KnownFrom::Context | KnownFrom::Pod => None,
        };
        let limited = secret.filter(|secret| !secret.namespaces.is_empty());
        let (answer, error) = (cluster.answer.as_ref().ok(), cluster.answer.as_ref().err());
        Self {
            name: &cluster.name,
            server: &cluster.server,
            from: from_words(&cluster.from),
            project: secret.map(|secret| secret.project.as_str()).filter(|project| !project.is_empty()),
            namespaces: limited.map(|secret| secret.namespaces.iter().map(String::as_str).collect()),
            cluster_resources: limited.map(|secret| secret.cluster_resources),
            reachable: answer.is_some(),
            version: answer.map(|answer| answer.version.as_str()),
            latency_ms: answer.map(|answer| u64::try_from(answer.latency.as_millis()).unwrap_or(u64::MAX)),
            applications: cluster.applications.as_deref(),
            error: error.map(error_words),
            code: error.and_then(|finding| finding.code.map(Code::as_str)),
            help: error.and_then(|finding| finding.help.as_deref()),
        }
    }
}

/// The message with its causes.
pub(super) fn error_words(finding: &Finding) -> String {
    let words = std::iter::once(&finding.message).chain(&finding.causes);
    words.map(String::as_str).collect::<Vec<_>>().join(": ")
}
