//! The run as bytes, and the only printer.
//!
//! In: a [`Run`], a [`Format`], a [`View`]. Out: text, JSON, YAML or markdown ([`render`]), each a pure function of the run, and the exit
//! code ([`ExitRules`]). What leaves for a screen or a file goes through [`terminal`]; nothing else in the program prints.
//!
//! Rules: README.md, "Exit codes" (exit codes) and "The JSON contract"; docs/report.schema.json.

pub mod applications;
pub mod clusters;
mod columns;
pub mod doctor;
mod drift;
mod exit;
mod findings;
pub mod folder;
mod gathered;
pub mod health;
pub mod history;
mod json;
pub mod manifests;
mod output;
pub mod permission;
pub mod plan;
pub mod project;
pub mod proposal;
pub mod repositories;
mod stages;
mod style;
mod table;
pub mod terminal;
pub mod version;
pub mod whoami;
mod yaml;

pub use exit::{ExitRules, ExitStatus, exit_status_of, exit_status_of_tests};
pub use findings::graphical;
pub use gathered::findings_of;
pub use output::{Format, Output, OutputError};
pub use permission::Asked;
pub use style::escape::visible;
pub use style::view::{FindingsPlace, View};

use drift::{github, ignore_suggestions, markdown, text, unified};

use crate::fleet::Run;

/// The `ignoreDifferences` that would accept the drift now seen, as YAML.
pub fn suggestions(run: &Run) -> String {
    ignore_suggestions::write(run)
}

/// The run in one format, whole, with a final line break.
pub fn render(run: &Run, format: Format, view: &View) -> String {
    match format {
        Format::Text => text::write(run, view),
        Format::Json => json::write(run, view),
        Format::Yaml => yaml::write(run, view),
        Format::Markdown => markdown::write(run, view),
        Format::Diff => unified::write(run, view),
        Format::Github => github::write(run),
        Format::Wide => table::wide(run),
        Format::Name => table::names(run),
        // Its lines were appended while the run wrote.
        Format::Audit => String::new(),
    }
}
