//! YAML is read exactly as kubectl and Argo CD read it, and written so that they read the same again.

mod corpus;
mod oracle;
mod written;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trueup::object::yaml::write;

use self::corpus::{Random, cases, documents, files, mutation, scalars, stored_otherwise};
use self::oracle::{Case, Reading, agree, differences, ours, theirs};
use crate::harness::or_skip;

/// The hand-made cases where the stored answers, of `YAMLToJSON` on the unsplit text, are not what kubectl reads; and one
/// where trueup wants less than Go.
const NOT_AS_STORED: [(&str, &str); 6] = [
    ("litnonl", "kubectl's line reader ends the last line, so that the block keeps its line break"),
    ("directive", "kubectl splits at `---`: the directive is a document without content"),
    ("tagdir", "kubectl splits at `---`: the directive is a document without content"),
    ("docsameline", "kubectl takes nothing but a comment after `---`"),
    ("dupkeys-typed", "Go keeps `1` and `\"1\"` apart, and then one of them, at random"),
    ("deep", "trueup's limit of depth is 1,000, Go's is 10,000"),
];

/// Works without Go: the answers of `sigs.k8s.io/yaml` 1.6.0 are stored.
#[test]
fn hand_made_cases_read_as_the_stored_answers() {
    let stored: Vec<Value> = serde_json::from_str(include_str!("cases-sigs-1.6.0.json")).unwrap();
    let cases = cases();
    assert_eq!((cases.len(), stored.len()), (246, 246));
    let not_as_stored = BTreeMap::from(NOT_AS_STORED);
    for (case, stored) in cases.iter().zip(&stored) {
        assert_eq!(stored["n"], case.name);
        let ours: Reading = ours(&case.text).into_iter().take(1).collect();
        let theirs: Reading = match stored["json"].as_str() {
            Some("null") => vec![],
            Some(json) => vec![serde_json::from_str(json).map_err(|error| error.to_string())],
            None => vec![Err(stored["err"].to_string())],
        };
        let same = agree(&ours, &theirs);
        let reason = not_as_stored.get(case.name.as_str());
        assert!(same || reason.is_some(), "{}: {}\n  stored {theirs:?}\n  ours   {ours:?}", case.name, case.shown());
    }
}

/// Everything that the corpus holds, in every form that an editor may store it in.
#[test]
fn the_corpus_reads_as_kubectl_reads_it() {
    let mut corpus = files();
    corpus.extend(scalars());
    let alone: Vec<Case> = cases().into_iter().chain(documents()).collect();
    corpus.extend(alone.iter().filter(|case| case.name != "deep").flat_map(stored_otherwise));
    corpus.extend(alone);
    corpus.retain(|case| !case.name.starts_with("deep"));
    assert!(corpus.len() > 2_000, "{}", corpus.len());

    let told = or_skip!(differences(&corpus, is_known_difference));

    assert!(told.is_empty(), "{} differences:\n{}", told.len(), told.join("\n"));
}

/// What no one thought of: small accidents of typing, the same ones in every run.
#[test]
fn documents_with_mistakes_read_as_kubectl_reads_them() {
    let corpus: Vec<String> = cases()
        .into_iter()
        .chain(documents())
        .filter(|case| case.text.len() < 1_500)
        .map(|case| String::from_utf8(case.text).unwrap())
        .collect();
    let texts: Vec<&str> = corpus.iter().map(String::as_str).collect();
    let mut random = Random(1);
    let mutated: Vec<Case> =
        (0..20_000).map(|number| Case::new(format!("mutation {number}"), mutation(&mut random, &texts))).collect();

    let told = or_skip!(differences(&mutated, is_known_difference));

    assert!(told.is_empty(), "{} differences:\n{}", told.len(), told.join("\n"));
}

/// The differences that the grammar of the library leaves, each by what it looks like.
fn is_known_difference(case: &Case, theirs: &Reading) -> bool {
    let text = String::from_utf8_lossy(&case.text);
    let follows = |first: &str, then: &[char]| {
        text.match_indices(first).any(|(at, _)| text[at + first.len()..].starts_with(then))
    };
    let has_tag_with_brackets =
        text.split(char::is_whitespace).any(|word| word.contains('!') && word.contains([',', '[', ']']));
    // kubectl drops the document before a bad separator; here it is read, and the separator is an error as well.
    theirs.iter().any(|document| matches!(document, Err(error) if error.contains("document separator")))
        // Go keeps `1` and `"1"` apart, and then one of them, at random; NaN is not even itself.
        || (text.contains("1:") && text.contains("\"1\"")) || text.matches(".nan").count() > 1
        // go-yaml v2 takes `[a:, b]` for the text `a:`.
        || follows(":", &[',', '?', '[', ']', '{', '}'])
        // go-yaml v2 takes brackets and commas for a part of a tag.
        || has_tag_with_brackets
        // apimachinery's line reader takes one carriage return of two off.
        || text.contains("\r\r\n")
        // A byte order mark in the middle of a text.
        || text.char_indices().any(|(at, character)| at > 0 && character == '\u{FEFF}')
        // go-yaml v2 stops after `{}` or `[]`, and does not see that it is a key, or what follows it.
        || theirs.iter().any(|document| *document == Ok(json!({})) || *document == Ok(json!([])))
        // The mark hides the separator from kubectl, on the first line.
        || case.name == "docsameline with a byte order mark"
}

/// A report's YAML goes back into a repository, and kubectl reads it.
#[test]
fn what_is_written_reads_as_the_same_value_in_kubectl() {
    let values: Vec<Value> = files()
        .iter()
        .chain(&documents())
        .flat_map(|case| ours(&case.text))
        .filter_map(Result::ok)
        .chain(texts_to_write().into_iter().map(|text| json!({ "text": text, text.as_str(): [text, {"a": text}] })))
        .filter(|value| !value.is_null())
        .collect();
    let written: Vec<Case> =
        values.iter().enumerate().map(|(index, value)| Case::new(index.to_string(), write(value))).collect();

    let read = or_skip!(theirs(&written));

    for ((value, written), read) in values.iter().zip(&written).zip(read) {
        assert!(agree(&vec![Ok(value.clone())], &read), "{}\n  {value}\n  {read:?}", written.shown());
    }
}

/// Texts of the alphabet that quotes, blocks and types hang on.
fn texts_to_write() -> Vec<String> {
    const ALPHABET: [&str; 30] = [
        "a", "b", " ", "  ", "\n", "\n\n", "\t", ":", ": ", "#", " #", "-", "- ", "?", "'", "\"", "\\", "|", ">", "&",
        "*", "!", "%", "@", "`", "1", ".", "é", "\u{1}", "\r\n",
    ];
    let mut random = Random(2);
    let mut texts: Vec<String> =
        scalars().into_iter().take(96).map(|case| case.name.split(" in ").next().unwrap_or("").to_owned()).collect();
    texts.extend((0..2_000).map(|_| {
        let length = 1 + random.below(6);
        (0..length).map(|_| ALPHABET[random.below(ALPHABET.len())]).collect::<String>()
    }));
    texts
}
