//! What is wrong with a document's grammar, in words of our own.
//!
//! In: the library's error. Out: a [`Fault`] that says what a person has to look at.

use std::ops::Range;

use super::events::Fault;

const TEMPLATE: &str = "this looks like a Helm template; it is YAML only after Helm has rendered it";
const TABS: &str = "indent with spaces: YAML takes no tabs there";
const QUOTE: &str = "put the value in quotes";

/// The library's error, told anew.
pub(super) fn of(error: &libyaml_safer::Error, text: &str) -> Fault {
    let at = error.problem_mark().map_or_else(|| first_control_character(text), |mark| offset(mark.index, text));
    let since = error.context_mark().map(|mark| offset(mark.index, text));
    let at = at.min(text.trim_end().len());
    let range = one_character(text, at);
    let line = line_at(text, at);
    let (message, help) = words(error.problem(), &text[at..], error.context().unwrap_or_default());
    let unclosed = matches!(error.problem(), "found unexpected end of stream" | "found unexpected document indicator");
    let range = match since {
        Some(since) if unclosed => one_character(text, since),
        _ => range,
    };
    let help = if line.contains("{{") { Some(TEMPLATE) } else { help };
    Fault { message, range, help, is_unknown_escape: error.problem() == "found unknown escape character" }
}

/// The library panicked. What is known to do that is a tag right before a comma.
pub(super) fn of_panic(text: &str) -> Fault {
    let message = "the document is no YAML, in a way that cannot be told more exactly";
    let mut fault = Fault::new(message, one_character(text, 0));
    fault.help = Some("look for a tag (`!name`) that is not followed by a blank");
    fault
}

fn words(problem: &str, rest: &str, context: &str) -> (String, Option<&'static str>) {
    let found = rest.chars().next().map_or_else(|| "the end".to_owned(), shown);
    let (message, help) = match problem {
        "control characters are not allowed" => (format!("the character {found} is not allowed in YAML"), None),
        "found character that cannot start any token" if rest.starts_with('\t') => {
            ("a tab is used to indent".to_owned(), Some(TABS))
        }
        "found character that cannot start any token" => (format!("no value can start with {found}"), Some(QUOTE)),
        "found a tab character that violates indentation"
        | "found a tab character where an indentation space is expected" => {
            ("a tab is used to indent".to_owned(), Some(TABS))
        }
        "could not find expected ':'" => (
            "a key is not followed by `:`".to_owned(),
            Some("a key and its `:` stand on one line, with a blank after it"),
        ),
        "mapping values are not allowed in this context" => (
            "`:` makes a second key in one line, or a key where none can be".to_owned(),
            Some("check the indentation, and put text that holds `: ` in quotes"),
        ),
        "mapping keys are not allowed in this context" => {
            ("no key can stand here".to_owned(), Some("check the indentation"))
        }
        "block sequence entries are not allowed in this context" => {
            ("no list item can stand here".to_owned(), Some("a list starts on a line of its own"))
        }
        "did not find expected key" => (
            format!("a key is expected here, not {found}"),
            Some("check that this line is indented like the lines of the same map"),
        ),
        "did not find expected '-' indicator" => (
            format!("a list item is expected here, not {found}"),
            Some("check that this line is indented like the other items"),
        ),
        "did not find expected ',' or ']'" => (format!("`,` or `]` is expected here, not {found}"), None),
        "did not find expected ',' or '}'" => (format!("`,` or `}}` is expected here, not {found}"), None),
        "did not find expected node content" => (format!("a value is expected here, not {found}"), None),
        "did not find expected alphabetic or numeric character" => {
            let what = if context.ends_with("alias") { "`*` starts an alias" } else { "`&` starts an anchor" };
            (format!("{what}, and no name follows it"), Some(QUOTE))
        }
        "found unexpected end of stream" => ("a quote is opened here and never closed".to_owned(), None),
        "found unexpected document indicator" => {
            ("a quote is opened here and not closed in its document".to_owned(), None)
        }
        "found unknown escape character" => (
            "an escape in double quotes is not known".to_owned(),
            Some("write the backslash twice, or use single quotes"),
        ),
        "found invalid Unicode character escape code" => ("an escape names no character".to_owned(), None),
        "did not find expected hexdecimal number" => ("an escape is too short".to_owned(), None),
        "found undefined tag handle" => ("a tag's handle is not defined".to_owned(), None),
        "found unexpected ':'" => ("`:` stands where it is neither key nor text".to_owned(), Some(QUOTE)),
        "did not find expected <document start>" => (
            format!("the document ends before this, and {found} follows it"),
            Some("check the indentation, and that directives (`%`) are followed by `---` and not preceded by one"),
        ),
        "did not find expected comment or line break" => (format!("{found} follows where the line must end"), None),
        "did not find expected whitespace or line break" => (format!("{found} follows where a blank must be"), None),
        "found an indentation indicator equal to 0" => ("a block's indentation cannot be 0".to_owned(), None),
        other => (other.trim_start_matches("found ").to_owned(), None),
    };
    (message, help)
}

fn shown(character: char) -> String {
    match character {
        '\n' | '\r' => "the end of the line".to_owned(),
        '\t' => "a tab".to_owned(),
        ' ' => "a blank".to_owned(),
        character if character.is_control() => format!("U+{:04X}", u32::from(character)),
        character => format!("`{character}`"),
    }
}

fn offset(index: u64, text: &str) -> usize {
    let mut offset = usize::try_from(index).unwrap_or(usize::MAX).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Rule: go-yaml v2 readerc.go, the characters that YAML 1.1 allows.
fn first_control_character(text: &str) -> usize {
    text.char_indices().find(|(_, character)| !is_allowed(*character)).map_or(0, |(offset, _)| offset)
}

fn is_allowed(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..
    )
}

fn one_character(text: &str, at: usize) -> Range<usize> {
    at..at + text[at..].chars().next().map_or(0, char::len_utf8)
}

fn line_at(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |found| found + 1);
    let end = text[at..].find('\n').map_or(text.len(), |found| at + found);
    &text[start..end]
}
