//! Which application a file was rendered for.
//!
//! In: a file that was read. Out: the application whose `trueup render --output-dir` wrote it, by the list that is kept beside it.
//! Without that, an object that a change removes from git would belong to no application in a folder of rendered manifests, and the
//! comparison would not show it as extra.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::object::Object;
use crate::object::annotations::TRACKING_ID;
use crate::storage::RENDERED_LIST;

/// The lists that were read, by their folders: hash and name of each file.
#[derive(Debug, Default)]
pub(super) struct RenderedFiles {
    lists: BTreeMap<PathBuf, BTreeSet<(String, String)>>,
}

impl RenderedFiles {
    /// The application that a file was rendered for; none if it has changed since.
    pub(super) fn application_of(&mut self, file: &Path, bytes: &[u8]) -> Option<String> {
        let folder = file.parent()?;
        let list = self.lists.entry(folder.to_owned()).or_insert_with(|| read_list(folder));
        let name = file.file_name()?.to_str()?.to_owned();
        let is_listed = !list.is_empty() && list.contains(&(blake3::hash(bytes).to_hex().to_string(), name));
        is_listed.then(|| folder.file_name()?.to_str().map(str::to_owned)).flatten()
    }
}

fn read_list(folder: &Path) -> BTreeSet<(String, String)> {
    let text = fs::read_to_string(folder.join(RENDERED_LIST)).unwrap_or_default();
    let entries = text.lines().filter_map(|line| line.split_once("  "));
    entries.map(|(hash, name)| (hash.to_owned(), name.to_owned())).collect()
}

/// Marks an object as Argo CD does with the objects of an application, unless it has a mark.
///
/// Rule: Argo CD `util/argo/resource_tracking.go`, `BuildAppInstanceValue`.
pub(super) fn track(object: &mut Object, application: &str) {
    if object.annotation(TRACKING_ID).is_some() {
        return;
    }
    let key = object.key();
    let id = format!("{application}:{}/{}:{}/{}", key.group, key.kind, key.namespace, key.name);
    if let Some(Value::Object(metadata)) = object.value_mut().get_mut("metadata") {
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if let Value::Object(annotations) = annotations {
            annotations.insert(TRACKING_ID.to_owned(), json!(id));
        }
    }
}
