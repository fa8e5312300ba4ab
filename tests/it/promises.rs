//! docs/promises.md names the tests that hold each promise; each of them exists.

use std::fs;
use std::path::Path;

use regex::Regex;

use crate::rooms::{read, root};

/// A promise whose test was renamed or removed is only words.
#[test]
fn each_promise_names_a_test_that_exists() {
    let page = read(&root().join("docs/promises.md"));
    let mut code = String::new();
    for folder in ["src", "tests/it"] {
        collect(&root().join(folder), &mut code);
    }
    let pattern = Regex::new(r"`([a-z0-9]+(?:_[a-z0-9]+){3,})`").unwrap();
    let names: Vec<&str> = pattern.captures_iter(&page).filter_map(|found| Some(found.get(1)?.as_str())).collect();
    assert!(names.len() > 30, "docs/promises.md names {} tests", names.len());
    let missing: Vec<&str> = names.into_iter().filter(|name| !code.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "docs/promises.md names tests that do not exist: {missing:?}");
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise")) {
        assert!(pattern.is_match(row), "a promise without a test: {row}");
    }
}

fn collect(folder: &Path, code: &mut String) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            collect(&path, code);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            code.push_str(&read(&path));
        }
    }
}
