//! What the render of a source can read of its repository, seen without rendering it.
//!
//! In: a checkout and a source. Out: paths from the repository's root, each of a file or of a folder with all that is in it; or
//! that it may be anything. It is never less than what the tool reads: the source's folder, and whatever a file in it names
//! with `..` (bases, components, libraries, values, `file://` dependencies), and so on from there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::app::Source;
use crate::app::changed::cleaned;

/// A path that leads out of its folder, in any syntax.
static ABOVE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"[^\s"'`,;:=()\[\]{}<>|&]*\.\./?[^\s"'`,;:=()\[\]{}<>|&]*"#).ok());
/// A base of a kustomization that is fetched: it may be of this repository, too.
static REMOTE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"://|git@|\?ref=|github\.com/").ok());

/// More files than a source has.
const MAX_FILES: usize = 50_000;
/// Larger files are data.
const MAX_BYTES: u64 = 4 << 20;

/// What a render can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// These files and folders.
    Paths(Vec<String>),
    /// Anything in the repository, for this reason.
    Anything(&'static str),
}

/// What the render of a source can read of the repository that it is in; `references` are its files that other sources name.
pub fn reads(root: &Path, source: &Source, references: &[String]) -> Reads {
    if source.plugin.is_some() || source.ksonnet.is_some() {
        return Reads::Anything("its tool may read all of the repository");
    }
    let mut walk = ReadWalk { root, paths: BTreeSet::new(), files: 0, reason: None };
    match &source.path {
        Some(path) => walk.add(&cleaned("", path)),
        // Nothing of it is rendered but what references to it name.
        None if source.reference.is_some() => {}
        None => walk.add(""),
    }
    for path in named_in(source).iter().chain(references) {
        walk.add(path);
    }
    match walk.reason {
        Some(reason) => Reads::Anything(reason),
        None => Reads::Paths(walk.paths.into_iter().collect()),
    }
}

/// The files of a source that others name by its reference, as `$values/shop/values.yaml`.
pub fn referenced(sources: &[Source], reference: &str) -> Vec<String> {
    let mut texts = Vec::new();
    sources.iter().flat_map(|source| source.written.values()).for_each(|value| collect(value, &mut texts));
    let path =
        |text: &&str| text.strip_prefix('$')?.strip_prefix(reference)?.strip_prefix('/').map(|path| cleaned("", path));
    texts.iter().filter_map(path).collect()
}

/// The files and folders that the source's own fields name: values, parameters from files, components, libraries.
fn named_in(source: &Source) -> Vec<String> {
    let mut texts = Vec::new();
    source.written.values().for_each(|value| collect(value, &mut texts));
    let mut paths = Vec::new();
    for text in texts {
        // `$ref/…` is a file of another source, and is looked at there.
        if text.contains('\n') || text.contains("://") || text.starts_with('$') {
            continue;
        }
        if let Some(from_root) = text.strip_prefix('/') {
            paths.push(cleaned("", from_root));
        } else if text.contains("..") {
            paths.push(cleaned(source.path.as_deref().unwrap_or_default(), text));
        }
    }
    // Libraries of Jsonnet are named from the root.
    let libraries = source.directory.iter().flat_map(|directory| &directory.jsonnet.libraries);
    paths.extend(libraries.map(|library| cleaned("", library)));
    paths
}

fn collect<'value>(value: &'value Value, texts: &mut Vec<&'value str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(map) => map.values().for_each(|item| collect(item, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a line of a kustomization may name a base that is fetched. Charts come from repositories of their own.
fn fetches(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("- ");
    let is_other = line.starts_with('#') || line.starts_with("repo:");
    !is_other && REMOTE.as_ref().is_none_or(|remote| remote.is_match(line))
}

struct ReadWalk<'walk> {
    root: &'walk Path,
    paths: BTreeSet<String>,
    files: usize,
    reason: Option<&'static str>,
}

impl ReadWalk<'_> {
    /// Adds a file or a folder, and what its files name.
    fn add(&mut self, path: &str) {
        let is_known = |known: &String| {
            known.is_empty()
                || known == path
                || path.strip_prefix(known.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        if self.reason.is_some() || self.paths.iter().any(is_known) {
            return;
        }
        // A pattern stands for anything in the folder above it.
        let plain =
            path.find(['*', '?', '[']).map_or(path, |at| path[..at].rsplit_once('/').map_or("", |(above, _)| above));
        self.paths.insert(plain.to_owned());
        self.look(plain);
    }

    fn look(&mut self, path: &str) {
        let place = self.root.join(path);
        let Ok(metadata) = fs::symlink_metadata(&place) else { return };
        self.files += 1;
        if self.files > MAX_FILES {
            self.reason = Some("it has too many files to look at");
        } else if metadata.is_symlink() {
            let target = fs::read_link(&place).unwrap_or_default();
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            match target.to_str().filter(|_| target.is_relative()) {
                Some(target) => self.add(&cleaned(folder, target)),
                None => self.reason = Some("it has a link that cannot be followed"),
            }
        } else if metadata.is_dir() {
            let Ok(entries) = fs::read_dir(&place) else {
                self.reason = Some("a folder of it cannot be read");
                return;
            };
            for entry in entries.flatten() {
                match entry.file_name().to_str() {
                    Some(".git") => {}
                    Some(name) if self.reason.is_none() => self.look(&cleaned(path, name)),
                    Some(_) => return,
                    None => self.reason = Some("a file of it has a name that is not UTF-8"),
                }
            }
        } else if metadata.len() <= MAX_BYTES {
            self.look_into(path, &place);
        }
    }

    /// The paths that a file names.
    fn look_into(&mut self, path: &str, place: &Path) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Ok(bytes) = fs::read(place) else {
            self.reason = Some("a file of it cannot be read");
            return;
        };
        // Data names nothing.
        let Ok(text) = String::from_utf8(bytes) else { return };
        let is_kustomization = matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization");
        if is_kustomization && text.lines().any(fetches) {
            self.reason = Some("its kustomization fetches a base, which may be of the same repository");
            return;
        }
        let Some(above) = ABOVE.as_ref() else {
            self.reason = Some("its files cannot be looked at");
            return;
        };
        let named: BTreeSet<String> = above
            .find_iter(&text)
            .map(|found| found.as_str().trim_start_matches("//"))
            .map(|path| cleaned(folder, path))
            .collect();
        for path in named {
            if self.root.join(&path).symlink_metadata().is_err() {
                continue;
            }
            // A library of Jsonnet imports the files beside it without `..`.
            match path.rsplit_once('/') {
                Some((above, name)) if name.ends_with("sonnet") => self.add(above),
                None if path.ends_with("sonnet") => self.add(""),
                _ => self.add(&path),
            }
        }
    }
}
