//! Which files Kustomize merges into others: what stands in them is a part of an object, however whole it looks.
//!
//! In: the files of a walk. Out: for a file that a kustomization names as a patch, that kustomization.
//!
//! Rules: Kustomize api/types/kustomization.go, `patches`, `patchesStrategicMerge`, `patchesJson6902`.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::manifests::ManifestText;
use crate::object::yaml::{self, Limits, WithPositions};

/// The patches, each with the name of the kustomization that has it.
#[derive(Debug, Default)]
pub(super) struct Patches(HashMap<PathBuf, String>);

impl Patches {
    /// Reads the kustomizations among the files.
    pub(super) fn of(inputs: &[ManifestText]) -> Self {
        let mut patches = HashMap::new();
        for input in inputs {
            let path = Path::new(&input.name);
            if path.file_name().is_some_and(|name| name == "kustomization.yaml" || name == "kustomization.yml") {
                let named = named(&input.bytes).into_iter();
                patches.extend(named.map(|patch| (whole(&path.with_file_name(patch)), input.name.clone())));
            }
        }
        Self(patches)
    }

    /// The kustomization that names this file.
    pub(super) fn kustomization(&self, input: &ManifestText) -> Option<&str> {
        self.0.get(&whole(Path::new(&input.name))).map(String::as_str)
    }
}

/// The paths of a kustomization's patches; none where it cannot be read, which is told elsewhere.
fn named(bytes: &[u8]) -> Vec<String> {
    let Ok(text) = yaml::decode(bytes) else { return Vec::new() };
    let Some(Ok(document)) = yaml::read(&text, &Limits::default(), WithPositions::No).into_iter().next() else {
        return Vec::new();
    };
    let items = ["patches", "patchesStrategicMerge", "patchesJson6902"]
        .into_iter()
        .filter_map(|field| document.value.get(field).and_then(Value::as_array))
        .flatten();
    let paths = items.filter_map(|item| item.as_str().or_else(|| item.get("path").and_then(Value::as_str)));
    // A patch may also stand in the kustomization itself.
    paths.filter(|path| !path.contains('\n')).map(str::to_owned).collect()
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
