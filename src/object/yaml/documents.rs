//! A stream of text, cut into its documents.
//!
//! Rule: apimachinery pkg/util/yaml/decoder.go `YAMLReader`: a line that starts with `---` ends the document before it;
//! only blanks and a comment may follow on that line. A `---` with nothing before it stays with what follows it.

/// One piece of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// A document, from one byte to before another; it may hold nothing but comments.
    Document(usize, usize),
    /// A line that starts with `---` and goes on with text.
    BadSeparator(usize, usize),
}

pub(super) fn pieces(text: &str) -> StreamPieces<'_> {
    StreamPieces { text, start: 0, bad: None }
}

/// The pieces of a stream, in order.
pub(super) struct StreamPieces<'text> {
    text: &'text str,
    start: usize,
    bad: Option<(usize, usize)>,
}

impl Iterator for StreamPieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        if let Some((start, end)) = self.bad.take() {
            return Some(Piece::BadSeparator(start, end));
        }
        let start = self.start;
        let mut search = start;
        while let Some(line) = separator(self.text, search) {
            let end = end_of_line(self.text, line);
            search = end;
            let after = self.text[line + 3..end].trim();
            let is_bad = !after.is_empty() && !after.starts_with('#');
            if is_bad {
                self.start = end;
                if line == start {
                    return Some(Piece::BadSeparator(line, end));
                }
                self.bad = Some((line, end));
                return Some(Piece::Document(start, line));
            }
            if line > start {
                self.start = end;
                return Some(Piece::Document(start, line));
            }
        }
        self.start = self.text.len();
        (start < self.text.len()).then_some(Piece::Document(start, self.text.len()))
    }
}

/// The next line at or after `from`, itself the start of a line, that starts with `---`.
fn separator(text: &str, from: usize) -> Option<usize> {
    if text[from..].starts_with("---") {
        return Some(from);
    }
    text[from..].find("\n---").map(|found| from + found + 1)
}

fn end_of_line(text: &str, start: usize) -> usize {
    text[start..].find('\n').map_or(text.len(), |found| start + found + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<String> {
        pieces(text)
            .map(|piece| match piece {
                Piece::Document(start, end) => text[start..end].to_owned(),
                Piece::BadSeparator(start, end) => format!("bad {}", &text[start..end]),
            })
            .collect()
    }

    #[test]
    fn documents_are_cut_at_lines_that_start_with_three_dashes() {
        for (text, documents) in [
            ("", vec![]),
            ("a", vec!["a"]),
            ("a\n", vec!["a\n"]),
            ("a\n---\nb", vec!["a\n", "b"]),
            ("---\na\n---\nb\n", vec!["---\na\n", "b\n"]),
            ("a\n---\n---\nb\n", vec!["a\n", "---\nb\n"]),
            ("a\n---", vec!["a\n"]),
            ("a\r\n--- # two\r\nb\r\n", vec!["a\r\n", "b\r\n"]),
            ("a: |\n  x\n  ---\n  y\n", vec!["a: |\n  x\n  ---\n  y\n"]),
            ("a\n--- b\nc\n", vec!["a\n", "bad --- b\n", "c\n"]),
            ("a\n----\n--- |\n", vec!["a\n", "bad ----\n", "bad --- |\n"]),
            ("%YAML 1.1\n---\na\n", vec!["%YAML 1.1\n", "a\n"]),
        ] {
            assert_eq!(cut(text), documents, "{text:?}");
        }
    }
}
