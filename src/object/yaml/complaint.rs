//! What is wrong with a document's grammar, in words of our own.
//!
//! In: the library's error. Out: a [`YamlFault`] that says what a person has to look at.

use std::ops::Range;

use super::events::YamlFault;

const TABS: &str = "indent with spaces: YAML takes no tabs there";
const QUOTE: &str = "put the value in quotes";
const INDENTATION: &str = "check that this line is indented like the lines it belongs to";

/// The library's problem, our message, and what to do; `{found}` is the character at the place.
const WORDS: [(&str, &str, Option<&str>); 27] = [
    ("control characters are not allowed", "the character {found} is not allowed in YAML", None),
    ("found character that cannot start any token", "no value can start with {found}", Some(QUOTE)),
    ("found a tab character that violates indentation", "a tab is used to indent", Some(TABS)),
    ("found a tab character where an indentation space is expected", "a tab is used to indent", Some(TABS)),
    (
        "could not find expected ':'",
        "a key is not followed by `:`",
        Some("a key and its `:` stand on one line, with a blank after it"),
    ),
    (
        "mapping values are not allowed in this context",
        "a second key in one line, or a key where none can be",
        Some("check the indentation, and put text that holds `: ` in quotes"),
    ),
    ("mapping keys are not allowed in this context", "no key can stand here", Some(INDENTATION)),
    (
        "block sequence entries are not allowed in this context",
        "no list item can stand here",
        Some("a list starts on a line of its own"),
    ),
    ("did not find expected key", "a key is expected here, not {found}", Some(INDENTATION)),
    ("did not find expected '-' indicator", "a list item is expected here, not {found}", Some(INDENTATION)),
    ("did not find expected ',' or ']'", "`,` or `]` is expected here, not {found}", None),
    ("did not find expected ',' or '}'", "`,` or `}` is expected here, not {found}", None),
    ("did not find expected node content", "a value is expected here, not {found}", None),
    (
        "did not find expected alphabetic or numeric character",
        "`*` starts an alias and `&` an anchor, and no name follows it",
        Some(QUOTE),
    ),
    ("found unexpected end of stream", "a quote is opened here and never closed", None),
    ("found unexpected document indicator", "a quote is opened here and not closed in its document", None),
    (
        "found unknown escape character",
        "an escape in double quotes is not known",
        Some("write the backslash twice, or use single quotes"),
    ),
    ("found invalid Unicode character escape code", "an escape names no character", None),
    ("did not find expected hexdecimal number", "an escape is too short", None),
    ("found undefined tag handle", "a tag's handle is not defined", None),
    ("did not find expected tag URI", "a tag has no name", None),
    ("found unexpected ':'", "`:` stands where it is neither key nor text", Some(QUOTE)),
    (
        "did not find expected <document start>",
        "the document ends before this, and {found} follows",
        Some("check the indentation, and that nothing stands between directives (`%`) and their `---`"),
    ),
    ("did not find expected comment or line break", "{found} follows where the line must end", None),
    ("did not find expected whitespace or line break", "{found} follows where a blank must be", None),
    ("found an indentation indicator equal to 0", "a block's indentation cannot be 0", None),
    ("found unknown directive name", "a directive is neither `%YAML` nor `%TAG`", Some(QUOTE)),
];

/// The library's error in plain words.
pub(super) fn of(error: &libyaml_safer::Error, text: &str) -> YamlFault {
    let at = error.problem_mark().map_or_else(|| first_control_character(text), |mark| offset(mark.index, text));
    // The end is where the last content is, not behind the line breaks after it.
    let is_end = text[at..].chars().all(|character| matches!(character, '\n' | '\r' | ' '));
    let at = if is_end { text.trim_end().len() } else { at };
    let is_unclosed =
        matches!(error.problem(), "found unexpected end of stream" | "found unexpected document indicator");
    let opened = error.context_mark().filter(|_| is_unclosed).map(|mark| offset(mark.index, text));
    let (message, help) = words(error.problem(), &text[at..]);
    YamlFault {
        message,
        range: one_character(text, opened.unwrap_or(at)),
        help,
        is_unknown_escape: error.problem() == "found unknown escape character",
    }
}

/// The library panicked. What is known to do that is a tag right before a comma.
pub(super) fn of_panic(text: &str) -> YamlFault {
    let message = "the document is not valid YAML; the parser gives no details";
    let mut fault = YamlFault::new(message, one_character(text, 0));
    fault.help = Some("look for a tag (`!name`) that is not followed by a blank");
    fault
}

fn words(problem: &str, rest: &str) -> (String, Option<&'static str>) {
    if problem == "found character that cannot start any token" && rest.starts_with('\t') {
        return ("a tab is used to indent".to_owned(), Some(TABS));
    }
    let found = rest.chars().next().map_or_else(|| "the end".to_owned(), shown);
    match WORDS.iter().find(|(known, ..)| *known == problem) {
        Some((_, message, help)) => (message.replace("{found}", &found), *help),
        None => (problem.trim_start_matches("found ").to_owned(), None),
    }
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
