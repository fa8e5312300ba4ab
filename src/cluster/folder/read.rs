//! Reads a folder of manifests: every document of every file, and what they say of kinds.
//!
//! In: a folder. Out: a [`FolderView`]. One document that cannot be read makes the whole folder unknown, because the object in it
//! must not look missing. Of several documents for one object the last one in the order of the files counts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::names::OWN_FOLDER;
use super::rendered::{RenderedFiles, track};
use super::text::{FolderText, items_of_list};
use super::view::{FileState, FolderView, Stored, kinds_of, place_in_namespace};
use crate::cluster::ClusterError;
use crate::object::annotations::is_hook;
use crate::object::{Object, Origin};

/// At most this many broken documents are named in one error.
const SHOWN_FAULTS: usize = 10;

/// Reads every YAML and JSON file of a folder.
pub(super) fn read(folder: &Path) -> Result<FolderView, ClusterError> {
    let wrong = |problem: String| ClusterError::Folder { folder: folder.to_owned(), problem };
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(wrong("is a file, not a folder".to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(wrong("does not exist".to_owned())),
        Err(error) => return Err(wrong(format!("cannot be read: {error}"))),
    }
    let mut contents = Contents::default();
    // Before they are read: what is written meanwhile counts as changed.
    let states = states(folder)?;
    let own = folder.join(OWN_FOLDER);
    let own = if own.is_dir() { manifest_files(&own).map_err(wrong)? } else { Vec::new() };
    for file in states.iter().map(|(file, ..)| file).chain(&own) {
        let shown = file.strip_prefix(folder).unwrap_or(file).display().to_string();
        contents.read_file(file, &Arc::from(shown));
    }
    if !contents.faults.is_empty() {
        return Err(wrong(first_of(&contents.faults)));
    }
    Ok(contents.settle(states))
}

/// Every file of a folder as it is now; records and locks are not among them.
pub(super) fn states(folder: &Path) -> Result<Vec<FileState>, ClusterError> {
    let wrong = |problem: String| ClusterError::Folder { folder: folder.to_owned(), problem };
    let state = |file: PathBuf| match fs::metadata(&file) {
        Ok(metadata) => (file, metadata.modified().ok(), metadata.len()),
        // Gone again, or not to be read: reading it says so.
        Err(_) => (file, None, 0),
    };
    Ok(manifest_files(folder).map_err(wrong)?.into_iter().map(state).collect())
}

/// The content of the files, while they are read.
#[derive(Default)]
struct Contents {
    rendered: RenderedFiles,
    /// Each with the application that it was rendered for.
    objects: Vec<(Stored, Option<String>)>,
    faults: Vec<String>,
    remarks: BTreeMap<String, String>,
}

impl Contents {
    fn read_file(&mut self, file: &Path, shown: &Arc<str>) {
        let bytes = match fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) => return self.faults.push(format!("`{shown}` cannot be read: {error}")),
        };
        let (text, faults) = match FolderText::read(&bytes) {
            Ok(read) => read,
            Err(error) => return self.faults.push(format!("`{shown}`:{} {error}", error.line)),
        };
        self.faults.extend(faults.iter().map(|error| format!("`{shown}`:{} {error}", error.line)));
        let application = self.rendered.application_of(file, &bytes);
        let first = self.objects.len();
        for (document, mark) in text.into_documents() {
            let origin = Origin { file: Arc::clone(shown), line: document.line };
            self.take_document(document.value, &origin, mark);
        }
        self.objects[first..].iter_mut().for_each(|(_, of)| of.clone_from(&application));
    }

    /// A document is an object, a List of objects, or something that is not meant for Kubernetes at all.
    fn take_document(&mut self, value: Value, origin: &Origin, mark: Option<String>) {
        let has = |field: &str| value.get(field).is_some_and(|value| !value.is_null());
        if !has("apiVersion") && !has("kind") {
            let place = format!("{}:{}", origin.file, origin.line);
            self.remarks.insert(place, "is not a Kubernetes object and is skipped".to_owned());
            return;
        }
        match items_of_list(value) {
            Ok(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    self.take_object(item, origin, &format!("item {index} of the List "), None);
                }
            }
            Err(value) => self.take_object(value, origin, "", mark),
        }
    }

    fn take_object(&mut self, value: Value, origin: &Origin, which: &str, mark: Option<String>) {
        let place = format!("`{}`:{}", origin.file, origin.line);
        match Object::new(value) {
            // Each sync creates it under another name, so the folder cannot hold it.
            Ok(object) if object.name().is_empty() && !object.generate_name().is_empty() => {
                if !is_hook(&object) {
                    let place = format!("{}:{}", origin.file, origin.line);
                    self.remarks.insert(place, "has only `generateName` and is not compared".to_owned());
                }
            }
            Ok(object) if object.name().is_empty() => {
                self.faults.push(format!("{place} {which}has no `metadata.name`"));
            }
            Ok(object) => {
                self.objects.push((Stored { object: object.with_origin(origin.clone()), mark }, None));
            }
            Err(error) => self.faults.push(format!("{place} {which}{error}")),
        }
    }

    fn settle(self, files: Vec<FileState>) -> FolderView {
        let kinds = kinds_of(|| self.objects.iter().map(|(stored, _)| &stored.object));
        let mut view = FolderView::new(kinds, self.remarks, files);
        for (mut stored, application) in self.objects {
            place_in_namespace(&mut stored.object, &view.kinds);
            if let Some(application) = application {
                track(&mut stored.object, &application);
            }
            view.add(stored);
        }
        view
    }
}

/// Every manifest below a folder, in stable order. Hidden files and folders are left out, as are links to folders.
fn manifest_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let cannot = |error: std::io::Error| format!("`{}` cannot be read: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if entry.file_type().map_err(cannot)?.is_dir() {
                folders.push(path);
            } else if is_manifest(&path) && path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn is_manifest(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

fn first_of(faults: &[String]) -> String {
    let shown = faults.iter().take(SHOWN_FAULTS).cloned().collect::<Vec<_>>().join("; ");
    match faults.len().saturating_sub(SHOWN_FAULTS) {
        0 => shown,
        rest => format!("{shown}; and {rest} more documents"),
    }
}
