//! Applications as `trueup expand` prints them.
//!
//! In: manifests, each with the generator that it comes from. Out: one format, with a final line break.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::json as json_format;
use super::style::escape::visible;
use crate::app::appset::{ExplainedParameter, ExplainedValue, FoundApplication};
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
    /// The manifest, and the ApplicationSet and generator that it comes from.
    pub found: FoundApplication,
    /// How many Applications are above it.
    pub depth: usize,
    /// The Application that renders it, as `namespace/name`; empty at the top.
    pub parent: String,
}

/// The details that are printed besides the Applications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplicationDetails {
    /// `--explain`: where the values come from.
    pub explains: bool,
    /// `--recursive`: depth and parent.
    pub is_recursive: bool,
}

/// The Applications in one format.
pub fn write(applications: &[ExpandedApplication], format: ApplicationFormat, details: ApplicationDetails) -> String {
    match format {
        ApplicationFormat::Yaml => {
            let document = |application: &ExpandedApplication| {
                let notes = notes(application, details).into_iter().map(|note| format!("# {note}\n"));
                let manifest = whole_lines(yaml::write(&application.found.manifest));
                format!("---\n{}{manifest}", notes.collect::<String>())
            };
            applications.iter().map(document).collect()
        }
        ApplicationFormat::Json if details.explains || details.is_recursive => {
            let values: Vec<Value> = applications.iter().map(|application| detailed(application, details)).collect();
            json_format::pretty(&values)
        }
        ApplicationFormat::Json => {
            let manifests: Vec<&Value> = applications.iter().map(|application| &application.found.manifest).collect();
            json_format::pretty(&manifests)
        }
        ApplicationFormat::Name => {
            let name = |application: &ExpandedApplication| {
                let notes = notes(application, ApplicationDetails { is_recursive: false, ..details });
                let notes = notes.into_iter().map(|note| format!("  {note}\n"));
                let indent = "  ".repeat(application.depth);
                let name = whole_lines(text(&application.found.manifest, "/metadata/name"));
                format!("{indent}{name}{}", notes.collect::<String>())
            };
            applications.iter().map(name).collect()
        }
        ApplicationFormat::Wide => table(applications, details),
    }
}

/// An Application with what is known of it, as JSON.
fn detailed(application: &ExpandedApplication, details: ApplicationDetails) -> Value {
    let found = &application.found;
    let mut value = json!({ "application": found.manifest });
    if !found.application_set.is_empty() {
        value["applicationSet"] = json!(found.application_set);
        value["generator"] = json!(found.generator);
    }
    if details.is_recursive {
        value["depth"] = json!(application.depth);
        value["parent"] = json!(application.parent);
    }
    if let Some(explanation) = found.explanation.as_ref().filter(|_| details.explains) {
        let parameter = |parameter: &ExplainedParameter| json!({ "name": parameter.name, "value": parameter.value, "generator": parameter.generator });
        let explained = |value: &ExplainedValue| {
            let parameters: Vec<Value> = value.parameters.iter().map(parameter).collect();
            json!({ "field": value.field, "template": value.template, "parameters": parameters })
        };
        value["parameterSet"] = json!(explanation.parameter_set);
        value["values"] = json!(explanation.values.iter().map(explained).collect::<Vec<_>>());
    }
    value
}

/// The same as lines of text.
fn notes(application: &ExpandedApplication, details: ApplicationDetails) -> Vec<String> {
    let mut notes = Vec::new();
    if details.is_recursive && !application.parent.is_empty() {
        notes.push(format!("depth {}, rendered by {}", application.depth, application.parent));
    }
    let Some(explanation) = application.found.explanation.as_ref().filter(|_| details.explains) else {
        return notes.iter().map(|note| visible(note).into_owned()).collect();
    };
    let FoundApplication { application_set, generator, .. } = &application.found;
    let number = explanation.parameter_set;
    notes.push(format!("ApplicationSet {application_set}, {generator}, parameter set {number}"));
    for value in &explanation.values {
        notes.push(format!("{}: {}", value.field, value.template.split_whitespace().collect::<Vec<_>>().join(" ")));
        notes.extend(
            value
                .parameters
                .iter()
                .map(|parameter| format!("  {} = {} ({})", parameter.name, parameter.value, parameter.generator)),
        );
    }
    notes.iter().map(|note| visible(&note.replace('\n', " ")).into_owned()).collect()
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

fn table(applications: &[ExpandedApplication], details: ApplicationDetails) -> String {
    let mut columns = vec!["NAME", "CLUSTER", "NAMESPACE", "PROJECT", "REPO", "PATH", "GENERATOR"];
    if details.is_recursive {
        columns.extend(["DEPTH", "PARENT"]);
    }
    let rows: Vec<Vec<String>> = applications.iter().map(|application| row(application, details)).collect();
    let mut widths: Vec<usize> = columns.iter().map(|column| column.len()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    let mut table = line(&columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>());
    for (row, application) in rows.iter().zip(applications) {
        table.push_str(&line(row));
        let notes = notes(application, ApplicationDetails { is_recursive: false, ..details });
        table.extend(notes.into_iter().map(|note| format!("  {note}\n")));
    }
    table
}

fn row(application: &ExpandedApplication, details: ApplicationDetails) -> Vec<String> {
    let FoundApplication { manifest, application_set, generator, .. } = &application.found;
    let first = |pointers: &[&str]| {
        pointers.iter().map(|pointer| text(manifest, pointer)).find(|text| !text.is_empty()).unwrap_or_default()
    };
    let mut row = vec![
        text(manifest, "/metadata/name"),
        first(&["/spec/destination/name", "/spec/destination/server"]),
        text(manifest, "/spec/destination/namespace"),
        text(manifest, "/spec/project"),
        crate::secret::mask_credentials_in_text(&first(&["/spec/source/repoURL", "/spec/sources/0/repoURL"])),
        first(&["/spec/source/path", "/spec/source/chart", "/spec/sources/0/path", "/spec/sources/0/chart"]),
        if application_set.is_empty() {
            String::new()
        } else {
            visible(&format!("{application_set}: {generator}")).into_owned()
        },
    ];
    if details.is_recursive {
        row.extend([application.depth.to_string(), visible(&application.parent).into_owned()]);
    }
    row
}
