//! What a Kubernetes object is.
//!
//! In: bytes (YAML or JSON) and values. Out: an [`Object`] with its [`Origin`], its [`Key`], and the [`Kinds`] that
//! tell a namespaced kind from a cluster-scoped one. Pure: nothing here reads a file or a network.

pub mod annotations;
mod gap;
pub mod json;
mod key;
pub mod kinds;
pub mod mask;
mod pointer;
pub mod quantity;
mod string_data;
pub mod yaml;

pub use gap::{Gap, GapReason, SourceFile};
pub use key::{GroupKind, Gvk, Key};
pub use kinds::{KindFacts, Kinds, Scope};
pub use pointer::Pointer;

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

/// Where an object was written: a file and the line its document starts at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The file, relative to what the user knows (the source's repository, or the path given).
    pub file: Arc<str>,
    /// The line of the document's first content, counted from 1; 0 where only the file is known, as with a template.
    pub line: usize,
}

/// `file:line`, or the file alone.
impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => formatter.write_str(&self.file),
            line => write!(formatter, "{}:{line}", self.file),
        }
    }
}

/// A Kubernetes object: a JSON object with `apiVersion` and `kind`, and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    value: Map<String, Value>,
    origin: Option<Origin>,
    source_file: Option<SourceFile>,
}

/// Why a value is not a Kubernetes object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnObject {
    /// The document is a list, a string, a number …
    #[error("is {0}, not an object with `apiVersion` and `kind`")]
    NotAMap(&'static str),
    /// A field that every object has is not there, or is empty.
    #[error("has no `{0}`")]
    Missing(&'static str),
    /// A field that every object has is not text.
    #[error("`{0}` is {1}, not text")]
    NotText(&'static str, &'static str),
}

impl Object {
    /// Takes a value that has `apiVersion` and `kind`; `metadata` and its parts may be missing but not of another type.
    pub fn new(value: Value) -> Result<Self, NotAnObject> {
        let Value::Object(value) = value else { return Err(NotAnObject::NotAMap(type_name(&value))) };
        for field in ["apiVersion", "kind"] {
            match value.get(field) {
                Some(Value::String(text)) if !text.is_empty() => {}
                None | Some(Value::Null | Value::String(_)) => return Err(NotAnObject::Missing(field)),
                Some(other) => return Err(NotAnObject::NotText(field, type_name(other))),
            }
        }
        match value.get("metadata") {
            None | Some(Value::Null) => {}
            Some(Value::Object(metadata)) => {
                for (field, shown) in [
                    ("name", "metadata.name"),
                    ("namespace", "metadata.namespace"),
                    ("generateName", "metadata.generateName"),
                ] {
                    match metadata.get(field) {
                        None | Some(Value::Null | Value::String(_)) => {}
                        Some(other) => return Err(NotAnObject::NotText(shown, type_name(other))),
                    }
                }
            }
            Some(other) => return Err(NotAnObject::NotText("metadata", type_name(other))),
        }
        Ok(Self { value, origin: None, source_file: None })
    }

    /// Says where the object was written.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Where the object was written, if it was read from a file.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// Says which part of the application's git it is rendered from.
    #[must_use]
    pub fn with_source_file(mut self, source_file: SourceFile) -> Self {
        self.source_file = Some(source_file);
        self
    }

    /// Which part of the application's git it is rendered from; nothing for what is not.
    pub fn source_file(&self) -> Option<&SourceFile> {
        self.source_file.as_ref()
    }

    /// The whole object.
    pub fn value(&self) -> &Map<String, Value> {
        &self.value
    }

    /// The whole object, to change it; `apiVersion` and `kind` must stay text.
    pub fn value_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.value
    }

    /// The whole object as a JSON value.
    pub fn into_value(self) -> Value {
        Value::Object(self.value)
    }

    /// The whole object as a JSON value, copied.
    pub fn to_value(&self) -> Value {
        Value::Object(self.value.clone())
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> Gvk {
        Gvk::from_api_version(self.text("apiVersion"), self.text("kind"))
    }

    /// `apiVersion` as written.
    pub fn api_version(&self) -> &str {
        self.text("apiVersion")
    }

    /// `kind` as written.
    pub fn kind(&self) -> &str {
        self.text("kind")
    }

    /// `metadata.name`, or nothing for an object that only has `generateName`.
    pub fn name(&self) -> &str {
        self.metadata_text("name")
    }

    /// `metadata.generateName`, or nothing.
    pub fn generate_name(&self) -> &str {
        self.metadata_text("generateName")
    }

    /// `metadata.namespace`, or nothing.
    pub fn namespace(&self) -> &str {
        self.metadata_text("namespace")
    }

    /// Sets or, with `None`, removes `metadata.namespace`.
    pub fn set_namespace(&mut self, namespace: Option<&str>) {
        let metadata = self.value.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
        if metadata.is_null() {
            *metadata = Value::Object(Map::new());
        }
        if let Value::Object(metadata) = metadata {
            match namespace {
                Some(namespace) => {
                    metadata.insert("namespace".to_owned(), Value::String(namespace.to_owned()));
                }
                None => {
                    metadata.remove("namespace");
                }
            }
        }
    }

    /// `metadata`, if there is one.
    pub fn metadata(&self) -> Option<&Map<String, Value>> {
        self.value.get("metadata").and_then(Value::as_object)
    }

    /// One annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata()?.get("annotations")?.get(name)?.as_str()
    }

    /// One label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.metadata()?.get("labels")?.get(name)?.as_str()
    }

    /// Whether another object owns this one (`metadata.ownerReferences` is not empty).
    pub fn is_owned(&self) -> bool {
        self.metadata()
            .and_then(|metadata| metadata.get("ownerReferences"))
            .and_then(Value::as_array)
            .is_some_and(|owners| !owners.is_empty())
    }

    /// `metadata.uid`, or nothing for an object that no server has seen.
    pub fn uid(&self) -> &str {
        self.metadata_text("uid")
    }

    /// `metadata.resourceVersion`, or nothing for an object that no server has seen.
    pub fn resource_version(&self) -> &str {
        self.metadata_text("resourceVersion")
    }

    /// Sets `metadata.resourceVersion`: a write that carries it only replaces what was seen.
    pub fn set_resource_version(&mut self, version: &str) {
        if let Some(metadata) = self.value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("resourceVersion".to_owned(), Value::String(version.to_owned()));
        }
    }

    /// `metadata.finalizers`.
    pub fn finalizers(&self) -> Vec<&str> {
        let finalizers = self.metadata().and_then(|metadata| metadata.get("finalizers")).and_then(Value::as_array);
        finalizers.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Sets one label.
    pub fn set_label(&mut self, name: &str, value: &str) {
        self.set_text("labels", name, value);
    }

    /// Sets an annotation.
    pub fn set_annotation(&mut self, name: &str, value: &str) {
        self.set_text("annotations", name, value);
    }

    fn set_text(&mut self, field: &str, name: &str, value: &str) {
        let metadata = self.value.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
        if metadata.is_null() {
            *metadata = Value::Object(Map::new());
        }
        let Value::Object(metadata) = metadata else { return };
        let texts = metadata.entry(field).or_insert_with(|| Value::Object(Map::new()));
        if texts.is_null() {
            *texts = Value::Object(Map::new());
        }
        if let Value::Object(texts) = texts {
            texts.insert(name.to_owned(), Value::String(value.to_owned()));
        }
    }

    /// The identity of this object: group, kind, namespace and name, without the version.
    pub fn key(&self) -> Key {
        Key {
            group: self.gvk().group,
            kind: self.kind().to_owned(),
            namespace: self.namespace().to_owned(),
            name: self.name().to_owned(),
        }
    }

    fn text(&self, field: &str) -> &str {
        self.value.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn metadata_text(&self, field: &str) -> &str {
        self.metadata().and_then(|metadata| metadata.get(field)).and_then(Value::as_str).unwrap_or_default()
    }
}

/// A JSON value's type, in the words of an error message.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
