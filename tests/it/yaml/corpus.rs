//! Texts to read: hand-made cases, documents in the manner of public repositories, and mutations of both.

use serde_json::Value;

use super::oracle::Case;

/// Files as people write them, split into their documents by the test.
const FILES: [(&str, &str); 7] = [
    ("access", include_str!("corpus/access.yaml")),
    ("broken", include_str!("corpus/broken.yaml")),
    ("configuration", include_str!("corpus/configuration.yaml")),
    ("extensions", include_str!("corpus/extensions.yaml")),
    ("layout", include_str!("corpus/layout.yaml")),
    ("values", include_str!("corpus/values.yaml")),
    ("workloads", include_str!("corpus/workloads.yaml")),
];

/// Scalars that readers of YAML disagree about.
const SCALARS: [&str; 96] = [
    "y",
    "Y",
    "yes",
    "Yes",
    "YES",
    "yEs",
    "n",
    "N",
    "no",
    "No",
    "NO",
    "on",
    "On",
    "ON",
    "off",
    "Off",
    "OFF",
    "true",
    "True",
    "TRUE",
    "tRue",
    "false",
    "False",
    "FALSE",
    "~",
    "null",
    "Null",
    "NULL",
    "nULL",
    "''",
    "\"\"",
    "0",
    "-0",
    "+0",
    "00",
    "-00",
    "017",
    "0o17",
    "0O17",
    "08",
    "0x1F",
    "0X1f",
    "-0x1F",
    "+0x1F",
    "0x",
    "0b101",
    "-0b101",
    "0b-11",
    "0B1",
    "0b2",
    "1_000",
    "_1",
    "1_",
    "0x_1",
    "1e3",
    "1E3",
    "1e+3",
    "1e-3",
    "1e",
    "e1",
    "1.0",
    "-1.5",
    ".5",
    "+.5",
    "-.5",
    "5.",
    ".5_1",
    "._5",
    ".",
    "..",
    "...a",
    "1.2.3",
    "1_0.5",
    "12:30",
    "1:2:3",
    "190:20:30.15",
    "2001-12-14",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10",
    ".inf",
    "-.Inf",
    "+.INF",
    ".nan",
    ".NaN",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "1e400",
    "1234567890123456789.0",
    "=",
    "<<",
    "-",
    "?x",
    "a:b",
    "a#b",
];

/// Places that a scalar can stand in.
const PLACES: [&str; 11] = [
    "a: {}\n",
    "{}: a\n",
    "- {}\n",
    "[{}]\n",
    "{a: {}}\n",
    "{{}: a}\n",
    "a: !!str {}\n",
    "a: !!int {}\n",
    "a: !!float {}\n",
    "a: &x {}\nb: *x\n*x : c\n",
    "a: ! {}\n",
];

/// The hand-made cases, as a JSON list of `{"n": name, "y": text}`.
pub(crate) fn cases() -> Vec<Case> {
    let cases: Vec<Value> = serde_json::from_str(include_str!("cases.json")).expect("the cases are JSON");
    cases.iter().map(|case| Case::new(text_of(case, "n"), text_of(case, "y"))).collect()
}

fn text_of<'case>(case: &'case Value, field: &str) -> &'case str {
    case[field].as_str().expect("a text")
}

/// The documents of the files, each alone.
pub(crate) fn documents() -> Vec<Case> {
    let documents = FILES.iter().flat_map(|(file, text)| {
        text.split("\n---\n")
            .enumerate()
            .map(move |(index, text)| Case::new(format!("{file}#{index}"), format!("{text}\n")))
    });
    documents.collect()
}

/// Each file as a stream of documents.
pub(crate) fn files() -> Vec<Case> {
    FILES.iter().map(|(file, text)| Case::new(*file, *text)).collect()
}

/// Every scalar in every place.
pub(crate) fn scalars() -> Vec<Case> {
    let scalars = PLACES.iter().flat_map(|place| {
        SCALARS.iter().map(move |scalar| {
            // The last braces are the place's; those before them are flow maps.
            let text = place.replacen("{}", scalar, 1);
            Case::new(format!("{scalar} in {place:?}"), text)
        })
    });
    scalars.collect()
}

/// The same document as other editors and systems store it.
pub(crate) fn stored_otherwise(case: &Case) -> Vec<Case> {
    let text = String::from_utf8(case.text.clone()).expect("the corpus is UTF-8");
    vec![
        Case::new(format!("{} with CRLF", case.name), text.replace('\n', "\r\n")),
        Case::new(format!("{} with a byte order mark", case.name), format!("\u{FEFF}{text}")),
        Case::new(format!("{} without a last line break", case.name), text.trim_end_matches('\n')),
        Case::new(format!("{} after a separator and a comment", case.name), format!("# first\n--- # second\n{text}")),
        Case::new(format!("{} between others", case.name), format!("a: 1\n---\n{text}---\nb: 2\n")),
    ]
}

/// Seeded random numbers (`SplitMix64`), so that every run sees the same mutations.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % bound as u64).expect("below a usize")
    }

    fn pick<'item, T: ?Sized>(&mut self, items: &[&'item T]) -> &'item T {
        items[self.below(items.len())]
    }
}

/// What mutations put in.
const ATOMS: [&str; 62] = [
    "\n",
    "  ",
    "\t",
    " ",
    "-",
    "- ",
    ": ",
    ":",
    "?",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "!",
    "! ",
    "!!str ",
    "!!int ",
    "!!float ",
    "!!bool ",
    "!!null ",
    "!!binary ",
    "|",
    "|-",
    "|+\n",
    ">",
    "'",
    "\"",
    "#",
    " #",
    "%",
    "@",
    "`",
    "---\n",
    "...\n",
    "<<: ",
    "<<",
    "~",
    "null",
    "y",
    "no",
    "0x1",
    "017",
    "1_0",
    "1e3",
    ".5",
    "-.inf",
    ".nan",
    "\r\n",
    "\u{85}",
    "\u{2028}",
    "é",
    "😀",
    "\\",
    "\\n",
    "\\'",
    "\\x41",
    "{{ .V }}",
    "b: 1\n",
];

/// A text with a few pieces put in, taken out, moved, or indented anew.
pub(crate) fn mutation(random: &mut Random, texts: &[&str]) -> String {
    let mut text: Vec<char> = random.pick(texts).chars().collect();
    for _ in 0..=random.below(3) {
        let at = random.below(text.len() + 1);
        match random.below(8) {
            0..=3 => drop(text.splice(at..at, random.pick(&ATOMS).chars())),
            4 => drop(text.drain(at..text.len().min(at + 1 + random.below(6)))),
            5 | 6 => {
                let moved: Vec<char> = text[at..text.len().min(at + 1 + random.below(30))].to_vec();
                let to = random.below(text.len() + 1);
                text.splice(to..to, moved);
            }
            _ => {
                let start = text[..at].iter().rposition(|character| *character == '\n').map_or(0, |found| found + 1);
                text.splice(start..start, random.pick(&[" ", "  ", "\t", "- "]).chars());
            }
        }
    }
    text.into_iter().collect()
}
