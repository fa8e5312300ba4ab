//! Globs of policies are gobwas/glob's, its odd answers too.

use serde_json::json;
use trueup::app::gobwas::GobwasGlob;

use super::oracle::{Random, answers};
use crate::harness::or_skip;

const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "ab",
    "ba",
    "aab",
    "aba",
    "abab",
    "abcab",
    "a/b",
    "a/b/c",
    "ab/cd",
    "/",
    "é",
    "aé",
    "éb",
    "a*b",
    "[a]",
    "a,b",
    "{a}",
    "a\\b",
    "sync",
    "get",
    "shop/web",
    "shop/ns/web",
    "delete/apps/Deployment/shop/web",
    "-",
    "a-b",
    "*",
    "\u{FFFD}",
    "aaaa",
    "bcb",
    "a b",
    "!a",
];

const PIECES: &[&str] = &[
    "a",
    "b",
    "ab",
    "c",
    "/",
    "*",
    "**",
    "?",
    "[ab]",
    "[!a]",
    "[a-c]",
    "[!a-b]",
    "{a,b}",
    "{ab,ac}",
    "{a,}",
    "{,b}",
    "{*,a}",
    "{a*,b}",
    "\\*",
    "é",
    ",",
    "}",
    "{a,{b,c}}",
    "{a*b,a?b}",
    "[é]",
    "-",
    "!",
    "{a/*,b/**}",
];

/// What nobody writes on purpose, but what a policy may hold.
const ODD: &[&str] = &[
    "",
    "{",
    "{a",
    "{a,b",
    "}",
    "]",
    "[",
    "[]",
    "[!]",
    "[a",
    "[a-",
    "[b-a]",
    "[a-b",
    "[a-bc]",
    "[]a]",
    "[\\]a]",
    "\\",
    "a\\",
    "***",
    "a{}b",
    "a{}",
    "{}",
    "{,}",
    "[*]",
    "[a,b]",
    "{a,[b,c]}",
    "\u{FFFD}",
    "a\u{0}b",
    "*[!a]",
    "?*",
    "*?",
    "??",
    "[!a][!b]",
    "a?",
    "?a",
    "*a*",
    "a*a",
    "*/*",
    "*/*/*",
    "shop/*",
    "shop/**",
    "{get,sync}",
    "delete/*",
    "*sync*",
    "a*b*c",
];

/// A denial that matches less than its author thinks, or an allowance that matches more, is decided by the library.
#[test]
fn globs_match_what_gobwas_matches() {
    let mut random = Random(42);
    let mut patterns: Vec<String> = ODD.iter().chain(PIECES).map(|pattern| (*pattern).to_owned()).collect();
    for _ in 0..6_000 {
        let length = 1 + random.below(5);
        patterns.push((0..length).map(|_| random.one_of(PIECES)).collect());
    }
    let questions: Vec<_> = patterns
        .iter()
        .flat_map(|pattern| ["", "/"].map(|separators| (pattern, separators)))
        .map(|(pattern, separators)| json!({ "Glob": pattern, "Separators": separators, "Texts": TEXTS }))
        .collect();
    let theirs = or_skip!(answers(&questions));

    let mut differences = Vec::new();
    for (question, theirs) in questions.iter().zip(&theirs) {
        let separators: Vec<char> = question["Separators"].as_str().unwrap().chars().collect();
        let pattern = question["Glob"].as_str().unwrap();
        let ours = match GobwasGlob::new(pattern, &separators) {
            Err(_) => Err(()),
            Ok(glob) => TEXTS.iter().map(|text| glob.matches(text).map_err(|_panic| ())).collect(),
        };
        if ours.as_ref().ok() != theirs.as_ref().ok() {
            differences.push(format!("{pattern:?} {separators:?}\n  Go     {theirs:?}\n  trueup {ours:?}"));
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}
