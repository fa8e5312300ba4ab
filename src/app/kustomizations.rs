//! What the kustomizations of a walked folder say about the files beside them: which are patches, and which are completed.
//!
//! In: the files of a walk. Out: for a file, the kustomization that names it as a patch, or that builds with it. What Kustomize
//! merges is a part of an object, however whole it looks.
//!
//! Rules: Kustomize api/types/kustomization.go, `resources`, `patches`, `patchesStrategicMerge`, `patchesJson6902`.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::manifest_text::{Given, ManifestText};
use crate::object::yaml::{self, Limits, WithPositions};

/// The kustomizations of a walk, by what they name.
#[derive(Debug, Default)]
pub(super) struct Kustomizations {
    patches: HashMap<PathBuf, String>,
    resources: HashMap<PathBuf, String>,
    folders: HashMap<PathBuf, String>,
}

impl Kustomizations {
    /// Reads the kustomizations among the files.
    pub(super) fn of(inputs: &[ManifestText]) -> Self {
        let mut found = Self::default();
        for input in inputs {
            let path = Path::new(&input.name);
            if path.file_name().is_some_and(|name| name == "kustomization.yaml" || name == "kustomization.yml") {
                let NamedFiles { patches, resources } = named(&input.bytes);
                let place = |file: String| (whole(&path.with_file_name(file)), input.name.clone());
                found.patches.extend(patches.into_iter().map(place));
                found.resources.extend(resources.into_iter().map(place));
                found.folders.insert(whole(path.parent().unwrap_or(Path::new(""))), input.name.clone());
            }
        }
        found
    }

    /// The kustomization that names this file of a walk as a patch.
    pub(super) fn patching(&self, input: &ManifestText) -> Option<&str> {
        named_in(&self.patches, input)
    }

    /// The kustomization that builds with this file of a walk: it names it, or lies beside it.
    pub(super) fn building(&self, input: &ManifestText) -> Option<&str> {
        named_in(&self.resources, input).or_else(|| {
            let folder = Path::new(&input.name).parent().unwrap_or(Path::new(""));
            self.folders.get(&whole(folder)).map(String::as_str).filter(|_| input.given == Given::InFolder)
        })
    }
}

/// Files that the user named count whatever a kustomization says.
fn named_in<'files>(files: &'files HashMap<PathBuf, String>, input: &ManifestText) -> Option<&'files str> {
    if input.given == Given::ByName {
        return None;
    }
    files.get(&whole(Path::new(&input.name))).map(String::as_str)
}

/// The files that a kustomization names.
#[derive(Debug, Default)]
struct NamedFiles {
    patches: Vec<String>,
    resources: Vec<String>,
}

/// The paths in a kustomization; none where it cannot be read, which is reported elsewhere.
fn named(bytes: &[u8]) -> NamedFiles {
    let Ok(text) = yaml::decode(bytes) else { return NamedFiles::default() };
    let Some(Ok(document)) = yaml::read(&text, &Limits::default(), WithPositions::No).into_iter().next() else {
        return NamedFiles::default();
    };
    let paths = |fields: &[&str]| {
        let lists = fields.iter().filter_map(|field| document.value.get(*field).and_then(Value::as_array)).flatten();
        let paths = lists.filter_map(|item| item.as_str().or_else(|| item.get("path").and_then(Value::as_str)));
        // A patch may also stand in the kustomization itself.
        paths.filter(|path| !path.contains('\n')).map(str::to_owned).collect()
    };
    NamedFiles {
        patches: paths(&["patches", "patchesStrategicMerge", "patchesJson6902"]),
        resources: paths(&["resources", "bases"]),
    }
}

/// The path without `.` and, as far as its text goes, without `..`.
fn whole(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut whole, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(whole.components().next_back(), Some(Component::Normal(_))) => {
                whole.pop();
            }
            other => whole.push(other),
        }
        whole
    })
}
