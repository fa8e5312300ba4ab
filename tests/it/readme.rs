//! What the README shows is what a run prints.

use std::fs;
use std::path::Path;

use regex::Regex;
use trueup::report::ExitStatus;

use crate::harness::trueup;

/// The first command that a stranger types, and the output that the README promises.
#[test]
fn the_example_prints_what_the_readme_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let command = "$ cargo run --release -- diff examples/guestbook/app.yaml --live examples/guestbook/live\n";
    let shown = readme.split_once(command).and_then(|(_, rest)| rest.split_once("$ echo $?\n1\n")).unwrap().0;

    let run = trueup(["diff", "examples/guestbook/app.yaml", "--live", "examples/guestbook/live"]);
    let outcome = run.in_folder(root).exits(1);

    // On a terminal, progress comes before the report.
    let printed = format!("{}{}", outcome.stderr, outcome.stdout);
    assert_eq!(timeless(shown), timeless(&printed), "{}", outcome.transcript());
}

/// The table of exit codes has one source, from which reports print the meaning, too.
#[test]
fn the_readme_has_the_table_of_exit_codes() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for status in ExitStatus::ALL {
        let row = format!("\n| {} | {} |\n", status.code(), status.meaning());
        assert!(readme.contains(&row), "README.md, \"Exit codes\", lacks the row{row}");
    }
}

/// Without the revision of this clone and the age of the example.
fn timeless(text: &str) -> String {
    let revision = Regex::new(r"HEAD  [0-9a-f]{7}").unwrap().replace_all(text, "HEAD  [HASH]");
    Regex::new(r"\d+\w+ ago").unwrap().replace_all(&revision, "[AGO]").into_owned()
}
