//! Holds the walls of the house: each room uses only the rooms that docs/design.md lets it use, and a pure room touches
//! nothing of the world.
//!
//! In: the table of docs/design.md, and the text of `src/`. What a test uses is its own affair: items under
//! `#[cfg(test)]`, files named `tests.rs` and folders named `tests` are left out, comments too.

mod circles;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// What reaches out of a value into the world.
const WORLD: [&str; 12] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "std::thread",
    "tokio::",
    "gix::",
    "kube::",
    "reqwest::",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
];

/// One row of the table.
#[derive(Debug, Clone)]
struct Room {
    pure: bool,
    may_use: BTreeSet<String>,
}

/// A new dependency between rooms is a line in the table, and so in a review.
#[test]
fn rooms_use_only_what_the_table_allows() {
    let rooms = rooms_of(&table());
    let mut wrong = Vec::new();
    for (file, room) in source_files() {
        let Some(row) = rooms.get(&room) else {
            wrong.push(format!("{}: `{room}` is not in the table", file.display()));
            continue;
        };
        for used in rooms_used(&production_code(&file)) {
            if used != room && !row.may_use.contains(&used) {
                wrong.push(format!("{}: `{room}` may not use `{used}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "docs/design.md, \"The house\", draws no such arrow:\n{}", wrong.join("\n"));
}

/// What decides takes values and returns values; then its tests need no world either.
#[test]
fn pure_rooms_touch_nothing_of_the_world() {
    let rooms = rooms_of(&table());
    let mut wrong = Vec::new();
    for (file, room) in source_files() {
        if rooms.get(&room).is_some_and(|row| row.pure) {
            let code = production_code(&file);
            let touched = WORLD.iter().filter(|world| code.contains(**world));
            wrong.extend(touched.map(|world| format!("{}: `{world}` in a pure room", file.display())));
        }
    }
    assert!(wrong.is_empty(), "docs/design.md calls these rooms pure:\n{}", wrong.join("\n"));
}

/// The data flows down the page, so a circle of rooms cannot be drawn.
#[test]
fn an_arrow_of_the_table_only_points_up() {
    let table = table();
    let names: Vec<&String> = table.iter().map(|(name, _)| name).collect();
    for (position, (name, room)) in table.iter().enumerate() {
        for used in &room.may_use {
            let above = names.iter().position(|other| *other == used).unwrap_or_else(|| panic!("`{used}` has no row"));
            assert!(above < position, "`{name}` may use `{used}`, which stands below it");
        }
    }
}

/// Where `Cluster::delete` is called: the one door, which takes a proof; and where a cluster hands the call on to itself. The
/// record and the lock pass the door, too.
const DELETING: [(&str, usize); 5] = [
    // One that deletes, and one that asks in a dry run.
    ("src/sync/ownership/delete.rs", 2),
    // The cluster of whoever works under a lock.
    ("src/sync/lock/fence.rs", 1),
    // The cluster that writes down what passes through it.
    ("src/sync/audit.rs", 1),
    // The cluster of which a part is managed.
    ("src/cluster/limited.rs", 1),
    // A folder's files, behind `impl Cluster`.
    ("src/cluster/folder/mod.rs", 1),
];

/// Nothing is deleted but through the one function that proves, by the live object, whose it is: a second one would be a way
/// around every promise about deleting.
#[test]
fn objects_are_deleted_in_one_place_alone() {
    static CALL: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\.delete\(|\bCluster::delete\b").expect("the pattern is right"));
    let allowed: BTreeMap<PathBuf, usize> =
        DELETING.iter().map(|(file, count)| (PathBuf::from(file), *count)).collect();
    let mut found: BTreeMap<PathBuf, usize> = BTreeMap::new();
    // A request of HTTP's method is how the API server's cluster deletes; that it is in its own room is the arrow's matter.
    for (file, _) in source_files().into_iter().filter(|(file, _)| !file.starts_with("src/cluster/kubernetes")) {
        let calls = CALL.find_iter(&production_code(&file)).count();
        if calls > 0 {
            found.insert(file, calls);
        }
    }
    assert_eq!(found, allowed, "delete through `sync::ownership::delete`, with a claim that the live object proves");
}

/// The test that reads the code is not fooled by what is no use of a room.
#[test]
fn uses_of_rooms_are_found_and_tests_are_left_out() {
    let code = "
        use crate::object::{Key, Kinds};
        use crate::{
            finding::{Finding, Severity},
            secret,
        };
        // crate::sync is not used here
        fn f() -> crate::app::Application { \"crate::report is text\" }
        #[cfg(test)]
        mod tests { use crate::fleet::Run; fn g() { if true {} } }
        fn h() { crate::progress::send() }
    ";
    let expected = ["app", "finding", "object", "progress", "secret"].map(str::to_owned);
    assert_eq!(rooms_used(&without_tests(&without_comments_and_text(code))), BTreeSet::from(expected));
}

/// The rows of the table in docs/design.md, in its order.
fn table() -> Vec<(String, Room)> {
    static ROW: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?m)^\| ((?:`\w+/` ?)+)\|[^|]*\|([^|]*)\|([^|]*)\|").expect("the pattern is right")
    });
    let page = read(&root().join("docs/design.md"));
    let mut rows: Vec<(String, Room)> = Vec::new();
    for row in ROW.captures_iter(&page) {
        let above: BTreeSet<String> = rows.iter().map(|(name, _)| name.clone()).collect();
        let may_use = match row[3].trim() {
            "–" => BTreeSet::new(),
            "all above" | "everything" => above,
            list => list.split(", ").map(str::to_owned).collect(),
        };
        let room = Room { pure: row[2].trim() == "pure", may_use };
        rows.extend(row[1].split_whitespace().map(|name| (name.trim_matches(['`', '/']).to_owned(), room.clone())));
    }
    assert!(rows.len() > 8, "docs/design.md has its table of rooms no longer");
    rows
}

fn rooms_of(table: &[(String, Room)]) -> BTreeMap<String, Room> {
    table.iter().cloned().collect()
}

/// Every file of a room, with the room's name; `lib.rs` and `main.rs` are the front door.
pub(crate) fn source_files() -> Vec<(PathBuf, String)> {
    let source = root().join("src");
    let mut found = Vec::new();
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src/ can be read") {
            let path = entry.expect("src/ can be read").path();
            let below = path.strip_prefix(&source).expect("it is below src/").to_owned();
            let room = below.iter().next().expect("it has a name").to_string_lossy().trim_end_matches(".rs").to_owned();
            if path.is_dir() {
                folders.extend((!path.ends_with("tests")).then_some(path));
            } else if !["lib", "main"].contains(&room.as_str()) && !path.ends_with("tests.rs") {
                found.push((Path::new("src").join(below), room));
            }
        }
    }
    assert!(found.len() > 10, "src/ is not where it was");
    found
}

fn production_code(file: &Path) -> String {
    without_tests(&without_comments_and_text(&read(&root().join(file))))
}

/// The rooms that follow `crate::`, alone or in braces.
fn rooms_used(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (start, _) in code.match_indices("crate::") {
        let rest = &code[start + "crate::".len()..];
        let group = rest.starts_with('{');
        let mut depth = 0_usize;
        let mut name_expected = true;
        for (position, character) in rest.char_indices() {
            match character {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ',' if depth == 1 => name_expected = true,
                _ if character.is_alphanumeric() && name_expected => {
                    let name = rest[position..].split(|other: char| !other.is_alphanumeric() && other != '_').next();
                    used.extend(name.map(str::to_owned));
                    name_expected = false;
                }
                _ => {}
            }
            if (group && depth == 0) || (!group && !name_expected) {
                break;
            }
        }
    }
    used
}

/// Takes out comments and the insides of string literals, both of which may hold anything.
fn without_comments_and_text(code: &str) -> String {
    static NOISE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r##"(?s)//[^\n]*|/\*.*?\*/|r#".*?"#|r"[^"]*"|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'"##)
            .expect("the pattern is right")
    });
    NOISE.replace_all(code, "\"\"").into_owned()
}

/// Takes out each item that stands under `#[cfg(test)]`: up to its closing brace, or to the semicolon of a one-line item.
pub(crate) fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::new();
    let mut rest = code;
    while let Some(start) = rest.find(MARK) {
        kept.push_str(&rest[..start]);
        let item = &rest[start + MARK.len()..];
        let mut depth = 0_usize;
        let end = item.char_indices().find_map(|(position, character)| {
            match character {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            (depth == 0 && matches!(character, '}' | ';')).then_some(position + 1)
        });
        rest = &item[end.unwrap_or(item.len())..];
    }
    kept + rest
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
