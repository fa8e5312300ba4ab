//! A cluster that is a folder: `kubectl get -o yaml` dumps, Lists, any file layout.
//!
//! In: a folder. Out: the same answers as an API server gives, without requests: objects by kind, [`Kinds`] from the
//! table of this build and the `CustomResourceDefinition`s in the folder. Every document is read when the folder is
//! opened; one that cannot be read makes the whole folder unknown, because the object in it must not look missing.
//!
//! Of several documents for one object the last one in the order of the files counts.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt, ready};
use serde_json::Value;

use super::{Cluster, ClusterError, ListRequest, ObjectName, Predicted, Requests, reduce_to_metadata};
use crate::object::kinds::NEWEST_KUBERNETES;
use crate::object::yaml::{self, Limits, WithPositions};
use crate::object::{GroupKind, Gvk, Key, KindFacts, Kinds, Object, Origin, Pointer, Scope};

/// At most this many broken documents are named in one error.
const SHOWN_FAULTS: usize = 10;

/// A folder of manifests, read.
#[derive(Debug)]
pub struct Folder {
    name: String,
    kinds: Arc<Kinds>,
    objects: BTreeMap<GroupKind, Vec<Object>>,
    remarks: BTreeMap<String, String>,
}

impl Folder {
    /// Reads every YAML and JSON file of a folder.
    pub fn open(folder: &Path) -> Result<Self, ClusterError> {
        let wrong = |problem: String| ClusterError::Folder { folder: folder.to_owned(), problem };
        match fs::metadata(folder) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(wrong("is a file, not a folder".to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(wrong("does not exist".to_owned()));
            }
            Err(error) => return Err(wrong(format!("cannot be read: {error}"))),
        }
        let mut contents = Contents::default();
        for file in manifest_files(folder).map_err(wrong)? {
            let shown = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
            contents.read_file(&file, &Arc::from(shown));
        }
        if !contents.faults.is_empty() {
            return Err(wrong(told(&contents.faults)));
        }
        Ok(contents.settle(folder))
    }

    fn select(&self, request: &ListRequest) -> Vec<Object> {
        let of_kind = self.objects.get(&request.gvk.group_kind()).map(Vec::as_slice).unwrap_or_default();
        of_kind
            .iter()
            .filter(|object| request.namespace.as_deref().is_none_or(|namespace| object.namespace() == namespace))
            .map(|object| if request.metadata_only { reduce_to_metadata(object) } else { object.clone() })
            .collect()
    }
}

impl Cluster for Folder {
    fn name(&self) -> &str {
        &self.name
    }

    fn kinds(&self) -> BoxFuture<'_, Result<Arc<Kinds>, ClusterError>> {
        ready(Ok(Arc::clone(&self.kinds))).boxed()
    }

    fn list<'a>(&'a self, request: &'a ListRequest) -> BoxFuture<'a, Result<Vec<Object>, ClusterError>> {
        ready(Ok(self.select(request))).boxed()
    }

    fn get<'a>(&'a self, object: &'a ObjectName) -> BoxFuture<'a, Result<Option<Object>, ClusterError>> {
        let request =
            ListRequest { gvk: object.gvk.clone(), namespace: object.namespace.clone(), metadata_only: false };
        let found = self.select(&request).into_iter().find(|found| found.name() == object.name);
        ready(Ok(found)).boxed()
    }

    fn predict<'a>(&'a self, _object: &'a Object) -> BoxFuture<'a, Result<Predicted, ClusterError>> {
        ready(Ok(Predicted::Unavailable("a folder cannot be asked".to_owned()))).boxed()
    }

    fn predict_without<'a>(
        &'a self,
        live: &'a Object,
        _places: &'a [Pointer],
    ) -> BoxFuture<'a, Result<Predicted, ClusterError>> {
        self.predict(live)
    }

    fn schema<'a>(&'a self, _kind: &'a Gvk) -> BoxFuture<'a, Result<Option<Arc<Value>>, ClusterError>> {
        ready(Ok(None)).boxed()
    }

    fn requests(&self) -> Requests {
        Requests::default()
    }

    fn remarks(&self) -> BTreeMap<String, String> {
        self.remarks.clone()
    }
}

/// What the files hold, while they are read.
#[derive(Default)]
struct Contents {
    objects: Vec<Object>,
    faults: Vec<String>,
    remarks: BTreeMap<String, String>,
}

impl Contents {
    fn read_file(&mut self, file: &Path, shown: &Arc<str>) {
        let bytes = match fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) => return self.faults.push(format!("`{shown}` cannot be read: {error}")),
        };
        let text = match yaml::decode(&bytes) {
            Ok(text) => text,
            Err(error) => return self.faults.push(format!("`{shown}`:{} {error}", error.line)),
        };
        for document in yaml::read(&text, &Limits::default(), WithPositions::No) {
            match document {
                Ok(document) => {
                    let origin = Origin { file: Arc::clone(shown), line: document.line };
                    self.take_document(document.value, &origin);
                }
                Err(error) => self.faults.push(format!("`{shown}`:{} {error}", error.line)),
            }
        }
    }

    /// A document is an object, a List of objects, or something that is not meant for Kubernetes at all.
    fn take_document(&mut self, value: Value, origin: &Origin) {
        let has = |field: &str| value.get(field).is_some_and(|value| !value.is_null());
        if !has("apiVersion") && !has("kind") {
            let place = format!("{}:{}", origin.file, origin.line);
            self.remarks.insert(place, "is no Kubernetes object and is left out".to_owned());
            return;
        }
        match items_of_list(value) {
            Ok(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    self.take_object(item, origin, &format!("item {index} of the List "));
                }
            }
            Err(value) => self.take_object(value, origin, ""),
        }
    }

    fn take_object(&mut self, value: Value, origin: &Origin, which: &str) {
        let place = format!("`{}`:{}", origin.file, origin.line);
        match Object::new(value) {
            Ok(object) if object.name().is_empty() => {
                self.faults.push(format!("{place} {which}has no `metadata.name`"));
            }
            Ok(object) => self.objects.push(object.with_origin(origin.clone())),
            Err(error) => self.faults.push(format!("{place} {which}{error}")),
        }
    }

    fn settle(mut self, folder: &Path) -> Folder {
        let mut kinds = Kinds::builtin(NEWEST_KUBERNETES).with_definitions(self.objects.iter());
        add_unknown_kinds(&mut kinds, &self.objects);
        let mut last: HashMap<Key, usize> = HashMap::new();
        let mut objects: Vec<Option<Object>> = Vec::with_capacity(self.objects.len());
        for mut object in std::mem::take(&mut self.objects) {
            place_in_namespace(&mut object, &kinds);
            let key = object.key();
            if let Some(earlier) = last.insert(key.clone(), objects.len()).and_then(|index| objects[index].take()) {
                let places = [&earlier, &object].map(|object| object.origin().map(place_of).unwrap_or_default());
                self.remarks
                    .insert(key.to_string(), format!("is in {} and in {}; the last one counts", places[0], places[1]));
            }
            objects.push(Some(object));
        }
        let mut by_kind: BTreeMap<GroupKind, Vec<Object>> = BTreeMap::new();
        for object in objects.into_iter().flatten() {
            by_kind.entry(object.gvk().group_kind()).or_default().push(object);
        }
        for of_kind in by_kind.values_mut() {
            of_kind.sort_by_cached_key(Object::key);
        }
        Folder { name: folder.display().to_string(), kinds: Arc::new(kinds), objects: by_kind, remarks: self.remarks }
    }
}

fn place_of(origin: &Origin) -> String {
    format!("{}:{}", origin.file, origin.line)
}

/// The items of a `List` or a `ConfigMapList`, each with `apiVersion` and `kind`; the value itself when it is no list.
fn items_of_list(mut value: Value) -> Result<Vec<Value>, Value> {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let Some(item_kind) = kind.strip_suffix("List") else { return Err(value) };
    let items = match value.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        // Go marshals an empty list of a typed List as null.
        Some(Value::Null) => Vec::new(),
        _ => return Err(value),
    };
    let filled = items.into_iter().map(|mut item| {
        if let Value::Object(fields) = &mut item
            && !item_kind.is_empty()
        {
            fields.entry("apiVersion").or_insert_with(|| Value::String(api_version.clone()));
            fields.entry("kind").or_insert_with(|| Value::String(item_kind.to_owned()));
        }
        item
    });
    Ok(filled.collect())
}

/// Kinds that neither this build nor a definition knows: namespaced when any object of them has a namespace.
fn add_unknown_kinds(kinds: &mut Kinds, objects: &[Object]) {
    let mut unknown: BTreeMap<GroupKind, (KindFacts, bool)> = BTreeMap::new();
    for object in objects {
        let gvk = object.gvk();
        if kinds.scope(&gvk.group_kind()).is_none() {
            let entry = unknown.entry(gvk.group_kind()).or_insert_with(|| {
                let plural = format!("{}s", gvk.kind.to_lowercase());
                let verbs = ["get", "list"].map(str::to_owned).to_vec();
                (KindFacts { gvk, plural, scope: Scope::Cluster, verbs }, false)
            });
            entry.1 |= !object.namespace().is_empty();
        }
    }
    for (mut facts, has_namespace) in unknown.into_values() {
        if has_namespace {
            facts.scope = Scope::Namespaced;
        }
        kinds.add(facts);
    }
}

/// As the API server stores it: namespaced objects without a namespace live in `default`, cluster-scoped ones in none.
fn place_in_namespace(object: &mut Object, kinds: &Kinds) {
    match kinds.scope(&object.gvk().group_kind()) {
        Some(Scope::Namespaced) if object.namespace().is_empty() => object.set_namespace(Some("default")),
        Some(Scope::Cluster) => object.set_namespace(None),
        _ => {}
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

fn told(faults: &[String]) -> String {
    let shown = faults.iter().take(SHOWN_FAULTS).cloned().collect::<Vec<_>>().join("; ");
    match faults.len().saturating_sub(SHOWN_FAULTS) {
        0 => shown,
        rest => format!("{shown}; and {rest} more documents"),
    }
}
