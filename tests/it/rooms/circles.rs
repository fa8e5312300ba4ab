//! Imports between files: two files may know each other, a larger circle has no order in which it can be read.
//!
//! In: the production code of `src/`. A path is followed through `use` and `pub use` to the file that defines the name, so
//! that a folder's `mod.rs` which hands a name on is not taken for its home.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::{production_code, source_files};

/// A module's path below the crate, such as `["sync", "plan"]`.
type Module = Vec<String>;

/// The largest circle that is allowed.
const PAIR: usize = 2;

/// The arrows that no room has inside: the first folder stands below the second, or beside it.
const NEVER: [(&str, &str); 22] = [
    ("app/appset", "app/manifests"),
    ("cluster/folder", "cluster/kubernetes"),
    ("cluster/kubernetes", "cluster/folder"),
    ("fleet/stages", "fleet/commands"),
    ("fleet/stages", "fleet/sync"),
    ("gotemplate/fmt", "gotemplate/run"),
    ("gotemplate/parse", "gotemplate/run"),
    ("gotemplate/sprig", "gotemplate/run"),
    ("object/yaml", "object/kinds"),
    ("render/helm", "render/kustomize"),
    ("render/kustomize", "render/helm"),
    ("render/program", "render/helm"),
    ("report/health", "report/drift"),
    ("report/style", "report/drift"),
    ("report/style", "report/health"),
    ("source/access", "source/charts"),
    ("source/access", "source/remote"),
    ("source/charts", "source/remote"),
    ("status/compare", "status/health"),
    ("status/health", "status/compare"),
    ("sync/execute", "sync/state"),
    ("sync/plan", "sync/execute"),
];

/// The paths that one file uses, and the names that it hands on.
#[derive(Debug, Default)]
struct Imports {
    used: Vec<Module>,
    names: BTreeMap<String, Module>,
}

#[test]
fn no_more_than_two_files_import_each_other() {
    let files = files();
    let graph = graph(&files);
    let circles = circles(&graph);
    let shown: Vec<String> = circles
        .iter()
        .filter(|circle| circle.len() > PAIR)
        .map(|circle| {
            let arrows = circle.iter().flat_map(|from| {
                let to = graph[*from].iter().filter(|to| circle.contains(to));
                to.map(|to| format!("  {} -> {}", from.join("/"), to.join("/")))
            });
            format!("a circle of {} files:\n{}", circle.len(), arrows.collect::<Vec<_>>().join("\n"))
        })
        .collect();
    assert!(shown.is_empty(), "move what they share into a file of its own:\n{}", shown.join("\n"));
}

/// What stands below in a room knows nothing of what stands above it.
#[test]
fn an_arrow_inside_a_room_only_points_down() {
    let graph = graph(&files());
    let is_in = |module: &Module, folder: &str| module.starts_with(&self::module(folder));
    for (from, to) in NEVER {
        assert!(graph.keys().any(|module| is_in(module, from)), "`src/{from}` is no folder any more");
        assert!(graph.keys().any(|module| is_in(module, to)), "`src/{to}` is no folder any more");
        let arrows: Vec<String> = graph
            .iter()
            .filter(|(module, _)| is_in(module, from))
            .flat_map(|(module, used)| used.iter().filter(|used| is_in(used, to)).map(move |used| (module, used)))
            .map(|(module, used)| format!("{} -> {}", module.join("/"), used.join("/")))
            .collect();
        assert!(arrows.is_empty(), "`{from}` may not use `{to}`: {arrows:#?}");
    }
}

/// The test that reads imports follows names to their home, and finds a circle.
#[test]
fn a_circle_is_found_through_the_names_that_a_folder_hands_on() {
    let text = [
        ("a", "mod b; mod c; mod d; pub use d::Shared; fn f() { b::run() }"),
        ("a/b", "use super::{Shared, c::{self, Third}}; fn run() { c::go() }"),
        ("a/c", "pub(super) struct Third; fn go() { super::start() }"),
        ("a/d", "pub struct Shared;"),
    ];
    let files: BTreeMap<Module, Imports> =
        text.iter().map(|(name, code)| (module(name), imports(&module(name), code, &is_one_of(&text)))).collect();
    let graph = graph(&files);
    assert_eq!(graph[&module("a/b")], BTreeSet::from([module("a/c"), module("a/d")]));
    let circles = circles(&graph);
    assert_eq!(circles.into_iter().filter(|circle| circle.len() > PAIR).count(), 1);
}

fn is_one_of<'t>(text: &'t [(&str, &str)]) -> impl Fn(&Module) -> bool + 't {
    |wanted| text.iter().any(|(name, _)| module(name) == *wanted)
}

fn module(name: &str) -> Module {
    name.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn files() -> BTreeMap<Module, Imports> {
    let all: BTreeMap<Module, String> = source_files()
        .into_iter()
        .filter(|(file, _)| !file.ends_with("fixture.rs"))
        .map(|(file, _)| (module_of(&file), production_code(&file)))
        .collect();
    let is_module = |module: &Module| all.contains_key(module);
    all.iter().map(|(module, code)| (module.clone(), imports(module, code, &is_module))).collect()
}

fn module_of(file: &Path) -> Module {
    let below = file.strip_prefix("src").expect("it is below src/").with_extension("");
    let mut parts = module(&below.to_string_lossy());
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

fn imports(module: &Module, code: &str, is_module: &dyn Fn(&Module) -> bool) -> Imports {
    static VISIBILITY: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"pub\s*\([^)]*\)").expect("the pattern is right"));
    static USE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(pub\s+)?\buse\s+([^;]+);").expect("the pattern is right"));
    static PATH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b\w+(?:::\w+)+").expect("the pattern is right"));
    let code = VISIBILITY.replace_all(code, "pub");
    let mut imports = Imports::default();
    for found in USE.captures_iter(&code) {
        let handed_on = found.get(1).is_some();
        for (path, name) in leaves(&found[2]) {
            if let Some(path) = absolute(module, &path, is_module) {
                imports.names.insert(name, path.clone());
                imports.used.extend((!handed_on).then_some(path));
            }
        }
    }
    let body = USE.replace_all(&code, "");
    let inline = PATH.find_iter(&body).map(|path| path.as_str().split("::").map(str::to_owned).collect::<Module>());
    imports.used.extend(inline.filter_map(|path| absolute(module, &path, is_module)));
    imports
}

/// Every path of a `use`, with the name that it gets.
fn leaves(tree: &str) -> Vec<(Module, String)> {
    let tree = tree.trim();
    let Some((prefix, group)) = tree.split_once('{') else {
        let (path, renamed) = tree.split_once(" as ").map_or((tree, None), |(path, name)| (path, Some(name.trim())));
        let mut path: Module = path.split("::").map(|part| part.trim().to_owned()).collect();
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name = renamed.map(str::to_owned).or_else(|| path.last().cloned()).unwrap_or_default();
        return vec![(path, name)];
    };
    let prefix: Module = prefix.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let group = group.strip_suffix('}').unwrap_or(group);
    let mut depth = 0_usize;
    let parts = group.split(|character: char| {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    });
    let mut found = Vec::new();
    for (path, name) in parts.filter(|part| !part.trim().is_empty()).flat_map(leaves) {
        let whole: Module = prefix.iter().cloned().chain(path).collect();
        let name = if name.is_empty() { whole.last().cloned().unwrap_or_default() } else { name };
        found.push((whole, name));
    }
    found
}

/// A path from the crate's root; nothing for one of another crate.
fn absolute(module: &Module, path: &[String], is_module: &dyn Fn(&Module) -> bool) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([module.as_slice(), rest].concat()),
        "super" => {
            let up = path.iter().take_while(|part| *part == "super").count();
            let base = &module[..module.len().checked_sub(up)?];
            Some([base, &path[up..]].concat())
        }
        _ => {
            let child = [module.as_slice(), std::slice::from_ref(first)].concat();
            is_module(&child).then(|| [module.as_slice(), path].concat())
        }
    }
}

/// For each file the files that it imports.
fn graph(files: &BTreeMap<Module, Imports>) -> BTreeMap<Module, BTreeSet<Module>> {
    let arrows = |(module, imports): (&Module, &Imports)| {
        let to = imports.used.iter().filter_map(|path| home(path, files, 0)).filter(|to| to != module);
        (module.clone(), to.collect())
    };
    files.iter().map(arrows).collect()
}

/// The file that defines what a path names.
fn home(path: &[String], files: &BTreeMap<Module, Imports>, steps: usize) -> Option<Module> {
    let length = (0..=path.len()).rev().find(|length| files.contains_key(&path[..*length]))?;
    let (module, rest) = path.split_at(length);
    match rest.first().and_then(|name| files[module].names.get(name)) {
        Some(handed_on) if steps < 10 => home(&[handed_on.as_slice(), &rest[1..]].concat(), files, steps + 1),
        _ => Some(module.to_vec()),
    }
}

/// The files that reach each other.
fn circles(graph: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<BTreeSet<&Module>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        graph.keys().map(|from| (from, reached_from(from, graph))).collect();
    let mut circles: Vec<BTreeSet<&Module>> = Vec::new();
    for (from, to) in &reached {
        if circles.iter().any(|circle| circle.contains(from)) {
            continue;
        }
        let circle: BTreeSet<&Module> = to.iter().copied().filter(|to| reached[to].contains(from)).collect();
        circles.extend((circle.len() > 1).then_some(circle));
    }
    circles
}

fn reached_from<'g>(from: &'g Module, graph: &'g BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<&'g Module> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Module> = graph[from].iter().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(&graph[module]);
        }
    }
    reached
}
