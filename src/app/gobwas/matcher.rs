//! What a pattern was made into, and what each part matches.

use super::text::{characters, decode, index, index_of_any, last_index, last_index_of_any};

/// The library panics on a few texts where an empty choice stands in a row, as in `a{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlobPanic;

type Result<T> = std::result::Result<T, GlobPanic>;

/// A matcher of a whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Matcher {
    Any(Vec<char>),
    AnyOf(Vec<Matcher>),
    Tree(Tree),
    Contains { needle: String, not: bool },
    EveryOf(Vec<Matcher>),
    List { list: Vec<char>, not: bool },
    Max(usize),
    Min(usize),
    Nothing,
    Prefix(String),
    PrefixAny { prefix: String, separators: Vec<char> },
    PrefixSuffix { prefix: String, suffix: String },
    Range { low: char, high: char, not: bool },
    Row { length: usize, matchers: Vec<Matcher> },
    Single(Vec<char>),
    Suffix(String),
    SuffixAny { suffix: String, separators: Vec<char> },
    Super,
    Text(String),
}

/// A part that is looked for, and what stands at both its sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) value: Box<Matcher>,
    pub(super) left: Option<Box<Matcher>>,
    pub(super) right: Option<Box<Matcher>>,
    /// Nothing where one of the parts has no length of its own.
    left_length: Option<usize>,
    right_length: Option<usize>,
    length: Option<usize>,
}

impl Tree {
    pub(super) fn new(value: Matcher, left: Option<Box<Matcher>>, right: Option<Box<Matcher>>) -> Self {
        let length = |side: &Option<Box<Matcher>>| side.as_ref().map_or(Some(0), |side| side.length());
        let (left_length, right_length) = (length(&left), length(&right));
        let whole = value.length().zip(left_length).zip(right_length);
        let length = whole.map(|((value, left), right)| value + left + right);
        Self { value: Box::new(value), left, right, left_length, right_length, length }
    }

    fn matches(&self, text: &[u8]) -> Result<bool> {
        if self.length.is_some_and(|length| length > text.len()) {
            return Ok(false);
        }
        let side = |side: &Option<Box<Matcher>>, text: &[u8]| match side {
            Some(side) => side.matches(text),
            None => Ok(text.is_empty()),
        };
        let mut offset = self.left_length.unwrap_or(0);
        // Below zero in the library, which then does not look at all.
        let limit = text.len().saturating_sub(self.right_length.unwrap_or(0));
        while offset < limit {
            let Some((at, segments)) = self.value.index(&text[offset..limit])? else { return Ok(false) };
            if side(&self.left, &text[..offset + at])? {
                for length in segments.iter().rev() {
                    let rest = text.get(offset + at + length..).unwrap_or_default();
                    if side(&self.right, rest)? {
                        return Ok(true);
                    }
                }
            }
            offset += at + decode(&text[offset + at..]).1;
        }
        Ok(false)
    }
}

/// A position, and how long what stands there may be.
type Found = Option<(usize, Vec<usize>)>;

impl Matcher {
    /// How many characters it takes, where that is known.
    ///
    /// Quirk: of a choice, an alternative without a length does not count when it stands first.
    pub(super) fn length(&self) -> Option<usize> {
        match self {
            Self::Text(text) => Some(text.chars().count()),
            Self::List { .. } | Self::Range { .. } | Self::Single(_) => Some(1),
            Self::Nothing => Some(0),
            Self::Row { length, .. } => Some(*length),
            Self::Tree(tree) => tree.length,
            Self::AnyOf(matchers) => {
                let mut length = None;
                for own in matchers.iter().map(Self::length) {
                    match (length, own) {
                        (None, own) => length = own,
                        (Some(known), Some(own)) if known == own => {}
                        _ => return None,
                    }
                }
                length
            }
            Self::EveryOf(matchers) => matchers.is_empty().then_some(0),
            _ => None,
        }
    }

    pub(super) fn matches(&self, text: &[u8]) -> Result<bool> {
        Ok(match self {
            Self::Any(separators) => index_of_any(text, separators).is_none(),
            Self::AnyOf(matchers) => return any(matchers, text),
            Self::Tree(tree) => return tree.matches(text),
            Self::Contains { needle, not } => index(text, needle.as_bytes()).is_some() != *not,
            Self::EveryOf(matchers) => {
                for matcher in matchers {
                    if !matcher.matches(text)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Max(limit) => characters(text).take(limit + 1).count() <= *limit,
            Self::Min(limit) => {
                let count = characters(text).take(*limit).count();
                count > 0 && count >= *limit
            }
            Self::Nothing => text.is_empty(),
            Self::Prefix(prefix) => text.starts_with(prefix.as_bytes()),
            Self::PrefixAny { prefix, separators } => {
                let rest = text.strip_prefix(prefix.as_bytes());
                rest.is_some_and(|rest| index_of_any(rest, separators).is_none())
            }
            Self::PrefixSuffix { prefix, suffix } => {
                text.starts_with(prefix.as_bytes()) && text.ends_with(suffix.as_bytes())
            }
            Self::List { .. } | Self::Range { .. } | Self::Single(_) => {
                let (character, width) = decode(text);
                text.len() <= width && self.takes(character)
            }
            Self::Row { length, matchers } => {
                return Ok(characters(text).take(length + 1).count() == *length && row(matchers, text)?);
            }
            Self::Suffix(suffix) => text.ends_with(suffix.as_bytes()),
            Self::SuffixAny { suffix, separators } => {
                let rest = text.strip_suffix(suffix.as_bytes());
                rest.is_some_and(|rest| index_of_any(rest, separators).is_none())
            }
            Self::Super => true,
            Self::Text(own) => own.as_bytes() == text,
        })
    }

    /// Whether a matcher of one character takes this one.
    fn takes(&self, character: char) -> bool {
        match self {
            Self::List { list, not } => list.contains(&character) != *not,
            Self::Range { low, high, not } => (*low..=*high).contains(&character) != *not,
            Self::Single(separators) => !separators.contains(&character),
            _ => false,
        }
    }

    /// Where it stands first, and how long it may be there.
    fn index(&self, text: &[u8]) -> Result<Found> {
        Ok(match self {
            Self::Any(separators) => {
                let end = index_of_any(text, separators);
                Some((0, lengths(&text[..end.unwrap_or(text.len())], 0)))
            }
            Self::AnyOf(matchers) => return first_of(matchers, text),
            Self::Tree(_) => None,
            Self::Contains { needle, not } => contains(text, needle, *not),
            Self::EveryOf(matchers) => return in_all(matchers, text),
            Self::Max(limit) => {
                let ends = characters(text).take(*limit).map(|(at, character)| at + character.len_utf8());
                Some((0, std::iter::once(0).chain(ends).collect()))
            }
            Self::Min(limit) => {
                let ends = characters(text).map(|(at, character)| at + character.len_utf8());
                let ends: Vec<usize> = ends.skip(limit.saturating_sub(1)).collect();
                (!ends.is_empty() && text.len() + 1 > *limit).then_some((0, ends))
            }
            Self::Nothing => Some((0, vec![0])),
            Self::Prefix(prefix) => {
                index(text, prefix.as_bytes()).map(|at| (at, ends(&text[at + prefix.len()..], prefix.len())))
            }
            Self::PrefixAny { prefix, separators } => index(text, prefix.as_bytes()).map(|at| {
                let rest = &text[at + prefix.len()..];
                let end = index_of_any(rest, separators).unwrap_or(rest.len());
                (at, ends(&rest[..end], prefix.len()))
            }),
            Self::PrefixSuffix { prefix, suffix } => prefix_suffix(text, prefix.as_bytes(), suffix.as_bytes()),
            Self::List { .. } | Self::Range { .. } | Self::Single(_) => characters(text)
                .find(|(_, character)| self.takes(*character))
                .map(|(at, character)| (at, vec![character.len_utf8()])),
            Self::Row { length, matchers } => {
                for (at, _) in characters(text) {
                    if text.len() - at < *length {
                        break;
                    }
                    if row(matchers, &text[at..])? {
                        // Quirk: characters are taken for bytes.
                        return Ok(Some((at, vec![*length])));
                    }
                }
                None
            }
            Self::Suffix(suffix) => index(text, suffix.as_bytes()).map(|at| (0, vec![at + suffix.len()])),
            Self::SuffixAny { suffix, separators } => index(text, suffix.as_bytes()).map(|at| {
                let start = last_index_of_any(&text[..at], separators).map_or(0, |separator| separator + 1);
                (start, vec![at + suffix.len() - start])
            }),
            Self::Super => Some((0, lengths(text, 0))),
            Self::Text(own) => index(text, own.as_bytes()).map(|at| (at, vec![own.len()])),
        })
    }
}

/// The length before each character, and that of the whole.
fn lengths(text: &[u8], offset: usize) -> Vec<usize> {
    characters(text).map(|(at, _)| at).chain([text.len()]).map(|at| offset + at).collect()
}

/// Nothing more, and the length after each character.
fn ends(text: &[u8], offset: usize) -> Vec<usize> {
    let ends = characters(text).map(|(at, character)| at + character.len_utf8());
    std::iter::once(0).chain(ends).map(|end| offset + end).collect()
}

fn any(matchers: &[Matcher], text: &[u8]) -> Result<bool> {
    for matcher in matchers {
        if matcher.matches(text)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn row(matchers: &[Matcher], text: &[u8]) -> Result<bool> {
    let mut from = 0;
    for matcher in matchers {
        let length = matcher.length().unwrap_or(0);
        let (mut last, mut count) = (0, 0);
        for (at, _) in characters(&text[from..]) {
            last = at;
            count += 1;
            if count == length {
                break;
            }
        }
        if count < length {
            return Ok(false);
        }
        let piece = text.get(from..=from + last).ok_or(GlobPanic)?;
        if !matcher.matches(piece)? {
            return Ok(false);
        }
        from += last + 1;
    }
    Ok(true)
}

fn first_of(matchers: &[Matcher], text: &[u8]) -> Result<Found> {
    let mut found: Found = None;
    for matcher in matchers {
        let Some((at, segments)) = matcher.index(text)? else { continue };
        match &mut found {
            Some((first, _)) if at > *first => {}
            Some((first, known)) if at == *first => {
                known.extend(segments);
                known.sort_unstable();
                known.dedup();
            }
            _ => found = Some((at, segments)),
        }
    }
    Ok(found)
}

fn contains(text: &[u8], needle: &str, not: bool) -> Found {
    let at = index(text, needle.as_bytes());
    match (not, at) {
        (false, None) => None,
        (false, Some(at)) => {
            let offset = at + needle.len();
            if text.len() <= offset {
                return Some((0, vec![offset]));
            }
            Some((0, lengths(&text[offset..], offset)))
        }
        (true, at) => Some((0, lengths(&text[..at.unwrap_or(text.len())], 0))),
    }
}

fn in_all(matchers: &[Matcher], text: &[u8]) -> Result<Found> {
    let (mut found, mut offset) = (0, 0);
    let mut current: Vec<usize> = Vec::new();
    let mut rest = text;
    for (number, matcher) in matchers.iter().enumerate() {
        let Some((at, segments)) = matcher.index(rest)? else { return Ok(None) };
        if number == 0 {
            current = segments;
        } else {
            // How far the ends that were found before are from those of this one.
            let before = |end: usize| (end + found).checked_sub(at + offset);
            current = current
                .iter()
                .filter_map(|end| before(*end))
                .flat_map(|end| segments.iter().copied().filter(move |own| *own == end))
                .collect();
            if current.is_empty() {
                return Ok(None);
            }
        }
        found = at + offset;
        rest = text.get(found..).ok_or(GlobPanic)?;
        offset += at;
    }
    Ok(Some((found, current)))
}

fn prefix_suffix(text: &[u8], prefix: &[u8], suffix: &[u8]) -> Found {
    let at = index(text, prefix)?;
    if suffix.is_empty() {
        return Some((at, vec![text.len() - at]));
    }
    let mut segments = Vec::new();
    let mut rest = &text[at..];
    while let Some(end) = last_index(rest, suffix) {
        segments.push(end + suffix.len());
        rest = &rest[..end];
    }
    segments.reverse();
    (!segments.is_empty()).then_some((at, segments))
}
