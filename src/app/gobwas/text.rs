//! Bytes read as Go reads them: character by character, an invalid byte as U+FFFD.

/// What Go makes of a byte that begins no character.
const RUNE_ERROR: char = '\u{FFFD}';

/// The first character and its width; U+FFFD and 0 at the end.
pub(super) fn decode(bytes: &[u8]) -> (char, usize) {
    match bytes.first() {
        None => (RUNE_ERROR, 0),
        Some(byte) if byte.is_ascii() => (char::from(*byte), 1),
        Some(_) => {
            let of_width = |width| {
                let text = std::str::from_utf8(bytes.get(..width)?).ok()?;
                text.chars().next().map(|character| (character, width))
            };
            (2..=4).find_map(of_width).unwrap_or((RUNE_ERROR, 1))
        }
    }
}

/// Every character with its position, as `range` gives them.
pub(super) fn characters(bytes: &[u8]) -> impl Iterator<Item = (usize, char)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (character, width) = decode(&bytes[at..]);
        let start = at;
        at += width;
        (width > 0).then_some((start, character))
    })
}

/// Where a text stands first.
pub(super) fn index(text: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return Some(0);
    }
    text.windows(needle.len()).position(|window| window == needle)
}

/// Where a text stands last.
pub(super) fn last_index(text: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return Some(text.len());
    }
    text.windows(needle.len()).rposition(|window| window == needle)
}

/// Where the first of some characters that occurs at all stands first.
pub(super) fn index_of_any(text: &[u8], any: &[char]) -> Option<usize> {
    any.iter().find_map(|wanted| characters(text).find(|(_, found)| found == wanted).map(|(at, _)| at))
}

/// Where the first of some characters that occurs at all stands last.
pub(super) fn last_index_of_any(text: &[u8], any: &[char]) -> Option<usize> {
    any.iter().find_map(|wanted| characters(text).filter(|(_, found)| found == wanted).last().map(|(at, _)| at))
}
