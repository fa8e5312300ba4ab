//! Holds docs/errors.md against the codes, and the codes against the messages that have them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use trueup::finding::Code;

use crate::rooms::{read, root, source_files, without_tests};

/// A code in the attribute of an error, or a variant.
static USED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"["(](trueup::[a-z_]+::[a-z_0-9]+)[")]|\bCode::([A-Z]\w+)"#).expect("the pattern is right")
});

/// Whoever finds a code in a report finds it in the documentation, too: the same row that the code itself has.
#[test]
fn the_page_has_the_row_of_every_code() {
    let page = read(&root().join("docs/errors.md"));
    let written: BTreeSet<&str> = page.lines().filter(|line| line.starts_with("| `trueup::")).collect();
    let rows: Vec<String> =
        Code::ALL.iter().map(|code| format!("| `{code}` | {} | {} |", code.meaning(), code.advice())).collect();
    let expected: BTreeSet<&str> = rows.iter().map(String::as_str).collect();
    let missing: Vec<_> = expected.difference(&written).collect();
    let gone: Vec<_> = written.difference(&expected).collect();
    assert!(missing.is_empty() && gone.is_empty(), "docs/errors.md lacks {missing:#?} and has no use for {gone:#?}");
}

/// A code that no message has is one that nobody ever sees; a message with another one has no row.
#[test]
fn every_code_is_the_code_of_a_message() {
    let known: BTreeSet<String> = Code::ALL.iter().flat_map(|code| [code.to_string(), format!("{code:?}")]).collect();
    let files = source_files().into_iter().map(|(file, _)| file).filter(|file| !file.ends_with("finding/codes.rs"));
    let code: Vec<String> = files.map(|file| without_tests(&read(&root().join(file)))).collect();
    let used: BTreeSet<&str> = code
        .iter()
        .flat_map(|code| USED.captures_iter(code))
        .filter_map(|used| used.get(1).or(used.get(2)))
        .map(|used| used.as_str())
        .collect();
    let unknown: Vec<_> = used.iter().filter(|used| used.starts_with("trueup::") && !known.contains(**used)).collect();
    assert!(unknown.is_empty(), "src/finding/codes.rs has no code {unknown:#?}");
    let is_used = |code: &&Code| used.contains(code.as_str()) || used.contains(format!("{code:?}").as_str());
    let unused: Vec<_> = Code::ALL.iter().filter(|code| !is_used(code)).collect();
    assert!(unused.is_empty(), "no message has the code {unused:#?}");
}
