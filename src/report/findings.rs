//! A finding in full, for a terminal: what, where (with the source line), why, and what to do.
//!
//! In: a [`Finding`] and a [`View`]. Out: text drawn by miette in our theme. Only the lines around the place are handed to miette,
//! through the door that makes them harmless, and cut to a width: one file may be a single line of a megabyte.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};

use super::View;
use crate::finding::{Code, Excerpt, Finding};
use crate::report::style::escape::{is_hidden, visible};
use crate::report::style::theme::Role;

/// So much of a line is shown on each side of a marked piece, in bytes.
const AROUND: usize = 120;

/// A finding in full, with a final line break.
pub fn graphical(finding: &Finding, view: &View) -> String {
    let handler =
        GraphicalReportHandler::new_themed(theme(view.color)).with_width(view.width.max(40)).with_links(false);
    let shown = Shown::of(finding, view.verbose);
    let mut text = String::new();
    if handler.render_report(&mut text, &shown).is_err() {
        text = format!("  {}\n", shown.message);
    }
    text
}

fn theme(color: bool) -> GraphicalTheme {
    let mut theme = GraphicalTheme { characters: ThemeCharacters::unicode(), styles: ThemeStyles::none() };
    if color {
        theme.styles = ThemeStyles {
            error: Role::Bad.style(),
            warning: Role::Warning.style(),
            advice: Role::Hint.style(),
            help: Role::Path.style(),
            link: Role::Path.style(),
            linum: Role::Hint.style(),
            highlights: vec![Role::Manager.style()],
        };
    }
    theme
}

/// A finding as it may be shown.
#[derive(Debug)]
struct Shown {
    message: String,
    code: Option<Code>,
    severity: Option<miette::Severity>,
    help: Option<String>,
    cause: Option<CauseTree>,
    window: Option<Window>,
}

/// One cause, and what lies behind it.
#[derive(Debug)]
struct CauseTree {
    message: String,
    behind: Option<Box<CauseTree>>,
}

/// The lines around a marked piece.
#[derive(Debug)]
struct Window {
    file: String,
    text: String,
    /// How many lines of the file stand before.
    lines_before: usize,
    /// How many characters of the marked line are cut off before.
    columns_before: usize,
    offset: usize,
    length: usize,
    label: Option<String>,
}

impl Shown {
    fn of(finding: &Finding, with_code: bool) -> Self {
        Self {
            message: visible(&finding.message).into_owned(),
            code: finding.code.filter(|_| with_code),
            severity: Diagnostic::severity(finding),
            help: finding.help.as_deref().map(|help| visible(help).into_owned()),
            cause: finding.causes.iter().rev().fold(None, |behind, message| {
                Some(CauseTree { message: visible(message).into_owned(), behind: behind.map(Box::new) })
            }),
            window: finding.excerpt.as_ref().map(Window::of),
        }
    }
}

impl Window {
    fn of(excerpt: &Excerpt) -> Self {
        let text = excerpt.text.as_ref();
        let line_start = text[..excerpt.offset].rfind('\n').map_or(0, |end| end + 1);
        let line_end = text[excerpt.offset..].find('\n').map_or(text.len(), |length| excerpt.offset + length);
        let end = (excerpt.offset + excerpt.length).min(line_end).max(excerpt.offset);
        let mut shown = String::new();
        let mut lines_before = excerpt.line() - 1;
        if line_start > 0 {
            let start = text[..line_start - 1].rfind('\n').map_or(0, |end| end + 1);
            shown.push_str(&harmless(head(&text[start..line_start - 1], 2 * AROUND)));
            shown.push('\n');
            lines_before -= 1;
        }
        let before = tail(&text[line_start..excerpt.offset], AROUND);
        let columns_before = text[line_start..excerpt.offset - before.len()].chars().count();
        shown.push_str(&harmless(before));
        let offset = shown.len();
        shown.push_str(&harmless(head(&text[excerpt.offset..end], AROUND)));
        let length = shown.len() - offset;
        shown.push_str(&harmless(head(&text[end..line_end], AROUND)));
        if let Some(rest) = text.get(line_end + 1..).filter(|rest| !rest.is_empty()) {
            shown.push('\n');
            shown.push_str(&harmless(head(rest.lines().next().unwrap_or_default(), 2 * AROUND)));
        }
        shown.push('\n');
        let label = excerpt.label.as_deref().map(|label| visible(label).into_owned());
        let file = visible(&excerpt.file).into_owned();
        Self { file, text: shown, lines_before, columns_before, offset, length, label }
    }
}

/// A piece of a line, made harmless; tabs stay, for miette to measure.
fn harmless(text: &str) -> String {
    let text = text.trim_end_matches('\r');
    if !text.contains(is_hidden) {
        return text.to_owned();
    }
    text.split('\t').map(visible).collect::<Vec<_>>().join("\t")
}

fn head(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn tail(text: &str, bytes: usize) -> &str {
    let mut start = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Shown {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

impl fmt::Display for CauseTree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for CauseTree {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.behind.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        self.severity
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.window.as_ref().map(|window| window as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let window = self.window.as_ref()?;
        let label = LabeledSpan::new(window.label.clone(), window.offset, window.length);
        Some(Box::new(std::iter::once(label)))
    }
}

impl SourceCode for Window {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.text.read_span(span, context_lines_before, context_lines_after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.file.clone(),
            contents.data(),
            *contents.span(),
            contents.line() + self.lines_before,
            contents.column() + if contents.column() > 0 { self.columns_before } else { 0 },
            contents.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;
    use crate::report::drift::fixture::{HOSTILE, view};

    const MANIFEST: &str = "kind: Application\nspec:\n  source:\n    targetRevison: v1.4.0\n    path: guestbook\n";

    fn typo() -> Finding {
        Finding::warning(Code::AppUnknownField, "guestbook: `targetRevison` is not a field of `spec.source`")
            .with_help("as it stands, the source follows the default branch")
            .at(Excerpt::new(
                "apps/guestbook.yaml",
                MANIFEST,
                38,
                13,
                Some("did you mean `targetRevision`?".to_owned()),
            ))
    }

    #[test]
    fn a_finding_says_what_where_and_what_to_do() {
        assert_snapshot!(graphical(&typo(), &view()), @r"
         ⚠ guestbook: `targetRevison` is not a field of `spec.source`
          ╭─[apps/guestbook.yaml:4:5]
        3 │   source:
        4 │     targetRevison: v1.4.0
          ·     ──────┬──────
          ·           ╰── did you mean `targetRevision`?
        5 │     path: guestbook
          ╰────
         help: as it stands, the source follows the default branch
        ");
    }

    #[test]
    fn a_code_is_for_those_who_ask() {
        let verbose = View { verbose: true, ..view() };
        assert!(graphical(&typo(), &verbose).starts_with("trueup::app::unknown_field\n"));
        assert!(!graphical(&typo(), &view()).contains("trueup::"));
    }

    #[test]
    fn causes_stand_below_each_other() {
        let finding =
            Finding::error(Code::RenderProgramFailed, "guestbook: helm could not render `charts/guestbook` at 3f2a9c1")
                .with_cause("templates/ingress.yaml:14: nil pointer evaluating interface {}.host")
                .with_cause("exit status 1")
                .with_help("see the values it was given with `trueup render --app guestbook -v`");
        assert_snapshot!(graphical(&finding, &view()), @r"
        × guestbook: helm could not render `charts/guestbook` at 3f2a9c1
        ├─▶ templates/ingress.yaml:14: nil pointer evaluating interface {}.host
        ╰─▶ exit status 1
        help: see the values it was given with `trueup render --app guestbook -v`
        ");
    }

    #[test]
    fn hostile_text_is_shown_and_not_obeyed() {
        let text = format!("first\nkind: \x1b[2J\tvalue {HOSTILE}\nlast\x07\n");
        let finding = Finding::error(Code::AppYaml, HOSTILE).with_cause(HOSTILE).with_help(HOSTILE).at(Excerpt::new(
            HOSTILE,
            &text,
            12,
            10,
            Some(HOSTILE.to_owned()),
        ));
        let shown = graphical(&finding, &view());
        assert!(!shown.contains(|character| character != '\n' && is_hidden(character)), "{shown}");
        assert!(shown.contains("kind: \\x1b[2J"), "{shown}");
    }

    /// A manifest of 100,000 lines, or of one line of a megabyte: the place, and not the file, is shown.
    #[test]
    fn a_place_in_a_huge_file_is_shown_by_its_own_lines() {
        let long = "kind: Pod # ".to_owned() + &"x".repeat(1 << 20);
        let shown = graphical(
            &Finding::error(Code::AppYaml, "here").at(Excerpt::new("long.yaml", &long, 500_000, 3, None)),
            &view(),
        );
        assert!(shown.len() < 4000, "{}", shown.len());
        assert!(shown.contains("[long.yaml:1:500001]"), "{shown}");

        let tall = "kind: 1\n".repeat(100_000);
        let shown = graphical(
            &Finding::error(Code::AppYaml, "here").at(Excerpt::new("tall.yaml", &tall, 400_000, 1, None)),
            &view(),
        );
        assert!(shown.contains("[tall.yaml:50001:1]") && shown.contains("50001 │ kind: 1"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_place_in_any_text_can_be_shown(text in "([a-z\u{e4}\u{1F44B}: \t]{0,9}(\n|\r\n|\u{1b})){0,6}", offset in 0..80_usize, length in 0..80_usize) {
            let finding = Finding::error(Code::AppYaml, "here").at(Excerpt::new("file.yaml", &text, offset, length, None));
            let shown = graphical(&finding, &view());
            prop_assert!(shown.contains("file.yaml:"), "{}", shown);
            prop_assert!(!shown.contains(|character| character != '\n' && is_hidden(character)));
        }
    }
}
