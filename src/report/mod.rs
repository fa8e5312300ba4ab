//! The run as bytes, and the only printer.
//!
//! In: a [`Run`], a [`Format`], a [`View`]. Out: text, JSON, YAML or markdown ([`render`]), each a pure function of the run, and the exit
//! code ([`ExitRules`]). What leaves for a screen or a file goes through [`terminal`]; nothing else in the program prints.
//!
//! Rules: docs/design.md, "Commands" (exit codes) and "The JSON contract"; docs/report.schema.json.

mod age;
mod asides;
mod brief;
pub mod checkup;
mod diff;
mod drift_report;
mod exit;
mod findings;
#[cfg(test)]
mod fixture;
pub mod folder;
mod gathered;
pub mod health;
mod health_report;
pub mod history;
mod json;
pub mod manifests;
mod markdown;
mod operation;
mod output;
mod page;
mod path;
pub mod plan;
mod stages;
mod suggestions;
pub mod suites;
mod summary;
pub mod terminal;
mod text;
mod theme;
mod view;
mod visible;
mod yaml;

pub use exit::ExitRules;
pub use findings::graphical;
pub use output::{Format, Output, OutputError};
pub use view::{FindingsPlace, View};
pub use visible::visible;

use crate::fleet::Run;

/// The `ignoreDifferences` that would accept the drift now seen, as YAML.
pub fn suggestions(run: &Run) -> String {
    suggestions::write(run)
}

/// The run in one format, whole, with a final line break.
pub fn render(run: &Run, format: Format, view: &View) -> String {
    match format {
        Format::Text => text::write(run, view),
        Format::Json => json::write(run, view),
        Format::Yaml => yaml::write(run, view),
        Format::Markdown => markdown::write(run, view),
    }
}
