//! Regular expressions as Go's `regexp` reads them.
//!
//! In: a pattern for Go. Out: the same one for the `regex` crate, which has the same engine and almost the same syntax, both being RE2's.
//! Rewritten is what reads otherwise there: classes and `\b` are ASCII in Go, `\Q…\E` quotes, `{` that opens no count is itself, `\<`
//! and `[` in a class are themselves. What Go knows and the crate does not (`\C`, octal escapes) is an error, never another match.
//!
//! Rule: Go regexp/syntax, "Syntax"; regexp `QuoteMeta`.

use std::iter::Peekable;
use std::str::CharIndices;

use regex::Regex;

/// Compiles a pattern of Go's.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(&translated(pattern)).map_err(|error| {
        let words = error.to_string();
        let reason = words.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("invalid regular expression `{pattern}`: {reason}")
    })
}

/// A pattern that matches the text itself.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

fn translated(pattern: &str) -> String {
    let mut output = String::new();
    let mut rest = pattern.char_indices().peekable();
    let mut in_class = false;
    while let Some((index, character)) = rest.next() {
        match character {
            '\\' => escape(pattern, &mut rest, in_class, &mut output),
            '[' if in_class => class_in_class(&pattern[index..], &mut rest, &mut output),
            '[' => {
                in_class = true;
                output.push('[');
                // The first character of a class is itself, a bracket too.
                for first in ['^', ']'] {
                    if rest.next_if(|(_, next)| *next == first).is_some() {
                        output.push_str(if first == '^' { "^" } else { r"\]" });
                    }
                }
            }
            ']' if in_class => {
                in_class = false;
                output.push(']');
            }
            '&' | '~' if in_class => output.extend(['\\', character]),
            '{' if !in_class && !opens_count(&pattern[index..]) => output.push_str(r"\{"),
            other => output.push(other),
        }
    }
    output
}

fn escape(pattern: &str, rest: &mut Peekable<CharIndices<'_>>, in_class: bool, output: &mut String) {
    let Some((index, escaped)) = rest.next() else {
        output.push('\\');
        return;
    };
    match escaped {
        'd' => output.push_str("[0-9]"),
        'D' => output.push_str("[^0-9]"),
        'w' => output.push_str("[0-9A-Za-z_]"),
        'W' => output.push_str("[^0-9A-Za-z_]"),
        's' => output.push_str(r"[\t\n\f\r ]"),
        'S' => output.push_str(r"[^\t\n\f\r ]"),
        'b' if !in_class => output.push_str(r"(?-u:\b)"),
        'B' if !in_class => output.push_str(r"(?-u:\B)"),
        '<' | '>' => output.push(escaped),
        'Q' if !in_class => {
            let literal = &pattern[index + 1..];
            let end = literal.find(r"\E");
            output.push_str(&quoted(&literal[..end.unwrap_or(literal.len())]));
            let after = end.map_or(pattern.len(), |end| index + 1 + end + 2);
            while rest.next_if(|(next, _)| *next < after).is_some() {}
        }
        other => output.extend(['\\', other]),
    }
}

/// `[:alpha:]` is a class of its own, every other bracket within a class is itself.
fn class_in_class(pattern: &str, rest: &mut Peekable<CharIndices<'_>>, output: &mut String) {
    let named = pattern.strip_prefix("[:").and_then(|name| name.split_once(":]")).map(|(name, _)| name);
    match named.filter(|name| name.chars().all(|letter| letter == '^' || letter.is_ascii_lowercase())) {
        Some(name) => {
            output.extend(["[:", name, ":]"]);
            let _ = rest.nth(name.len() + 2);
        }
        None => output.push_str(r"\["),
    }
}

/// Whether a brace opens a count such as `{2}`, `{2,}` or `{2,3}`.
fn opens_count(pattern: &str) -> bool {
    let Some((count, _)) = pattern[1..].split_once('}') else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    match count.split_once(',') {
        Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
        None => is_number(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Go regexp/syntax: the classes are ASCII, and more is literal than in the crate.
    #[test]
    fn patterns_match_what_they_match_in_go() {
        for (pattern, text, expected) in [
            (r"^\d+$", "42", true),
            (r"^\d+$", "٤٢", false),
            (r"^\w+$", "straße", false),
            (r"^[\w.-]+$", "a.b-c_1", true),
            (r"^[^\d]+$", "abc", true),
            (r"^[\D]+$", "abc1", false),
            (r"\s", "\u{a0}", false),
            (r"\bshop\b", "the shop", true),
            (r"é\b", "né", false),
            (r"a\Bb", "ab", true),
            (r"^\Qa.b*\E$", "a.b*", true),
            (r"^\Qa.b*", "axb*", false),
            (r"^\$\{NAME}$", "${NAME}", true),
            ("^{name}$", "{name}", true),
            ("^a{2,3}$", "aaa", true),
            ("^a{,3}$", "a{,3}", true),
            ("^[[a]$", "[", true),
            ("^[]a]+$", "]a", true),
            ("^[^]]$", "]", false),
            ("^[a&&b]+$", "a&b", true),
            ("^[[:digit:]_]+$", "1_2", true),
            ("^[[:digit:]]+]$", "12]", true),
            (r"^\<b\>$", "<b>", true),
            ("(?i)^SHOP$", "shop", true),
            ("^.$", "é", true),
            (r"^\pL$", "é", true),
        ] {
            let compiled = compile(pattern).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(compiled.is_match(text), expected, "{pattern} {text}");
        }
        for pattern in ["(", r"\C", "[z-a]", r"(a)\1", r"\"] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn quoted_text_matches_itself_alone() {
        assert_eq!(
            quoted("a.b (c) [d] {e} f|g ^h$ i+j* k? l\\m"),
            r"a\.b \(c\) \[d\] \{e\} f\|g \^h\$ i\+j\* k\? l\\m"
        );
        assert!(compile(&quoted("é.*x")).unwrap().is_match("é.*x"));
    }
}
