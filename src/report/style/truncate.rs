//! Makes short of what is too long to be read: a value of a megabyte is one line of a report, and nobody reads it.
//!
//! In: a text, or the pieces of a line. Out: its beginning, the parts that differ, and how much is left out.

use std::borrow::Cow;

/// No more of one value is shown, in characters.
const VALUE: usize = 200;
/// No more of one line.
const LINE: usize = 800;

/// A value, or its beginning.
pub(in crate::report) fn brief(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(VALUE) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}… {} more characters", &text[..end], text[end..].chars().count())),
    }
}

/// The pieces of a line: of long ones that both sides have, the beginning and the end; of long ones that differ, the
/// beginning; and of a line of many pieces the first.
pub(in crate::report) fn brief_line(pieces: &[(bool, String)]) -> Vec<(bool, Cow<'_, str>)> {
    let length = |pieces: &[(bool, String)]| pieces.iter().map(|(_, piece)| piece.chars().count()).sum::<usize>();
    if length(pieces) <= LINE {
        return pieces.iter().map(|(differs, piece)| (*differs, Cow::Borrowed(piece.as_str()))).collect();
    }
    let mut shown = Vec::new();
    let mut left = LINE;
    for (at, (differs, piece)) in pieces.iter().enumerate() {
        let short = if *differs || pieces.len() == 1 { brief(piece) } else { ends_of(piece) };
        let count = short.chars().count();
        if count > left {
            shown.push((false, Cow::Owned(format!("… {} more characters", length(&pieces[at..])))));
            break;
        }
        left -= count;
        shown.push((*differs, short));
    }
    shown
}

/// The beginning and the end of a text.
fn ends_of(text: &str) -> Cow<'_, str> {
    let count = text.chars().count();
    if count <= VALUE {
        return Cow::Borrowed(text);
    }
    let half = VALUE / 4;
    let place = |number: usize| text.char_indices().nth(number).map_or(text.len(), |(place, _)| place);
    Cow::Owned(format!("{}…{}", &text[..place(half)], &text[place(count - half)..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(pieces: &[(bool, &str)]) -> Vec<(bool, String)> {
        pieces.iter().map(|(differs, piece)| (*differs, (*piece).to_owned())).collect()
    }

    #[test]
    fn what_fits_is_shown_as_it_is() {
        assert_eq!(brief("short"), "short");
        let pieces = line(&[(false, "image: web:"), (true, "1")]);
        let shown: Vec<_> =
            brief_line(&pieces).into_iter().map(|(differs, piece)| (differs, piece.into_owned())).collect();
        assert_eq!(shown, pieces);
    }

    #[test]
    fn a_long_value_is_its_beginning_and_how_much_more_there_is() {
        assert_eq!(brief(&"ä".repeat(500)), format!("{}… 300 more characters", "ä".repeat(200)));
    }

    /// One letter of half a megabyte differs: that letter is what is looked for.
    #[test]
    fn the_part_that_differs_is_shown_wherever_it_stands() {
        let long = "a".repeat(250_000);
        let pieces = line(&[(false, &long), (true, "b"), (false, &long)]);
        let shown = brief_line(&pieces);
        let ends = format!("{}…{}", "a".repeat(50), "a".repeat(50));
        assert_eq!(shown, [(false, ends.as_str().into()), (true, "b".into()), (false, ends.as_str().into())]);
    }

    #[test]
    fn a_line_of_many_pieces_ends_somewhere() {
        let pieces: Vec<(bool, String)> = (0..10_000).map(|number| (number % 2 == 0, "word ".to_owned())).collect();
        let shown = brief_line(&pieces);
        assert!(shown.iter().map(|(_, piece)| piece.chars().count()).sum::<usize>() < 1_000);
        assert_eq!(shown.last().unwrap().1, "… 49200 more characters");
    }
}
