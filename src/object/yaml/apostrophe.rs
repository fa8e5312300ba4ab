//! The escape `\'`, which go-yaml v2 takes in double quotes and libyaml does not.
//!
//! Where libyaml stops at one, a character that stands nowhere else in the text takes its place, of the same length so
//! that every position holds, and the document is read again. The composer turns it back.
//!
//! Rule: go-yaml v2 scannerc.go `yaml_parser_scan_flow_scalar`.

/// Reading again costs the whole document each time; beyond so many bytes the escape is an error.
const MOST_BYTES_READ_AGAIN: usize = 64 << 20;

/// A text whose escapes are replaced as they are found.
pub(super) struct Replaced {
    pub(super) text: String,
    /// The stand-in for the escape: two bytes in UTF-8, as it has.
    pub(super) stand_in: char,
    read_again: usize,
}

impl Replaced {
    /// Nothing if every character that could stand in is in use.
    pub(super) fn new(text: &str) -> Option<Self> {
        // Letters of N'Ko and Thaana, and code points around them, that manifests are unlikely to hold.
        let stand_in = ('\u{7B2}'..='\u{7FF}').rev().find(|candidate| !text.contains(*candidate))?;
        Some(Self { text: text.to_owned(), stand_in, read_again: 0 })
    }

    /// Replaces the escapes from `at`, which is one, to the end of its quotes; false if enough has been read again.
    pub(super) fn replace_from(&mut self, at: usize) -> bool {
        self.read_again += self.text.len();
        if self.read_again > MOST_BYTES_READ_AGAIN {
            return false;
        }
        let mut replaced = String::with_capacity(self.text.len());
        replaced.push_str(&self.text[..at]);
        let mut rest = &self.text[at..];
        while let Some(found) = rest.find(['\\', '"']) {
            replaced.push_str(&rest[..found]);
            rest = &rest[found..];
            if let Some(after) = rest.strip_prefix("\\'") {
                replaced.push(self.stand_in);
                rest = after;
            } else if rest.starts_with('"') {
                break;
            } else {
                // A backslash and what it escapes, which may be a quote.
                let length = rest.chars().take(2).map(char::len_utf8).sum();
                replaced.push_str(&rest[..length]);
                rest = &rest[length..];
            }
        }
        replaced.push_str(rest);
        self.text = replaced;
        true
    }
}
