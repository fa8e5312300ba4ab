//! Cases and line breaks: `Masterminds/goutils` and `huandu/xstrings`.

use super::super::convert::size;
use super::super::text::{RUNE_ERROR, find, first_rune, push_rune, rfind, runes};
use super::super::unicode::{
    is_letter, is_lower, is_number, is_punctuation, is_space, is_title, is_upper, to_lower, to_title, to_upper,
};

/// The first letter of each word in lower case.
pub(super) fn uncapitalize(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut is_start = true;
    for (_, rune, _) in runes(bytes) {
        let is_gap = is_space(rune);
        push_rune(&mut text, if is_start && !is_gap { to_lower(rune) } else { rune });
        is_start = is_gap;
    }
    text
}

pub(super) fn swap_case(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut is_start = true;
    for (_, rune, _) in runes(bytes) {
        let swapped = if is_upper(rune) || is_title(rune) {
            is_start = false;
            to_lower(rune)
        } else if is_lower(rune) {
            if std::mem::take(&mut is_start) { to_title(rune) } else { to_upper(rune) }
        } else {
            is_start = is_space(rune);
            rune
        };
        push_rune(&mut text, swapped);
    }
    text
}

pub(super) fn wrap(text: &[u8], width: i64, newline: &[u8], breaks_words: bool) -> Vec<u8> {
    let newline = if newline.is_empty() { b"\n" } else { newline };
    let width = size(width.max(1));
    let mut wrapped = Vec::new();
    let mut rest = text;
    while rest.len() > width {
        if rest[0] == b' ' {
            rest = &rest[1..];
            continue;
        }
        let space = rfind(&rest[..=width], b" ");
        let (line, skipped) = match space {
            Some(space) => (space, 1),
            None if breaks_words => (width, 0),
            None => match find(&rest[width..], b" ") {
                Some(space) => (width + space, 1),
                None => break,
            },
        };
        wrapped.extend_from_slice(&rest[..line]);
        wrapped.extend_from_slice(newline);
        rest = &rest[line + skipped..];
    }
    wrapped.extend_from_slice(rest);
    wrapped
}

fn is_connector(rune: char) -> bool {
    rune == '-' || rune == '_' || is_space(rune)
}

/// `xstrings.ToPascalCase`.
pub(super) fn camel_case(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut all = runes(bytes).map(|(_, rune, _)| rune).peekable();
    let mut current = None;
    let mut is_first_upper = false;
    let mut last_connector = None;
    for rune in all.by_ref() {
        if !is_connector(rune) {
            is_first_upper = is_upper(rune);
            current = Some(to_upper(rune));
            break;
        }
        push_rune(&mut text, rune);
        last_connector = Some(rune);
    }
    // Go writes the last rune again when nothing follows.
    let Some(mut current) = current else {
        if let Some(rune) = last_connector {
            push_rune(&mut text, rune);
        }
        return text;
    };
    for rune in all {
        let before = std::mem::replace(&mut current, rune);
        if is_connector(current) && is_connector(before) {
            push_rune(&mut text, before);
            continue;
        }
        if is_connector(before) {
            is_first_upper = is_upper(current);
            current = to_upper(current);
        } else {
            if is_first_upper {
                if is_upper(current) {
                    current = to_lower(current);
                } else {
                    is_first_upper = false;
                }
            }
            push_rune(&mut text, before);
        }
    }
    push_rune(&mut text, current);
    text
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Invalid,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

/// `xstrings` calls these letters: neither connectors, numbers nor punctuation, and with a case or from an alphabet.
fn is_alphabet(rune: char) -> bool {
    if !is_letter(rune) {
        return false;
    }
    // Han, Hiragana, Katakana and Hangul are words of their own.
    !matches!(u32::from(rune), 0x3034..=0x30FF | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0x2_0000..=0x3_134F)
}

/// The next rune that is valid, and how many bytes it and the invalid ones before it take.
fn next_valid(bytes: &[u8], before: char) -> (char, usize) {
    let mut size = 0;
    while size < bytes.len() {
        let (rune, width) = first_rune(&bytes[size..]);
        size += width;
        if rune != RUNE_ERROR {
            return (rune, size);
        }
    }
    (before, size)
}

/// How far runes of one class reach, from an offset on.
fn run_of(bytes: &[u8], mut at: usize, first: char, is_of: impl Fn(char) -> bool) -> usize {
    let mut rune = first;
    while at < bytes.len() {
        let (next, width) = next_valid(&bytes[at..], rune);
        if !is_of(next) {
            break;
        }
        rune = next;
        at += width;
    }
    at
}

fn next_word(bytes: &[u8]) -> (Word, &[u8], &[u8]) {
    if bytes.is_empty() {
        return (Word::Invalid, bytes, bytes);
    }
    let (rune, width) = next_valid(bytes, RUNE_ERROR);
    let (word, end) = if rune == RUNE_ERROR {
        (Word::Invalid, width)
    } else if is_connector(rune) {
        (Word::Connector, run_of(bytes, width, rune, is_connector))
    } else if is_punctuation(rune) {
        (Word::Punctuation, run_of(bytes, width, rune, is_punctuation))
    } else if is_upper(rune) {
        (Word::Upper, upper_word(bytes, width, rune))
    } else if is_alphabet(rune) {
        (Word::Alphabet, run_of(bytes, width, rune, |rune| is_alphabet(rune) && !is_upper(rune)))
    } else if is_number(rune) {
        (Word::Number, run_of(bytes, width, rune, is_number))
    } else {
        let is_other = |rune| !(is_connector(rune) || is_alphabet(rune) || is_number(rune) || is_punctuation(rune));
        (Word::Other, run_of(bytes, width, rune, is_other))
    };
    (word, &bytes[..end], &bytes[end..])
}

/// `HTTPStatus` is `HTTP` and `Status`.
fn upper_word(bytes: &[u8], at: usize, first: char) -> usize {
    if at >= bytes.len() {
        return at;
    }
    let (second, width) = next_valid(&bytes[at..], first);
    if is_upper(second) {
        let mut end = at + width;
        let mut last = width;
        let mut rune = second;
        while end < bytes.len() {
            let (next, width) = next_valid(&bytes[end..], rune);
            rune = next;
            if !is_upper(next) {
                break;
            }
            last = width;
            end += width;
        }
        return if end < bytes.len() && is_alphabet(rune) { end - last } else { end };
    }
    if is_alphabet(second) {
        return run_of(bytes, at, first, |rune| is_alphabet(rune) && !is_upper(rune));
    }
    at
}

fn write_lower(text: &mut Vec<u8>, word: Word, bytes: &[u8], connector: char) {
    if !matches!(word, Word::Upper | Word::Connector) {
        text.extend_from_slice(bytes);
        return;
    }
    for (_, rune, _) in runes(bytes) {
        push_rune(text, if is_connector(rune) { connector } else { to_lower(rune) });
    }
}

/// `xstrings.ToSnakeCase` and `ToKebabCase`.
pub(super) fn hyphenated(bytes: &[u8], connector: char) -> Vec<u8> {
    let mut text = Vec::new();
    let (mut word, mut part, mut rest) = next_word(bytes);
    while !rest.is_empty() {
        if word != Word::Connector {
            write_lower(&mut text, word, part, connector);
        }
        let (before, last) = (word, part);
        (word, part, rest) = next_word(rest);
        match before {
            Word::Number => {
                while matches!(word, Word::Alphabet | Word::Number) {
                    write_lower(&mut text, word, part, connector);
                    (word, part, rest) = next_word(rest);
                }
                if !matches!(word, Word::Invalid | Word::Punctuation | Word::Connector) {
                    push_rune(&mut text, connector);
                }
            }
            Word::Connector => write_lower(&mut text, before, last, connector),
            Word::Punctuation => {}
            _ if word != Word::Number => {
                if !matches!(word, Word::Connector | Word::Punctuation) {
                    push_rune(&mut text, connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = part;
                (word, part, rest) = next_word(rest);
                if word != Word::Alphabet {
                    write_lower(&mut text, Word::Number, number, connector);
                    if !matches!(word, Word::Connector | Word::Punctuation) {
                        push_rune(&mut text, connector);
                    }
                    continue;
                }
                push_rune(&mut text, connector);
                write_lower(&mut text, Word::Number, number, connector);
                while matches!(word, Word::Alphabet | Word::Number) {
                    write_lower(&mut text, word, part, connector);
                    (word, part, rest) = next_word(rest);
                }
                if !matches!(word, Word::Invalid | Word::Punctuation | Word::Connector) {
                    push_rune(&mut text, connector);
                }
            }
        }
    }
    write_lower(&mut text, word, part, connector);
    text
}
