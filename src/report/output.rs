//! What the report is written as, and where to: `-o FORMAT[=FILE]`.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

/// A format of a report. Each report has a part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For scripts
    Json,
    /// For scripts: the same value as JSON
    Yaml,
    /// For a job summary or a comment
    #[value(alias = "md")]
    Markdown,
    /// A unified diff from live to git, for a pager or `delta`
    Diff,
    /// Annotations of a GitHub job, with file and line
    Github,
    /// One line for each, with more columns
    Wide,
    /// The names alone, for scripts
    Name,
    /// One line of JSON for each write, appended to FILE while the run writes
    Audit,
}

impl Format {
    /// The formats of every report.
    pub const OF_REPORTS: &[Self] = &[Self::Text, Self::Json, Self::Yaml, Self::Markdown];
    /// The formats of a drift report.
    pub const OF_DRIFT: &[Self] =
        &[Self::Text, Self::Json, Self::Yaml, Self::Markdown, Self::Diff, Self::Github, Self::Wide, Self::Name];
    /// The formats of a report of what was written.
    pub const OF_WRITES: &[Self] = &[
        Self::Text,
        Self::Json,
        Self::Yaml,
        Self::Markdown,
        Self::Diff,
        Self::Github,
        Self::Wide,
        Self::Name,
        Self::Audit,
    ];
    /// The formats of a report about health.
    pub const OF_HEALTH: &[Self] = &[Self::Text, Self::Json, Self::Yaml, Self::Markdown, Self::Wide, Self::Name];
    /// The formats of a list.
    pub const OF_LISTS: &[Self] = &[Self::Text, Self::Json, Self::Yaml, Self::Wide, Self::Name];
    /// The formats of one fact.
    pub const OF_FACTS: &[Self] = &[Self::Text, Self::Json, Self::Yaml];

    fn is_called(self, name: &str) -> bool {
        self.to_possible_value().is_some_and(|value| value.matches(name, false))
    }
}

/// The names of some formats, in order: `text, json, yaml`.
fn names(formats: &[Format]) -> String {
    let names: Vec<String> = formats.iter().map(ToString::to_string).collect();
    names.join(", ")
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_possible_value();
        formatter.write_str(name.as_ref().map_or("", |value| value.get_name()))
    }
}

/// One report: a format, and the file it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The format.
    pub format: Format,
    /// The file; `None` is standard output.
    pub file: Option<PathBuf>,
}

/// Why a report cannot be written as asked.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum OutputError {
    /// The report has no such format.
    #[error("unknown report format `{given}`; one of: {}", names(.allowed))]
    #[diagnostic(code(trueup::report::format), help("`FORMAT=FILE` writes to a file"))]
    Format {
        /// The format that was requested.
        given: String,
        /// The formats of the report.
        allowed: &'static [Format],
    },
    /// `json=`
    #[error("`{0}=` needs a file name")]
    #[diagnostic(code(trueup::report::file), help("`-o {0}` alone writes to standard output"))]
    NoFile(String),
    /// Two formats would be mixed up on standard output.
    #[error("`{0}` and `{1}` would both be written to standard output")]
    #[diagnostic(code(trueup::report::output), help("give one of them a file: `-o {1}=FILE`"))]
    TwoOnStandardOutput(Format, Format),
    /// One report would replace the other.
    #[error("two reports would be written to {}", .0.display())]
    #[diagnostic(code(trueup::report::output), help("give each report a file of its own"))]
    TwoInOneFile(PathBuf),
    /// The file could not be written; what was there before is untouched.
    #[error("the report could not be written to {}", .file.display())]
    #[diagnostic(
        code(trueup::report::write),
        help(
            "check that its folder exists and that you are allowed to write \
         there"
        )
    )]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The audit log is appended to, so it has a file.
    #[error("`audit` needs a file, which each write is appended to")]
    #[diagnostic(code(trueup::report::file), help("`-o audit=FILE`"))]
    AuditNeedsFile,
    /// A line of the audit log could not be written.
    #[error("the audit log {} could not be written: {cause}", .file.display())]
    #[diagnostic(code(trueup::report::write), help("check that its folder exists and that there is space"))]
    Audit {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: String,
    },
    /// Standard output broke, other than by being closed.
    #[error("the report could not be written to standard output")]
    #[diagnostic(code(trueup::report::write), help("`-o FORMAT=FILE` writes to a file"))]
    StandardOutput(#[source] std::io::Error),
}

impl Output {
    /// `FORMAT` or `FORMAT=FILE`, of a report that has these formats.
    pub fn parse(text: &str, allowed: &'static [Format]) -> Result<Self, OutputError> {
        let (name, file) = match text.split_once('=') {
            Some((name, file)) => (name, Some(file)),
            None => (text, None),
        };
        let format = allowed.iter().find(|format| format.is_called(name));
        let format = *format.ok_or_else(|| OutputError::Format { given: name.to_owned(), allowed })?;
        let file = match file {
            None | Some("-") => None,
            Some("") => return Err(OutputError::NoFile(name.to_owned())),
            Some(file) => Some(PathBuf::from(file)),
        };
        Ok(Self { format, file })
    }

    /// The file of the audit log, if one is asked for.
    pub fn audit_file(outputs: &[Self]) -> Option<&Path> {
        outputs.iter().find(|output| output.format == Format::Audit)?.file.as_deref()
    }

    /// The reports to write: text on standard output when none is asked for; never two in one place.
    pub fn resolve(mut outputs: Vec<Self>) -> Result<Vec<Self>, OutputError> {
        if outputs.iter().any(|output| output.format == Format::Audit && output.file.is_none()) {
            return Err(OutputError::AuditNeedsFile);
        }

        for (index, output) in outputs.iter().enumerate() {
            if let Some(earlier) = outputs[..index].iter().find(|earlier| earlier.file == output.file) {
                return Err(match &output.file {
                    None => OutputError::TwoOnStandardOutput(earlier.format, output.format),
                    Some(file) => OutputError::TwoInOneFile(file.clone()),
                });
            }
        }
        // The audit log is appended to while the run writes, and is no report.
        outputs.retain(|output| output.format != Format::Audit);
        if outputs.is_empty() {
            outputs.push(Self { format: Format::Text, file: None });
        }
        Ok(outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> Output {
        Output::parse(text, Format::OF_DRIFT).unwrap()
    }

    #[test]
    fn an_output_is_a_format_and_perhaps_a_file() {
        for (text, format, file) in [
            ("text", Format::Text, None),
            ("json", Format::Json, None),
            ("json=-", Format::Json, None),
            ("yaml=out/report.yaml", Format::Yaml, Some("out/report.yaml")),
            ("markdown=a=b.md", Format::Markdown, Some("a=b.md")),
            ("md=summary.md", Format::Markdown, Some("summary.md")),
        ] {
            assert_eq!(output(text), Output { format, file: file.map(PathBuf::from) }, "{text}");
        }
    }

    #[test]
    fn a_wrong_format_is_an_error_with_the_formats_of_the_report() {
        for (text, formats, message) in [
            (
                "xml",
                Format::OF_DRIFT,
                "unknown report format `xml`; one of: text, json, yaml, markdown, diff, github, wide, name",
            ),
            ("", Format::OF_REPORTS, "unknown report format ``; one of: text, json, yaml, markdown"),
            ("diff", Format::OF_REPORTS, "unknown report format `diff`; one of: text, json, yaml, markdown"),
            ("md=a.md", Format::OF_FACTS, "unknown report format `md`; one of: text, json, yaml"),
            ("json=", Format::OF_FACTS, "`json=` needs a file name"),
        ] {
            assert_eq!(Output::parse(text, formats).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn two_reports_never_share_a_place() {
        let resolve = |texts: &[&str]| Output::resolve(texts.iter().map(|text| output(text)).collect());
        assert_eq!(resolve(&[]).unwrap(), [output("text")]);
        assert_eq!(resolve(&["text", "json=a", "json=b"]).unwrap().len(), 3);
        assert!(matches!(
            resolve(&["text", "json=a", "yaml"]),
            Err(OutputError::TwoOnStandardOutput(Format::Text, Format::Yaml))
        ));
        assert!(matches!(resolve(&["json=a", "yaml=a"]), Err(OutputError::TwoInOneFile(_))));
    }
}
