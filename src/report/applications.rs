//! Applications as `trueup expand` prints them.
//!
//! In: manifests, each with the generator that it comes from. Out: one format, with a final line break.

use clap::ValueEnum;
use serde_json::Value;

use super::json;
use super::style::escape::visible;
use crate::object::yaml;

/// A format of Applications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, ValueEnum)]
pub enum ApplicationFormat {
    /// One document an Application
    #[default]
    Yaml,
    /// One array
    Json,
    /// One name a line
    Name,
    /// A table: what each Application deploys, and where it comes from
    Wide,
}

/// An Application, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpandedApplication {
    /// The manifest.
    pub manifest: Value,
    /// The ApplicationSet and its generator, such as `guestbook: generators[0].list`; empty when it was written out.
    pub generator: String,
}

/// The Applications in one format.
pub fn write(applications: &[ExpandedApplication], format: ApplicationFormat) -> String {
    match format {
        ApplicationFormat::Yaml => {
            let documents = applications.iter().map(|application| whole_lines(yaml::write(&application.manifest)));
            documents.flat_map(|document| ["---\n".to_owned(), document]).collect()
        }
        ApplicationFormat::Json => {
            let manifests: Vec<&Value> = applications.iter().map(|application| &application.manifest).collect();
            json::pretty(&manifests)
        }
        ApplicationFormat::Name => {
            let names = applications.iter().map(|application| text(&application.manifest, "/metadata/name"));
            names.map(whole_lines).collect()
        }
        ApplicationFormat::Wide => table(applications),
    }
}

fn whole_lines(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// A text of a manifest, which may be somebody else's.
fn text(manifest: &Value, pointer: &str) -> String {
    visible(manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default()).into_owned()
}

fn table(applications: &[ExpandedApplication]) -> String {
    const COLUMNS: [&str; 7] = ["NAME", "CLUSTER", "NAMESPACE", "PROJECT", "REPO", "PATH", "GENERATOR"];
    let rows: Vec<[String; 7]> = applications.iter().map(row).collect();
    let mut widths = COLUMNS.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String; 7]| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    std::iter::once(&COLUMNS.map(str::to_owned)).chain(&rows).map(line).collect()
}

fn row(application: &ExpandedApplication) -> [String; 7] {
    let manifest = &application.manifest;
    let first = |pointers: &[&str]| {
        pointers.iter().map(|pointer| text(manifest, pointer)).find(|text| !text.is_empty()).unwrap_or_default()
    };
    [
        text(manifest, "/metadata/name"),
        first(&["/spec/destination/name", "/spec/destination/server"]),
        text(manifest, "/spec/destination/namespace"),
        text(manifest, "/spec/project"),
        crate::secret::mask_credentials_in_text(&first(&["/spec/source/repoURL", "/spec/sources/0/repoURL"])),
        first(&["/spec/source/path", "/spec/source/chart", "/spec/sources/0/path", "/spec/sources/0/chart"]),
        application.generator.clone(),
    ]
}
