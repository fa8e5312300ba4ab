//! The repositories in a table, one a line, and for scripts. URLs are shown without credentials.
//!
//! In: a [`RepositoryList`]. Out: text, wide, names, JSON, YAML. Rule: docs/formats.md.

use std::time::Duration;

use serde::Serialize;

use super::clusters::error_words;
use super::columns::columns;
use super::{ExitStatus, Format, exit_status_of, json, yaml};
use crate::app::settings::{Opener, RepositoryKind};
use crate::finding::{Code, Finding};
use crate::fleet::commands::repositories::{ListedAs, ListedRepository, RepositoryList};
use crate::report::style::escape::visible;

impl RepositoryList {
    /// 2 where a repository does not answer.
    pub fn exit_status(&self) -> ExitStatus {
        exit_status_of(&self.all_findings())
    }
}

/// The list in one format, with a final line break.
pub fn write(list: &RepositoryList, format: Format) -> String {
    match format {
        Format::Json => json::pretty(&RepositoryReport::of(list)),
        Format::Yaml => yaml::of(&RepositoryReport::of(list)),
        Format::Name => list.repositories.iter().map(|one| visible(&one.url.to_string()).into_owned() + "\n").collect(),
        _ => table(list),
    }
}

fn table(list: &RepositoryList) -> String {
    let was_asked = list.repositories.iter().any(|repository| repository.answer.is_some());
    let mut titles = vec!["URL", "TYPE", "PROJECT", "APPLICATIONS", "OPENED BY"];
    titles.extend(was_asked.then_some("ANSWER"));
    let row = |repository: &ListedRepository| {
        let applications = match repository.listed_as {
            ListedAs::Repository => repository.applications.to_string(),
            ListedAs::Template => String::new(),
        };
        let mut row = vec![
            repository.url.to_string(),
            type_words(repository).to_owned(),
            repository.project.clone(),
            applications,
            opener_words(&repository.opener),
        ];
        if was_asked {
            row.push(match &repository.answer {
                Some(Ok(latency)) => format!("{} ms", latency.as_millis()),
                Some(Err(_)) => "none".to_owned(),
                None => String::new(),
            });
        }
        row
    };
    columns(&titles, &list.repositories.iter().map(row).collect::<Vec<_>>())
}

fn type_words(repository: &ListedRepository) -> &'static str {
    match (repository.listed_as, repository.kind) {
        (ListedAs::Template, _) => "template",
        (_, RepositoryKind::Git) => "git",
        (_, RepositoryKind::Helm) => "helm",
        (_, RepositoryKind::Oci) => "oci",
    }
}

fn opener_words(opener: &Opener) -> String {
    match opener {
        Opener::Secret(name) => format!("Secret {name}"),
        Opener::Template(name) => format!("template {name}"),
        Opener::Nothing => String::new(),
    }
}

/// The list for scripts. Keys are only ever added; one without a value is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryReport<'a> {
    api_version: &'static str,
    kind: &'static str,
    repositories: Vec<RepositoryEntry<'a>>,
    version: &'static str,
    exit_code: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryEntry<'a> {
    url: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    project: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<&'a str>,
    applications: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

impl<'a> RepositoryReport<'a> {
    fn of(list: &'a RepositoryList) -> Self {
        Self {
            api_version: "trueup/v1",
            kind: "RepositoryList",
            repositories: list.repositories.iter().map(RepositoryEntry::of).collect(),
            version: env!("CARGO_PKG_VERSION"),
            exit_code: list.exit_status().code(),
        }
    }
}

impl<'a> RepositoryEntry<'a> {
    fn of(repository: &'a ListedRepository) -> Self {
        let (secret, template) = match &repository.opener {
            Opener::Secret(name) => (Some(name.as_str()), None),
            Opener::Template(name) => (None, Some(name.as_str())),
            Opener::Nothing => (None, None),
        };
        let answer: Option<&Result<Duration, Finding>> = repository.answer.as_ref();
        let error = answer.and_then(|answer| answer.as_ref().err());
        let latency = answer.and_then(|answer| answer.as_ref().ok());
        Self {
            url: repository.url.to_string(),
            kind: type_words(repository),
            name: &repository.name,
            project: &repository.project,
            secret,
            template,
            applications: repository.applications,
            answers: answer.map(Result::is_ok),
            latency_ms: latency.map(|latency| u64::try_from(latency.as_millis()).unwrap_or(u64::MAX)),
            error: error.map(error_words),
            code: error.and_then(|finding| finding.code.map(Code::as_str)),
            help: error.and_then(|finding| finding.help.as_deref()),
        }
    }
}
