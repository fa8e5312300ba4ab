//! The one door for text that people did not write for a terminal: manifests, servers, repositories.
//!
//! In: any text. Out: the same text, with everything that a terminal would obey rather than show, or that would not be
//! seen at all, spelled out: `\x1b[2J`, `\u{202e}`. Line breaks and tabs count: a name with a line break must not look
//! like two lines of a report.

use std::borrow::Cow;
use std::fmt::Write;

/// Makes control characters, escape codes, directional marks and characters without width visible.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if !is_hidden(character) => shown.push(character),
            _ => {
                let code = u32::from(character);
                // Writing to a String cannot fail.
                let _ = if code < 0x100 { write!(shown, "\\x{code:02x}") } else { write!(shown, "\\u{{{code:x}}}") };
            }
        }
    }
    Cow::Owned(shown)
}

/// Whether a terminal would obey a character, or show nothing for it.
pub(in crate::report) fn is_hidden(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'        // C0, DEL, C1
        | '\u{ad}' | '\u{34f}' | '\u{61c}'              // soft hyphen, grapheme joiner, Arabic letter mark
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' // Khmer vowels, Mongolian separators
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' // zero width, separators, bidirectional overrides
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' // joiners, isolates, variation selectors
        | '\u{feff}' | '\u{fff0}'..='\u{fffb}'          // byte order mark, annotations
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' // shorthand and musical format controls
        | '\u{e0000}'..='\u{e0fff}' // tags, more variation selectors
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        for (text, expected) in [
            ("plain näme 変化 👍", "plain näme 変化 👍"),
            ("\x1b[2Jgone", "\\x1b[2Jgone"),
            ("\u{9b}31m", "\\x9b31m"),
            ("two\nlines\r\n", "two\\nlines\\r\\n"),
            ("a\tb\u{7f}\0", "a\\tb\\x7f\\x00"),
            ("user\u{202e}gpj.exe", "user\\u{202e}gpj.exe"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
            ("\u{e0041}", "\\u{e0041}"),
        ] {
            assert_eq!(visible(text), expected);
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_gets_through(text in "\\PC*|[\\x00-\\x1f\\x7f-\\x9f\u{200b}-\u{206f}a-z]*") {
            let shown = visible(&text).into_owned();
            prop_assert!(!shown.chars().any(is_hidden));
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert_eq!(visible(&shown), shown.as_str());
        }
    }
}
