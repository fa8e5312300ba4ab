//! Holds docs/errors.md against the code: each code that a message has is there, and nothing else.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::rooms::{read, root, source_files, without_tests};

/// A code, as an attribute or as text.
static CODE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"["(](trueup::[a-z_]+::[a-z_0-9]+)[")]"#).expect("the pattern is right"));

/// Whoever finds a code in a report finds it in the documentation, too.
#[test]
fn every_code_has_its_line_and_every_line_its_code() {
    let page = read(&root().join("docs/errors.md"));
    let lines: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).map(|(code, _)| code).collect();
    let told: BTreeSet<&str> = lines.iter().copied().collect();
    assert_eq!(told.len(), lines.len(), "a code stands twice in docs/errors.md");

    // The run that every format is tested with has codes of its own.
    let files = source_files().into_iter().map(|(file, _)| file).filter(|file| !file.ends_with("fixture.rs"));
    let code: Vec<String> = files.map(|file| without_tests(&read(&root().join(file)))).collect();
    let found: BTreeSet<&str> = code
        .iter()
        .flat_map(|code| CODE.captures_iter(code))
        .filter_map(|code| code.get(1))
        .map(|code| code.as_str())
        .collect();
    let missing: Vec<_> = found.difference(&told).collect();
    assert!(missing.is_empty(), "docs/errors.md has no line `| `CODE` | what | what to do |` for {missing:#?}");
    let gone: Vec<_> = told.difference(&found).collect();
    assert!(gone.is_empty(), "docs/errors.md has a line for what no message has: {gone:#?}");
}
