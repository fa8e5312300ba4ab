//! Text that people did not write for markdown, made harmless in it: no markup, no mention, no link, no HTML, no end of a table or of
//! a fence.
//!
//! Rules: the GitHub Flavored Markdown specification, "Code spans" and "Fenced code blocks".

use std::fmt::Write;

use crate::report::style::escape::visible;

/// So much of one line is shown, in characters.
const LINE_LIMIT: usize = 1000;

/// Text between fences longer than any run of backticks in it.
pub(in crate::report) fn fence_text(language: &str, text: &str, body: &mut String) {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    // Writing to a String cannot fail.
    let _ = write!(body, "\n{fence}{language}\n{text}{fence}\n");
}

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

/// As much of a line as is shown.
pub(in crate::report) fn cut(line: &str) -> &str {
    line.char_indices().nth(LINE_LIMIT).map_or(line, |(end, _)| &line[..end])
}

/// Any text as a code span, for paragraphs and lists: readable raw and rendered, and never markup. It holds no line break, and
/// its fence is longer than any run of backticks in it.
///
/// Rule: GitHub Flavored Markdown, "Code spans".
pub(in crate::report) fn span(text: &str) -> String {
    let shown = visible(text);
    if shown.trim_matches(' ').is_empty() {
        return "`␣`".to_owned();
    }
    let fence = "`".repeat(longest_run(&shown) + 1);
    let padding = if shown.starts_with(['`', ' ']) || shown.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{padding}{shown}{padding}{fence}")
}

/// Any text as a code span in a table: a bar would end the cell, in code, too.
///
/// Rule: GitHub Flavored Markdown, "Tables (extension)".
pub(in crate::report) fn cell(text: &str) -> String {
    span(text).replace('|', "\\|")
}

/// Any text as code in HTML, where the rules of backticks bend; GitHub looks for no mentions in it. Punctuation
/// is written as character references, which markdown never takes for markup, and a comment keeps `@` from joining an address.
pub(in crate::report) fn code(text: &str) -> String {
    let mut escaped = String::from("<code>");
    // What GitHub makes a link of without markup.
    let may_link = ["://", "www.", "@", "mailto:", "xmpp:"].iter().any(|sign| text.contains(sign));
    for character in visible(text).chars() {
        match character {
            '@' => escaped.push_str("&#64;<!-- -->"),
            ' ' | '-' | '/' => escaped.push(character),
            '.' | ':' if !may_link => escaped.push(character),
            _ if character.is_ascii_punctuation() => {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped.push_str("</code>");
    escaped
}
