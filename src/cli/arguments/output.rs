//! How it is reported.

use std::ffi::OsStr;
use std::sync::Arc;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, ValueEnum};

use crate::finding::Finding;
use crate::report::{ExitRules, Format, Output, OutputError};
use crate::sync::audit::AuditLog;

/// When to use colour
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How much goes to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Verbosity {
    /// Nothing but errors and warnings.
    pub(crate) is_quiet: bool,
    /// How often `-v` was given.
    pub(crate) level: u8,
    /// No colour, colour, or as the terminal has it.
    pub(crate) color: Option<bool>,
}

/// Progress, colour and verbosity.
#[derive(Debug, Default, Clone, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArguments {
    /// No progress; errors and warnings only
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// List what is in sync and what is ignored, and shorten nothing
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

impl OutputArguments {
    pub(crate) fn verbosity(&self) -> Verbosity {
        let color = match self.color {
            Color::Auto => None,
            Color::Always => Some(true),
            Color::Never => Some(false),
        };
        Verbosity { is_quiet: self.quiet, level: self.verbose, color }
    }
}

/// Reads `-o FORMAT[=FILE]` for a report that has these formats: help, completions and errors list exactly them.
#[derive(Debug, Clone)]
pub(crate) struct OutputParser(pub(crate) &'static [Format]);

impl TypedValueParser for OutputParser {
    type Value = Output;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Output, clap::Error> {
        let formats = self.0;
        let parser = StringValueParser::new().try_map(move |text| Output::parse(&text, formats));
        parser.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().filter_map(ValueEnum::to_possible_value)))
    }
}

/// Where reports go: text on standard output when no `-o` is given.
pub(crate) fn resolve(outputs: &[Output]) -> Result<Vec<Output>, Vec<Finding>> {
    Output::resolve(outputs.to_vec()).map_err(|error| vec![Finding::of(&error)])
}

/// The formats of every report but that of drift.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct FormatArguments {
    /// Write the report in this format, to standard output or FILE; repeatable
    #[arg(short, long, alias = "out", value_name = "FORMAT[=FILE]", value_parser = OutputParser(Format::OF_REPORTS))]
    output: Vec<Output>,
}

impl FormatArguments {
    /// Where the reports go.
    pub(crate) fn outputs(&self) -> Result<Vec<Output>, Vec<Finding>> {
        resolve(&self.output)
    }
}

/// The formats of a list.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct ListFormatArguments {
    /// Write the list in this format, to standard output or FILE; repeatable
    #[arg(short, long, alias = "out", value_name = "FORMAT[=FILE]", value_parser = OutputParser(Format::OF_LISTS))]
    output: Vec<Output>,
}

impl ListFormatArguments {
    /// Where the list goes.
    pub(crate) fn outputs(&self) -> Result<Vec<Output>, Vec<Finding>> {
        resolve(&self.output)
    }
}

/// The formats of a report about health.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct HealthFormatArguments {
    /// Write the report in this format, to standard output or FILE; repeatable
    #[arg(short, long, alias = "out", value_name = "FORMAT[=FILE]", value_parser = OutputParser(Format::OF_HEALTH))]
    output: Vec<Output>,
}

impl HealthFormatArguments {
    /// Where the reports go.
    pub(crate) fn outputs(&self) -> Result<Vec<Output>, Vec<Finding>> {
        resolve(&self.output)
    }
}

/// The formats of a drift report.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct ReportArguments {
    /// Write the report in this format, to standard output or FILE; repeatable
    #[arg(short, long, alias = "out", value_name = "FORMAT[=FILE]", value_parser = OutputParser(Format::OF_WRITES))]
    pub(crate) output: Vec<Output>,
    /// Show changes as hunks of YAML with this many lines of context
    #[arg(short = 'U', long, value_name = "LINES")]
    pub(crate) unified: Option<usize>,
    /// List each ignored field with the rule that ignores it
    #[arg(long)]
    pub(crate) show_ignored: bool,
    /// Exit with 0 instead of 1 when there is drift
    #[arg(long)]
    pub(crate) exit_zero: bool,
    /// Exit with this code instead of 1 when there is drift
    #[arg(long, value_name = "CODE", default_value_t = 1, conflicts_with = "exit_zero", value_parser = parse_exit_code)]
    pub(crate) diff_exit_code: u8,
}

impl ReportArguments {
    /// Where the reports go.
    pub(crate) fn outputs(&self) -> Result<Vec<Output>, Vec<Finding>> {
        resolve(&self.output)
    }

    /// How the exit code is decided.
    pub(crate) fn exit_rules(&self) -> ExitRules {
        ExitRules { exit_zero: self.exit_zero, diff_exit_code: self.diff_exit_code }
    }
}

impl ReportArguments {
    /// Opens the audit log, if one is asked for: its owner alone can read a new one.
    pub(crate) fn audit(&self) -> Result<Option<Arc<AuditLog>>, Vec<Finding>> {
        let Some(file) = Output::audit_file(&self.output) else { return Ok(None) };
        let mut options = std::fs::OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(file) {
            Ok(opened) => Ok(Some(Arc::new(AuditLog::new(Box::new(opened))))),
            Err(error) => {
                let error = OutputError::Audit { file: file.to_owned(), cause: error.to_string() };
                Err(vec![Finding::of(&error)])
            }
        }
    }
}

/// One number, one meaning: 0 and 2 to 5 are taken.
fn parse_exit_code(text: &str) -> Result<u8, String> {
    match text.parse::<u8>() {
        Ok(0) => Err("0 means that all is in sync; --exit-zero asks for that".to_owned()),
        Ok(code @ 2..=5) => Err(format!("{code} is reserved; use 1, or 6 to 125")),
        Ok(code @ (1 | 6..=125)) => Ok(code),
        _ => Err("the exit code must be 1, or 6 to 125".to_owned()),
    }
}
