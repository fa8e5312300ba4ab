//! Templates give what Go's own give, text by text and error by error.

mod oracle;
mod random;

use trueup::gotemplate::{Fault, Host};

use self::oracle::{Question, differences, questions};
use self::random::Random;
use crate::harness::or_skip;

/// Some randomness, for the templates that look only at its length.
struct AnyHost;

impl Host for AnyHost {
    fn fill_random(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::try_from(at * 7 % 256).unwrap();
        }
        Ok(())
    }
}

/// Each action of a line on its own, besides the line: one that fails hides those after it.
fn actions(questions: &[Question]) -> Vec<Question> {
    let mut all = questions.to_vec();
    for question in questions {
        let parts: Vec<&str> = question.text.split_inclusive("}}").filter(|part| part.contains("{{")).collect();
        if parts.len() > 1 && !question.text.contains("{{if") && !question.text.contains(":=") {
            all.extend(parts.iter().map(|part| Question { text: part.trim().to_owned(), ..question.clone() }));
        }
    }
    all
}

/// The whole language: literals, scopes, ranges, templates, trimming, missing keys, and what is wrong with each.
#[test]
fn the_language_is_gos_own() {
    let questions = actions(&questions(include_str!("templates.txt")));
    assert!(questions.len() > 600, "{}", questions.len());

    let differences = or_skip!(differences(&questions, &AnyHost));

    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// Every function that is done, on values of every kind.
#[test]
fn functions_are_sprigs_own() {
    let mut questions = actions(&questions(include_str!("sprig.txt")));
    questions.extend(functions_by_kinds());
    assert!(questions.len() > 3_000, "{}", questions.len());

    let differences = or_skip!(differences(&questions, &AnyHost));

    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// Functions of one argument with an argument of every kind: the right value, or Go's error.
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn functions_by_kinds() -> Vec<Question> {
    const FUNCTIONS: [&str; 58] = [
        "abbrev 5",
        "add",
        "add1f",
        "all",
        "any",
        "append .list",
        "atoi",
        "b32enc",
        "b64dec",
        "b64enc",
        "base",
        "camelcase",
        "cat",
        "ceil",
        "chunk 2",
        "clean",
        "coalesce",
        "compact",
        "concat",
        "contains \"a\"",
        "default 1",
        "dict",
        "dir",
        "duration",
        "durationRound",
        "empty",
        "ext",
        "first",
        "float64",
        "floor",
        "fromJson",
        "has 1",
        "indent 2",
        "initial",
        "int",
        "int64",
        "join \",\"",
        "kindOf",
        "last",
        "list",
        "lower",
        "max 1",
        "mulf 2",
        "quote",
        "regexFind \"a\"",
        "rest",
        "reverse",
        "sha256sum",
        "slice",
        "sortAlpha",
        "splitList \",\"",
        "squote",
        "toDecimal",
        "toJson",
        "toString",
        "trunc 2",
        "typeOf",
        "until",
    ];
    const VALUES: [&str; 26] = [
        ".name", ".empty", ".unicode", ".yes", ".nothing", ".missing", ".int", ".int8", ".int64", ".uint", ".uint8",
        ".float", ".whole", ".million", ".float32", ".list", ".mixed", ".strings", ".bytes", ".map", ".texts",
        ".nilmap", ".nillist", "nil", "1i", "'x'",
    ];
    let pairs = FUNCTIONS.iter().flat_map(|function| VALUES.iter().map(move |value| (function, value)));
    pairs
        .flat_map(|(function, value)| {
            let piped = (*value != "nil").then(|| Question::new(format!("{{{{ {value} | {function} }}}}")));
            [Some(Question::new(format!("{{{{ {function} {value} }}}}"))), piped]
        })
        .flatten()
        .collect()
}

/// `printf`, with every verb and flag on every kind of value.
#[test]
fn formats_are_gos_own() {
    const VALUES: [&str; 21] = [
        ".int",
        ".negative",
        ".uint8",
        ".float",
        ".million",
        ".minus",
        ".name",
        ".unicode",
        ".yes",
        ".nothing",
        ".list",
        ".mixed",
        ".map",
        ".strings",
        ".bytes",
        ".texts",
        ".float32",
        "1i",
        "(list nil \"a\" 1)",
        ".nilmap",
        "'x'",
    ];
    let mut questions: Vec<Question> = questions(include_str!("formats.txt"))
        .iter()
        .flat_map(|format| VALUES.map(|value| Question::new(format!("{{{{ printf `{}` {value} }}}}", format.text))))
        .filter(|question| !question.text.contains("%p"))
        .collect();
    questions.extend(FORMATS.map(Question::new));
    assert!(questions.len() > 1_200, "{}", questions.len());

    let differences = or_skip!(differences(&questions, &AnyHost));

    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// Widths from arguments, numbered arguments, and formats that are wrong.
const FORMATS: [&str; 20] = [
    r#"{{ printf "%[2]d %[1]d" 1 2 }}"#,
    r#"{{ printf "%[3]*.[2]*[1]f" 12.0 2 6 }}"#,
    r#"{{ printf "%*d|%-*d|" 5 1 5 2 }}"#,
    r#"{{ printf "%.*f" 2 3.14159 }}"#,
    r#"{{ printf "%*d" -5 1 }}|"#,
    r#"{{ printf "%*d" "a" 1 }}"#,
    r#"{{ printf "%.*d" -1 1 }}"#,
    r#"{{ printf "%[5]d" 1 }}"#,
    r#"{{ printf "%[x]d" 1 }}"#,
    r#"{{ printf "%[1]" 1 }}"#,
    r#"{{ printf "%[1" 1 }}"#,
    r#"{{ printf "%[1]d %d %d" 1 2 }}"#,
    r#"{{ printf "%d %d" 1 }}"#,
    r#"{{ printf "%d" 1 2 nil "x" }}"#,
    r#"{{ printf "%" }}"#,
    r#"{{ printf "%d%%" 5 }}"#,
    r#"{{ printf "%9999999d" 1 }}"#,
    r#"{{ printf "%é" 1 }}"#,
    r#"{{ printf "no verbs" }}"#,
    r#"{{ printf "%s %v %d" "a" .list (index .ints 0) }}"#,
];

/// What no one thought of: 5,000 templates from a grammar.
#[test]
fn random_templates_give_what_go_gives() {
    let mut random = Random::new(1);
    let questions: Vec<Question> = (0..5_000)
        .map(|number| {
            let missing_key = ["error", "zero", "default", "default", "default"][number % 5];
            Question { text: random.template(), missing_key, has_sprig: true }
        })
        .collect();

    let differences = or_skip!(differences(&questions, &AnyHost));

    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}
