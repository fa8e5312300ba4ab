//! A cluster that is a folder: `kubectl get -o yaml` dumps, Lists, any file layout.
//!
//! In: a folder. Out: the same answers as an API server gives, without requests: objects by kind, [`Kinds`] from the
//! table of this build and the `CustomResourceDefinition`s in the folder. Every document is read when the folder is
//! opened; one that cannot be read makes the whole folder unknown, because the object in it must not look missing. Whoever
//! watches it makes it read again when its files change.
//!
//! Of several documents for one object the last one in the order of the files counts.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use futures::future::{BoxFuture, FutureExt, ready};
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{
    Cluster, ClusterError, ListRequest, LogRequest, ObjectName, Predicted, Requests, Watched, reduce_to_metadata,
};
use crate::object::kinds::NEWEST_KUBERNETES;
use crate::object::yaml::{self, Limits, WithPositions};
use crate::object::{GroupKind, Gvk, Key, KindFacts, Kinds, Object, Origin, Pointer, Scope};

/// At most this many broken documents are named in one error.
const SHOWN_FAULTS: usize = 10;
/// How often a folder that is watched is looked at.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);

/// A folder of manifests, read.
#[derive(Debug)]
pub struct Folder {
    name: String,
    path: PathBuf,
    read: RwLock<Arc<Read>>,
    /// When it was last looked at; held while somebody looks.
    looked: tokio::sync::Mutex<Option<Instant>>,
}

/// What is in it, as it was last read.
#[derive(Debug)]
struct Read {
    kinds: Arc<Kinds>,
    objects: BTreeMap<GroupKind, Vec<Object>>,
    remarks: BTreeMap<String, String>,
    files: Vec<FileState>,
}

/// What tells whether a file has changed: its path, when it was written, and its length.
type FileState = (PathBuf, Option<SystemTime>, u64);

impl Read {
    /// Reads every YAML and JSON file of a folder.
    fn folder(folder: &Path) -> Result<Self, ClusterError> {
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
        // Before they are read: what is written meanwhile counts as changed.
        let files = states_of(manifest_files(folder).map_err(wrong)?);
        for (file, ..) in &files {
            let shown = file.strip_prefix(folder).unwrap_or(file).display().to_string();
            contents.read_file(file, &Arc::from(shown));
        }
        if !contents.faults.is_empty() {
            return Err(wrong(told(&contents.faults)));
        }
        Ok(contents.settle(files))
    }

    /// Reads it again where a file has changed, came or went.
    fn again(&self, folder: &Path) -> Result<Option<Self>, ClusterError> {
        let is_same = manifest_files(folder).is_ok_and(|files| states_of(files) == self.files);
        if is_same { Ok(None) } else { Self::folder(folder).map(Some) }
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

impl Folder {
    /// Reads every YAML and JSON file of a folder.
    pub fn open(folder: &Path) -> Result<Self, ClusterError> {
        Ok(Self {
            name: folder.display().to_string(),
            path: folder.to_owned(),
            read: RwLock::new(Arc::new(Read::folder(folder)?)),
            looked: tokio::sync::Mutex::default(),
        })
    }

    fn read(&self) -> Arc<Read> {
        Arc::clone(&self.read.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads what has changed, unless somebody has just looked.
    async fn look_again(&self) -> Result<(), ClusterError> {
        let mut looked = self.looked.lock().await;
        if looked.is_some_and(|looked| looked.elapsed() < LOOKED_AT_EVERY / 2) {
            return Ok(());
        }
        let (read, path) = (self.read(), self.path.clone());
        // A thread that panics has found nothing new.
        let again = tokio::task::spawn_blocking(move || read.again(&path)).await.unwrap_or(Ok(None))?;
        *looked = Some(Instant::now());
        if let Some(again) = again {
            *self.read.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(again);
        }
        Ok(())
    }

    /// What there is now, when it is something else than what was told.
    async fn other_than(&self, told: &Told) -> Result<Arc<Read>, ClusterError> {
        if matches!(told, Told::Nothing) {
            return Ok(self.read());
        }
        loop {
            sleep(LOOKED_AT_EVERY).await;
            self.look_again().await?;
            let read = self.read();
            if !matches!(told, Told::This(told) if Arc::ptr_eq(told, &read)) {
                return Ok(read);
            }
        }
    }
}

/// What a watch has told last.
enum Told {
    Nothing,
    This(Arc<Read>),
    Failure,
}

impl Cluster for Folder {
    fn name(&self) -> &str {
        &self.name
    }

    fn kinds(&self) -> BoxFuture<'_, Result<Arc<Kinds>, ClusterError>> {
        ready(Ok(Arc::clone(&self.read().kinds))).boxed()
    }

    fn list<'a>(&'a self, request: &'a ListRequest) -> BoxFuture<'a, Result<Vec<Object>, ClusterError>> {
        ready(Ok(self.read().select(request))).boxed()
    }

    fn watch(&self, request: ListRequest) -> BoxStream<'_, Result<Watched, ClusterError>> {
        stream::unfold(Told::Nothing, move |told| {
            let request = request.clone();
            async move {
                Some(match self.other_than(&told).await {
                    Ok(read) => (Ok(Watched::Listed(read.select(&request))), Told::This(read)),
                    Err(error) => (Err(error), Told::Failure),
                })
            }
        })
        .boxed()
    }

    fn get<'a>(&'a self, object: &'a ObjectName) -> BoxFuture<'a, Result<Option<Object>, ClusterError>> {
        let request =
            ListRequest { gvk: object.gvk.clone(), namespace: object.namespace.clone(), metadata_only: false };
        let found = self.read().select(&request).into_iter().find(|found| found.name() == object.name);
        ready(Ok(found)).boxed()
    }

    fn logs<'a>(&'a self, _request: &'a LogRequest) -> BoxFuture<'a, Result<String, ClusterError>> {
        ready(Ok(String::new())).boxed()
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
        self.read().remarks.clone()
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

    fn settle(mut self, files: Vec<FileState>) -> Read {
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
        Read { kinds: Arc::new(kinds), objects: by_kind, remarks: self.remarks, files }
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

fn states_of(files: Vec<PathBuf>) -> Vec<FileState> {
    let state = |file: PathBuf| match fs::metadata(&file) {
        Ok(metadata) => (file, metadata.modified().ok(), metadata.len()),
        // Gone again, or not to be read: reading it says so.
        Err(_) => (file, None, 0),
    };
    files.into_iter().map(state).collect()
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
