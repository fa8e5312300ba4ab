//! Holds the words that users read: plain ones of the field, in help, messages and documentation.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use crate::harness::trueup;
use crate::rooms::{read, root, source_files, without_tests};

/// Words that this project once used, and what to write in place of them.
const BANNED: &[(&str, &str)] = &[
    ("told|tell|tells|telling", "report, print, show, warn"),
    ("brought|bring|brings|bringing", "fetch a source, apply an object, read a file"),
    ("anew", "again; recreate, render again"),
    ("made up|makes up", "not deterministic, generated"),
    ("in vain", "timed out waiting for"),
    ("rehearse|rehearses|rehearsed|rehearsal", "dry run"),
    ("nobody's", "not tracked"),
    ("is none", "invalid, unknown, not found"),
    ("may not", "is not allowed to, cannot"),
    ("mend|mends|mended", "fix, correct"),
    ("dropped from git|gone from git|not in git any more|git dropped", "removed from git"),
    ("the cluster moved", "changed in the cluster"),
    ("git moved", "changed in git"),
    ("where it is so", "if, when"),
];

static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    let words: Vec<&str> = BANNED.iter().map(|(words, _)| *words).collect();
    Regex::new(&format!(r"(?i)\b(?:{})\b", words.join("|"))).unwrap()
});

/// A line for each banned word of a text: where it is, the word, and what to write.
fn banned(place: &str, text: &str) -> Vec<String> {
    // A phrase may be wrapped.
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = PATTERN.find_iter(&flat).map(|word| {
        let alternatives =
            BANNED.iter().find(|(words, _)| words.split('|').any(|one| one.eq_ignore_ascii_case(word.as_str())));
        let before: String =
            flat[..word.start()].chars().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect();
        format!("{place}: …{before}[{}]; write: {}", word.as_str(), alternatives.map_or("", |(_, instead)| instead))
    });
    found.collect()
}

fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "{} words that no user would use:\n{}", found.len(), found.join("\n"));
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

/// All commands, and those below them, from the help itself.
fn commands() -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    let mut next = 0;
    while let Some(command) = found.get(next).cloned() {
        let help = help_of(&command, "-h");
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        for line in listed.take_while(|line| line.starts_with("  ")) {
            // A description that is wrapped is indented deeper.
            let name = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '));
            let name = name.and_then(|rest| rest.split_whitespace().next()).filter(|name| *name != "help");
            found.extend(name.map(|name| [command.clone(), vec![name.to_owned()]].concat()));
        }
        next += 1;
    }
    found
}

fn help_of(command: &[String], flag: &str) -> String {
    trueup([]).arguments(command).argument(flag).exits(0).stdout
}

/// The text of every string literal, with the line that it begins on.
fn literals(code: &str) -> Vec<(usize, String)> {
    static LITERAL: LazyLock<Regex> = LazyLock::new(|| {
        // Comments and characters are matched, too, so that a quote in them begins nothing.
        Regex::new(r##"(?s)//[^\n]*|'(?:\\[^']+|[^\\'])'|r#"(.*?)"#|r"([^"]*)"|"((?:\\.|[^"\\])*)""##).unwrap()
    });
    let text = |found: &regex::Captures<'_>| found.iter().skip(1).flatten().next().map(|text| text.as_str().to_owned());
    let line = |found: &regex::Captures<'_>| {
        let start = found.get(0).map_or(0, |all| all.start());
        code[..start].matches('\n').count() + 1
    };
    LITERAL.captures_iter(code).filter_map(|found| Some((line(&found), text(&found)?))).collect()
}

#[test]
fn documentation_has_the_words_of_the_field() {
    let mut files = vec![root().join("README.md"), root().join("action.yml")];
    files_below(&root().join("docs"), &mut files);
    files_below(&root().join("examples"), &mut files);
    files_below(&root().join("action"), &mut files);
    files.retain(|file| file.extension().is_some_and(|is| is == "md" || is == "yml" || is == "yaml" || is == "sh"));
    // The design is written for those who know the code.
    files.retain(|file| !file.ends_with("docs/design.md"));
    assert!(files.len() > 10, "{files:?}");
    let found: Vec<String> = files.iter().flat_map(|file| banned(&file.display().to_string(), &read(file))).collect();
    assert_none(&found);
}

#[test]
fn help_has_the_words_of_the_field() {
    let mut found = Vec::new();
    for command in commands() {
        for flag in ["-h", "--help"] {
            found.extend(banned(&format!("trueup {} {flag}", command.join(" ")), &help_of(&command, flag)));
        }
    }
    assert_none(&found);
}

#[test]
fn messages_have_the_words_of_the_field() {
    let mut found = Vec::new();
    // The rules of health have the texts of Argo CD, refusals those of the API server, which the fixture stands for, too.
    let of_others = ["src/status/health/rules", "src/cluster/kubernetes/refusal.rs", "src/report/drift/fixture.rs"];
    let files = source_files().into_iter().map(|(file, _)| file);
    for file in files.filter(|file| !of_others.iter().any(|other| file.starts_with(other))) {
        for (line, text) in literals(&without_tests(&read(&root().join(&file)))) {
            let place = format!("{}:{line}", file.display());
            found.extend(banned(&place, &text.replace("\\\n", " ").replace("\\n", " ")));
        }
    }
    assert_none(&found);
}

/// Whoever changes a flag sees here what its user reads.
#[test]
fn all_help() {
    let mut pages = String::new();
    for command in commands() {
        let title = ["trueup".to_owned()].into_iter().chain(command.clone()).chain(["--help".to_owned()]);
        write!(pages, "$ {}\n{}\n", title.collect::<Vec<_>>().join(" "), help_of(&command, "--help")).unwrap();
    }
    insta::assert_snapshot!("help", pages);
}

#[test]
fn a_banned_word_is_found_in_a_literal_and_not_in_a_comment() {
    let code = "// told\nlet a = \"it was told\";\nlet b = '\"'; // \"anew\nlet c = r#\"in \\\n vain\"#;";
    assert_eq!(literals(code).iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(banned("a", "Told, and made\n  up; retold").len(), 2);
}
