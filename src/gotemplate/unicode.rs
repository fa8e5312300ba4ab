//! Go's classes and cases of runes (package `unicode`): one rune in, one rune out.

use unicode_general_category::{GeneralCategory as Category, get_general_category as category};

pub(super) fn is_letter(rune: char) -> bool {
    use Category::{LowercaseLetter, ModifierLetter, OtherLetter, TitlecaseLetter, UppercaseLetter};
    if rune.is_ascii() {
        return rune.is_ascii_alphabetic();
    }
    matches!(category(rune), UppercaseLetter | LowercaseLetter | TitlecaseLetter | ModifierLetter | OtherLetter)
}

pub(super) fn is_digit(rune: char) -> bool {
    if rune.is_ascii() { rune.is_ascii_digit() } else { category(rune) == Category::DecimalNumber }
}

pub(super) fn is_number(rune: char) -> bool {
    use Category::{DecimalNumber, LetterNumber, OtherNumber};
    matches!(category(rune), DecimalNumber | LetterNumber | OtherNumber)
}

pub(super) fn is_punctuation(rune: char) -> bool {
    use Category::{
        ClosePunctuation, ConnectorPunctuation, DashPunctuation, FinalPunctuation, InitialPunctuation, OpenPunctuation,
        OtherPunctuation,
    };
    matches!(
        category(rune),
        ConnectorPunctuation
            | DashPunctuation
            | OpenPunctuation
            | ClosePunctuation
            | InitialPunctuation
            | FinalPunctuation
            | OtherPunctuation
    )
}

pub(super) fn is_upper(rune: char) -> bool {
    if rune.is_ascii() { rune.is_ascii_uppercase() } else { category(rune) == Category::UppercaseLetter }
}

pub(super) fn is_lower(rune: char) -> bool {
    if rune.is_ascii() { rune.is_ascii_lowercase() } else { category(rune) == Category::LowercaseLetter }
}

pub(super) fn is_title(rune: char) -> bool {
    category(rune) == Category::TitlecaseLetter
}

pub(super) fn is_space(rune: char) -> bool {
    matches!(
        rune,
        '\t' | '\n' | '\u{B}' | '\u{C}' | '\r' | ' ' | '\u{85}' | '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}'
    ) || matches!(rune, '\u{2028}' | '\u{2029}' | '\u{202F}' | '\u{205F}' | '\u{3000}')
}

/// Letters, marks, numbers, punctuation, symbols, and the ASCII space.
pub(super) fn is_print(rune: char) -> bool {
    use Category::{
        Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, SpaceSeparator, Surrogate, Unassigned,
    };
    if rune.is_ascii() {
        return (' '..='~').contains(&rune);
    }
    !matches!(
        category(rune),
        Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | SpaceSeparator | Surrogate | Unassigned
    )
}

pub(super) fn to_upper(rune: char) -> char {
    match rune {
        '\u{1F80}'..='\u{1F87}' | '\u{1F90}'..='\u{1F97}' | '\u{1FA0}'..='\u{1FA7}' => shifted(rune, 8),
        '\u{1FB3}' | '\u{1FC3}' | '\u{1FF3}' => shifted(rune, 9),
        _ => single(rune.to_uppercase(), rune),
    }
}

pub(super) fn to_lower(rune: char) -> char {
    if rune == '\u{130}' { 'i' } else { single(rune.to_lowercase(), rune) }
}

pub(super) fn to_title(rune: char) -> char {
    match rune {
        '\u{1C4}'..='\u{1C6}' => '\u{1C5}',
        '\u{1C7}'..='\u{1C9}' => '\u{1C8}',
        '\u{1CA}'..='\u{1CC}' => '\u{1CB}',
        '\u{1F1}'..='\u{1F3}' => '\u{1F2}',
        '\u{10D0}'..='\u{10FA}' | '\u{10FD}'..='\u{10FF}' => rune,
        _ => to_upper(rune),
    }
}

fn shifted(rune: char, by: u32) -> char {
    char::from_u32(u32::from(rune) + by).unwrap_or(rune)
}

/// Go maps one rune to one; what Unicode maps to several stays.
fn single(mut mapped: impl Iterator<Item = char>, rune: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(mapped), None) => mapped,
        _ => rune,
    }
}
