//! `git`: a set of parameters for each folder of a repository, or for each map in its files.

use crate::app::manifest_folder::ManifestFolder;
use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::super::glob::{doublestar_match, path_match, pathspec_match};
use super::super::language::{normalized, parse_yaml};
use super::super::params::{Params, params_of};
use super::super::{GitRevision, Need, World};
use super::answer::{Result, failed};
use super::values::add_values;
use crate::gotemplate::{List, Map, Text, Value};

/// A pattern, and whether it excludes.
type Pattern<'p> = (&'p str, bool);

pub(super) fn params(options: &Json, place: &str, world: &World<'_>) -> Result<Vec<Params>> {
    let text = |field: &str| options.get(field).and_then(Json::as_str).unwrap_or_default();
    let project = world.set.template.pointer("/spec/project").and_then(Json::as_str).unwrap_or_default();
    let revision = GitRevision {
        url: text("repoURL").to_owned(),
        folder: if text("repoURL").starts_with('.') { world.set.folder.clone() } else { ManifestFolder::default() },
        revision: text("revision").to_owned(),
        project: if project.contains("{{") { String::new() } else { project.to_owned() },
    };
    let (directories, files) = (patterns(options, "directories"), patterns(options, "files"));
    if directories.is_empty() && files.is_empty() {
        return failed(place, "it has neither `directories` nor `files`");
    }
    let tree = match world.facts.trees.get(&revision) {
        Some(Ok(tree)) => tree,
        Some(Err(cause)) => return failed(place, cause.clone()),
        None => return Err(vec![Need::Tree(revision)].into()),
    };
    let prefix = text("pathParamPrefix");
    if directories.is_empty() {
        return of_files(&files, tree, &revision, &Generator { options, place, prefix, world });
    }
    let generator = Generator { options, place, prefix, world };
    folders(tree)
        .iter()
        .filter(|folder| is_wanted(&directories, folder))
        .map(|folder| {
            let params = Map::new();
            generator.add_path(&params, folder, None);
            add_values(options, &params, place, world.language)?;
            Ok(params)
        })
        .collect()
}

fn patterns<'p>(options: &'p Json, field: &str) -> Vec<Pattern<'p>> {
    let items = options.get(field).and_then(Json::as_array).into_iter().flatten();
    items
        .map(|item| {
            let pattern = item.get("path").and_then(Json::as_str).unwrap_or_default();
            (pattern, item.get("exclude").and_then(Json::as_bool).unwrap_or_default())
        })
        .collect()
}

/// Every folder that holds a file, in the order of a walk; what is below a folder with a dot in front is left out.
fn folders(tree: &[String]) -> Vec<String> {
    let mut folders: BTreeSet<Vec<&str>> = BTreeSet::new();
    for file in tree {
        let parts: Vec<&str> = file.split('/').collect();
        for end in 1..parts.len() {
            if parts[end - 1].starts_with('.') {
                break;
            }
            folders.insert(parts[..end].to_vec());
        }
    }
    folders.into_iter().map(|parts| parts.join("/")).collect()
}

/// A pattern that excludes wins over all that include.
fn is_wanted(patterns: &[Pattern<'_>], folder: &str) -> bool {
    let matching: Vec<bool> = patterns
        .iter()
        .filter(|(pattern, _)| path_match(pattern, folder) == Some(true))
        .map(|(_, excludes)| *excludes)
        .collect();
    !matching.is_empty() && !matching.contains(&true)
}

/// Settings for the parameters of one git generator.
struct Generator<'g> {
    options: &'g Json,
    place: &'g str,
    prefix: &'g str,
    world: &'g World<'g>,
}

fn of_files(
    patterns: &[Pattern<'_>],
    tree: &[String],
    revision: &GitRevision,
    generator: &Generator<'_>,
) -> Result<Vec<Params>> {
    let facts = generator.world.facts;
    let matches = |pattern: &str, file: &str| {
        if facts.new_git_file_globbing { doublestar_match(pattern, file) } else { pathspec_match(pattern, file) }
    };
    let is_wanted = |file: &&String| {
        let any = |excludes: bool| patterns.iter().any(|(pattern, own)| *own == excludes && matches(pattern, file));
        any(false) && !any(true)
    };
    let mut files: Vec<&String> = tree.iter().filter(is_wanted).collect();
    files.sort();
    let key = |file: &String| (revision.clone(), file.clone());
    let needs: Vec<Need> = files
        .iter()
        .filter(|file| !facts.files.contains_key(&key(file)))
        .map(|file| Need::File(revision.clone(), (*file).clone()))
        .collect();
    if !needs.is_empty() {
        return Err(needs.into());
    }
    let mut all = Vec::new();
    for file in files {
        match facts.files.get(&key(file)) {
            Some(Ok(content)) => generator.of_file(file, content, &mut all)?,
            Some(Err(cause)) => return failed(generator.place, format!("`{file}`: {cause}")),
            None => {}
        }
    }
    Ok(all)
}

impl Generator<'_> {
    /// A file holds one map, or a list of maps; an empty one is an empty map.
    fn of_file(&self, file: &str, content: &[u8], all: &mut Vec<Params>) -> Result<()> {
        let text = String::from_utf8_lossy(content);
        let wrong = |cause: String| format!("unable to process file '{file}': unable to parse file: {cause}");
        let value = parse_yaml(&text).or_else(|cause| failed(self.place, wrong(cause)))?;
        let maps = match value {
            Json::Null => vec![Json::Object(serde_json::Map::new())],
            Json::Array(items) => items,
            value => vec![value],
        };
        for map in maps {
            let Some(params) = params_of(&map, self.world.language.is_go()) else {
                return failed(self.place, wrong("it holds what is not a map".to_owned()));
            };
            let (folder, name) = file.rsplit_once('/').unwrap_or((".", file));
            self.add_path(&params, folder, Some(name));
            add_values(self.options, &params, self.place, self.world.language)?;
            all.push(params);
        }
        Ok(())
    }

    /// The parameters about the path, with a file's name where there is one.
    fn add_path(&self, params: &Params, folder: &str, file: Option<&str>) {
        let basename = folder.rsplit('/').next().unwrap_or(folder);
        let mut texts = vec![("basename", basename.to_owned()), ("basenameNormalized", normalized(basename))];
        if let Some(file) = file {
            texts.push(("filename", file.to_owned()));
            texts.push(("filenameNormalized", normalized(file)));
        }
        if self.world.language.is_go() {
            let path = Map::new();
            path.insert(Text::from("path"), Value::text(folder));
            path.insert(Text::from("segments"), Value::List(List::of_texts(folder.split('/'))));
            for (key, text) in texts {
                path.insert(Text::from(key), Value::text(text));
            }
            if self.prefix.is_empty() {
                params.insert(Text::from("path"), Value::Map(path));
            } else {
                params.insert(Text::from(self.prefix), Value::map([(Text::from("path"), Value::Map(path))]));
            }
            return;
        }
        let name = if self.prefix.is_empty() { "path".to_owned() } else { format!("{}.path", self.prefix) };
        params.insert(Text::from(name.as_str()), Value::text(folder));
        for (key, text) in texts {
            params.insert(Text::from(format!("{name}.{key}")), Value::text(text));
        }
        for (index, segment) in folder.split('/').enumerate().filter(|(_, segment)| !segment.is_empty()) {
            params.insert(Text::from(format!("{name}[{index}]")), Value::text(segment));
        }
    }
}
