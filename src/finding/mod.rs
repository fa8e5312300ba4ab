//! A finding: one error or warning as a value, with everything a user needs to act on it.
//!
//! In: any `miette::Diagnostic` of any room. Out: a [`Finding`] that can be kept in a run, compared, counted, and
//! shown by any report format. Rooms keep their own error types; here they become plain data.

mod codes;

pub use codes::{Code, ExitClass};

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, SourceCode};

use crate::secret::{mask_credentials_in_text as masked, shown_text};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth reading; the answer stands.
    Warning,
    /// The answer could not be found, or not in full: exit code 2.
    Error,
}

/// The piece of a file that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The file's name as the user knows it (`-` for standard input).
    pub file: String,
    /// The whole text of the file as far as it is quoted: secrets are masked byte for byte, so that offsets hold.
    pub text: Arc<str>,
    /// Where the marked piece starts, in bytes.
    pub offset: usize,
    /// How long the marked piece is, in bytes.
    pub length: usize,
    /// The label under the marked piece.
    pub label: Option<String>,
}

/// Replaces a line that is not quoted.
const NOT_SHOWN: &str = "(not shown: the file may hold secrets)";

/// So far to the right a place is marked in a line that is not quoted.
const FURTHEST: usize = 80;

impl Excerpt {
    /// Marks `length` bytes at `offset` of `text`; positions outside of the text are clamped into it. What is quoted of
    /// the text is for [`shown_text`] to decide.
    pub fn new(file: impl Into<String>, text: &str, offset: usize, length: usize, label: Option<String>) -> Self {
        let file = file.into();
        let shown = shown_text(&file, text).map(Arc::from);
        Self::of(file, text, shown.as_ref(), offset, length, label)
    }

    /// The same, where `shown` is already known: what [`shown_text`] leaves of the text, if anything.
    pub fn of(
        file: String,
        text: &str,
        shown: Option<&Arc<str>>,
        offset: usize,
        length: usize,
        label: Option<String>,
    ) -> Self {
        let offset = floor_char_boundary(text, offset);
        let end = floor_char_boundary(text, offset.saturating_add(length)).max(offset);
        match shown {
            Some(shown) => Self { file, text: Arc::clone(shown), offset, length: end - offset, label },
            // There is nothing to quote of a text that is not at hand.
            None if text.is_empty() => Self { file, text: Arc::from(""), offset: 0, length: 0, label },
            None => Self::not_shown(file, &text[..offset], label),
        }
    }

    /// Marks the place alone: its line and column stay right.
    fn not_shown(file: String, before: &str, label: Option<String>) -> Self {
        let lines = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        let text = format!("{}{}{NOT_SHOWN}\n", "\n".repeat(lines), " ".repeat(column.min(FURTHEST)));
        let offset = lines + column.min(FURTHEST);
        Self { file, text: text.into(), offset, length: NOT_SHOWN.len(), label }
    }

    /// The line of the marked piece, counted from 1.
    pub fn line(&self) -> usize {
        1 + self.text[..self.offset].matches('\n').count()
    }
}

fn floor_char_boundary(text: &str, position: usize) -> usize {
    let mut position = position.min(text.len());
    while !text.is_char_boundary(position) {
        position -= 1;
    }
    position
}

/// An error or a warning, as a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A documented code, such as `trueup::source::revision`.
    pub code: Option<Code>,
    /// Subject first, then the fact; lower case, no full stop.
    pub message: String,
    /// The causes, nearest first: a library's words are only ever here.
    pub causes: Vec<String>,
    /// One thing to do.
    pub help: Option<String>,
    /// Where it is.
    pub excerpt: Option<Excerpt>,
}

impl Finding {
    /// An error with nothing but its message yet.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning with nothing but its message yet.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    fn new(severity: Severity, code: Code, message: impl Into<String>) -> Self {
        Self {
            severity,
            code: Some(code),
            message: masked(&message.into()),
            causes: Vec::new(),
            help: None,
            excerpt: None,
        }
    }

    /// Its exit class, if it is an error.
    pub fn exit_class(&self) -> ExitClass {
        self.code.map(Code::exit_class).unwrap_or_default()
    }

    /// Adds the one thing to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(masked(&help.into()));
        self
    }

    /// Adds what lies behind it.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(masked(&cause.into()));
        self
    }

    /// Adds the place.
    #[must_use]
    pub fn at(mut self, excerpt: Excerpt) -> Self {
        self.excerpt = Some(excerpt);
        self
    }

    /// Puts a subject (an application's name) before the message.
    #[must_use]
    pub fn about(mut self, subject: &str) -> Self {
        self.message = format!("{subject}: {}", self.message);
        self
    }

    /// Takes everything that a room's error says about itself; what opens a URL is masked, whoever quotes it.
    pub fn of(diagnostic: &dyn Diagnostic) -> Self {
        let severity = match diagnostic.severity() {
            Some(miette::Severity::Warning | miette::Severity::Advice) => Severity::Warning,
            Some(miette::Severity::Error) | None => Severity::Error,
        };
        let mut causes = Vec::new();
        let mut source = std::error::Error::source(diagnostic);
        while let Some(cause) = source {
            let text = masked(&cause.to_string());
            if causes.last() != Some(&text) {
                causes.push(text);
            }
            source = cause.source();
        }
        let code = diagnostic.code().and_then(|code| Code::of(&code.to_string()));
        Self {
            severity,
            code,
            message: masked(&diagnostic.to_string()),
            causes,
            help: diagnostic.help().map(|help| masked(&help.to_string())),
            excerpt: excerpt_of(diagnostic),
        }
    }
}

fn excerpt_of(diagnostic: &dyn Diagnostic) -> Option<Excerpt> {
    let code = diagnostic.source_code()?;
    let label = diagnostic.labels()?.next()?;
    let whole = code.read_span(label.inner(), usize::MAX / 2, usize::MAX / 2).ok()?;
    let text = String::from_utf8_lossy(whole.data()).into_owned();
    let file = whole.name().unwrap_or("-").to_owned();
    Some(Excerpt::new(file, &text, label.offset(), label.len(), label.label().map(str::to_owned)))
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Finding {}

impl Diagnostic for Finding {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let excerpt = self.excerpt.as_ref()?;
        let label = LabeledSpan::new(excerpt.label.clone(), excerpt.offset, excerpt.length);
        Some(Box::new(std::iter::once(label)))
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, miette::MietteError> {
        let contents = self.text.read_span(span, context_lines_before, context_lines_after)?;
        Ok(Box::new(miette::MietteSpanContents::new_named(
            self.file.clone(),
            contents.data(),
            *contents.span(),
            contents.line(),
            contents.column(),
            contents.line_count(),
        )))
    }
}
