//! The objects of a folder, as a cluster would return them.
//!
//! In: objects as they stand in files. Out: objects by kind, each with a `resourceVersion` (a hash of its content, unless
//! it has one) and, where the file says that trueup wrote it, with a `managedFields` entry that says the same: a prune asks
//! for that proof. The entry changes with the content, so that nobody takes an edited object for an untouched one.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::names::{OWN_FOLDER, mark};
use crate::cluster::{ListRequest, reduce_to_metadata};
use crate::object::annotations::{APPLYSET_PART_OF, FIELD_MANAGER, HOOK_OF};
use crate::object::kinds::NEWEST_KUBERNETES;
use crate::object::{GroupKind, Key, KindFacts, Kinds, Object, Origin, Scope};

/// Shows whether a file has changed: its path, when it was written, and its length.
pub(super) type FileState = (PathBuf, Option<SystemTime>, u64);

/// An object as it stands in a file, and the mark before it.
pub(super) struct Stored {
    pub(super) object: Object,
    pub(super) mark: Option<String>,
}

/// The content of a folder.
#[derive(Debug, Default)]
pub(super) struct FolderView {
    pub(super) kinds: Arc<Kinds>,
    pub(super) remarks: BTreeMap<String, String>,
    objects: BTreeMap<GroupKind, BTreeMap<Key, Object>>,
    /// Files that hold an object, too, but do not count.
    others: HashMap<Key, Vec<Arc<str>>>,
    /// The files as they were when they were read.
    files: Vec<FileState>,
    /// Another one after each change.
    generation: u64,
}

impl FolderView {
    pub(super) fn new(kinds: Kinds, remarks: BTreeMap<String, String>, files: Vec<FileState>) -> Self {
        Self { kinds: Arc::new(kinds), remarks, files, ..Self::default() }
    }

    /// Distinguishes this view from one that was changed or read later, and the files as they were read.
    pub(super) fn state(&self) -> (u64, &[FileState]) {
        (self.generation, &self.files)
    }

    /// The view that comes after one of this generation.
    #[must_use]
    pub(super) fn after(self, generation: u64) -> Self {
        Self { generation: generation + 1, ..self }
    }

    /// Takes one object more; it counts instead of one that is there.
    pub(super) fn add(&mut self, stored: Stored) {
        let object = presented(stored);
        let key = object.key();
        let place = |object: &Object| object.origin().map(Origin::to_string).unwrap_or_default();
        let places = place(&object);
        let earlier = self.objects.entry(key.group_kind()).or_default().insert(key.clone(), object);
        if let Some(earlier) = earlier {
            let remark = format!("is in {} and in {places}; the last one counts", place(&earlier));
            self.remarks.insert(key.to_string(), remark);
            self.others.entry(key).or_default().extend(earlier.origin().map(|origin| Arc::clone(&origin.file)));
        }
    }

    /// Takes what an object is now.
    pub(super) fn put(&mut self, stored: Stored) -> Object {
        let object = presented(stored);
        let key = object.key();
        self.generation += 1;
        let is_known = self.kinds.scope(&key.group_kind()).is_some();
        self.objects.entry(key.group_kind()).or_default().insert(key.clone(), object.clone());
        if !is_known || is_definition(&key) {
            self.learn_kinds();
        }
        object
    }

    /// Forgets an object.
    pub(super) fn remove(&mut self, key: &Key) {
        self.generation += 1;
        if let Some(of_kind) = self.objects.get_mut(&key.group_kind()) {
            of_kind.remove(key);
        }
        self.others.remove(key);
        self.remarks.remove(&key.to_string());
        if is_definition(key) {
            self.learn_kinds();
        }
    }

    /// One object.
    pub(super) fn get(&self, key: &Key) -> Option<&Object> {
        self.objects.get(&key.group_kind())?.get(key)
    }

    /// Every file that holds an object.
    pub(super) fn files(&self, key: &Key) -> Vec<Arc<str>> {
        let others = self.others.get(key).into_iter().flatten();
        let file = self.get(key).and_then(Object::origin).map(|origin| &origin.file);
        let mut files: Vec<Arc<str>> = others.chain(file).map(Arc::clone).collect();
        files.dedup();
        files
    }

    /// The objects of one kind. What trueup keeps about itself is no object of anybody's when extras are looked for.
    pub(super) fn select(&self, request: &ListRequest) -> Vec<Object> {
        let of_kind = self.objects.get(&request.gvk.group_kind()).into_iter().flat_map(BTreeMap::values);
        of_kind
            .filter(|object| request.namespace.as_deref().is_none_or(|namespace| object.namespace() == namespace))
            .filter(|object| !(request.metadata_only && is_own(object)))
            .map(|object| if request.metadata_only { reduce_to_metadata(object) } else { object.clone() })
            .collect()
    }

    fn learn_kinds(&mut self) {
        self.kinds = Arc::new(kinds_of(|| self.objects.values().flat_map(BTreeMap::values)));
    }
}

fn is_own(object: &Object) -> bool {
    object.origin().is_some_and(|origin| origin.file.starts_with(OWN_FOLDER))
}

fn is_definition(key: &Key) -> bool {
    key.kind == "CustomResourceDefinition" && key.group == "apiextensions.k8s.io"
}

/// The object as a cluster would return it.
pub(super) fn presented(stored: Stored) -> Object {
    let Stored { mut object, mark: written } = stored;
    let version = version(&object);
    let is_ours = written.is_some_and(|written| written == mark(&object.key()));
    let (part_of, hook_of) = (object.label(APPLYSET_PART_OF).is_some(), object.annotation(HOOK_OF).is_some());
    let api_version = object.api_version().to_owned();
    if let Some(Value::Object(metadata)) = object.value_mut().get_mut("metadata") {
        let shown = metadata.entry("resourceVersion").or_insert(Value::Null);
        if shown.is_null() {
            *shown = json!(version);
        }
        if is_ours && (part_of || hook_of) {
            let mut held = Map::new();
            if part_of {
                held.insert("f:labels".to_owned(), json!({ format!("f:{APPLYSET_PART_OF}"): {} }));
            }
            if hook_of {
                held.insert("f:annotations".to_owned(), json!({ format!("f:{HOOK_OF}"): {} }));
            }
            let content = format!("v:\"{version}\"");
            metadata.entry("managedFields").or_insert_with(|| {
                json!([{
                    "manager": FIELD_MANAGER, "operation": "Apply", "apiVersion": api_version, "fieldsType": "FieldsV1",
                    "fieldsV1": { "f:metadata": held, content: {} },
                }])
            });
        }
    }
    object
}

/// A hash of what an object is: another one whenever anything of it is changed.
fn version(object: &Object) -> String {
    let mut hasher = blake3::Hasher::new();
    // Values with text keys, and writing to a hasher: neither can fail.
    let _ = serde_json::to_writer(&mut hasher, object.value());
    hasher.finalize().to_hex()[..16].to_owned()
}

/// Kubernetes' own kinds, those that are defined among the objects, and those that are used.
pub(super) fn kinds_of<'o, Objects: Iterator<Item = &'o Object>>(objects: impl Fn() -> Objects) -> Kinds {
    let mut kinds = Kinds::builtin(NEWEST_KUBERNETES).with_definitions(objects()).into_owned();
    add_unknown_kinds(&mut kinds, objects());
    kinds
}

/// Kinds that neither this build nor a definition knows: namespaced when any object of them has a namespace.
fn add_unknown_kinds<'o>(kinds: &mut Kinds, objects: impl Iterator<Item = &'o Object>) {
    let mut unknown: BTreeMap<GroupKind, (KindFacts, bool)> = BTreeMap::new();
    for object in objects {
        let gvk = object.gvk();
        if kinds.scope(&gvk.group_kind()).is_none() {
            let entry = unknown.entry(gvk.group_kind()).or_insert_with(|| {
                let plural = format!("{}s", gvk.kind.to_lowercase());
                let verbs = ["create", "delete", "get", "list", "patch", "update"].map(str::to_owned).to_vec();
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
pub(super) fn place_in_namespace(object: &mut Object, kinds: &Kinds) {
    match kinds.scope(&object.gvk().group_kind()) {
        Some(Scope::Namespaced) if object.namespace().is_empty() => object.set_namespace(Some("default")),
        Some(Scope::Cluster) => object.set_namespace(None),
        _ => {}
    }
}
