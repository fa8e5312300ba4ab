//! Go's strings: bytes that are usually UTF-8, and how Go reads runes from them.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

/// A Go string. It is cheap to clone, and holds any bytes: `b64dec` and `trunc` make text that is not UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Rc<[u8]>);

impl Text {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text with U+FFFD in place of what is not UTF-8.
    pub fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::borrow::Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::from("")
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.lossy(), formatter)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

/// Go's replacement for bytes that are no rune.
pub(super) const RUNE_ERROR: char = '\u{FFFD}';

/// The first rune and its width: `(U+FFFD, 1)` for a byte that starts no rune, `(U+FFFD, 0)` at the end.
pub(super) fn first_rune(bytes: &[u8]) -> (char, usize) {
    let Some(&first) = bytes.first() else { return (RUNE_ERROR, 0) };
    let width = match first {
        0..=0x7F => return (char::from(first), 1),
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return (RUNE_ERROR, 1),
    };
    let rune =
        bytes.get(..width).and_then(|bytes| std::str::from_utf8(bytes).ok()).and_then(|text| text.chars().next());
    rune.map_or((RUNE_ERROR, 1), |rune| (rune, width))
}

/// The last rune and its width, by the same rules.
pub(super) fn last_rune(bytes: &[u8]) -> (char, usize) {
    let end = bytes.len();
    for width in 1..=end.min(4) {
        let (rune, read) = first_rune(&bytes[end - width..]);
        if read == width && (rune != RUNE_ERROR || width > 1) {
            return (rune, width);
        }
    }
    (RUNE_ERROR, end.min(1))
}

/// The runes with their offsets and widths.
pub(super) fn runes(bytes: &[u8]) -> impl Iterator<Item = (usize, char, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (rune, width) = first_rune(&bytes[at..]);
        let start = at;
        at += width;
        (width > 0).then_some((start, rune, width))
    })
}

/// How many runes Go counts.
pub(super) fn rune_count(bytes: &[u8]) -> usize {
    if bytes.is_ascii() { bytes.len() } else { runes(bytes).count() }
}

/// Appends a rune as UTF-8.
pub(super) fn push_rune(bytes: &mut Vec<u8>, rune: char) {
    bytes.extend_from_slice(rune.encode_utf8(&mut [0; 4]).as_bytes());
}

/// The offset of the first occurrence.
pub(super) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return Some(0);
    }
    if wanted.len() > bytes.len() {
        return None;
    }
    let first = wanted[0];
    let last = bytes.len() - wanted.len();
    let mut from = 0;
    while from <= last {
        let at = from + bytes[from..=last].iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// The offset of the last occurrence.
pub(super) fn rfind(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    (0..=bytes.len().checked_sub(wanted.len())?).rev().find(|at| bytes[*at..].starts_with(wanted))
}

/// Puts another text in place of every occurrence, as `strings.ReplaceAll` does.
pub(super) fn replace(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    if old.is_empty() {
        for (at, _, width) in runes(bytes) {
            replaced.extend_from_slice(new);
            replaced.extend_from_slice(&bytes[at..at + width]);
        }
        replaced.extend_from_slice(new);
        return replaced;
    }
    let mut rest = bytes;
    while let Some(at) = find(rest, old) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(new);
        rest = &rest[at + old.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// Splits as `strings.SplitN` does: `None` for no parts at all (a limit of 0), a negative limit is no limit.
pub(super) fn split<'a>(bytes: &'a [u8], separator: &[u8], limit: i64) -> Option<Vec<&'a [u8]>> {
    if limit == 0 {
        return None;
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut rest = bytes;
    if separator.is_empty() {
        while !rest.is_empty() && parts.len() + 1 < limit {
            let (part, after) = rest.split_at(first_rune(rest).1);
            parts.push(part);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(rest);
        }
        return Some(parts);
    }
    while parts.len() + 1 < limit
        && let Some(at) = find(rest, separator)
    {
        parts.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    parts.push(rest);
    Some(parts)
}
