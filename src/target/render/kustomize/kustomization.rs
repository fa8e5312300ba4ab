//! The kustomization of a folder: the file, and what it says.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::KustomizeError;
use crate::object::yaml::{self, Limits, WithPositions};

/// What Kustomize calls one.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The kustomization of a folder.
#[derive(Debug)]
pub(super) struct Kustomization {
    /// The file.
    path: PathBuf,
    /// The file as a reader knows it.
    pub(super) shown: String,
    /// What it says.
    pub(super) fields: Map<String, Value>,
}

impl Kustomization {
    /// The one of a folder, which a reader knows as `shown`; nothing when it has none.
    pub(super) fn of(folder: &Path, shown: &str) -> Result<Option<Self>, KustomizeError> {
        let files: Vec<&str> = NAMES.into_iter().filter(|name| folder.join(name).exists()).collect();
        let name = match files[..] {
            [] => return Ok(None),
            [name] => name,
            _ => {
                let files = files.join(", ");
                return Err(KustomizeError::Several { folder: shown.to_owned(), files });
            }
        };
        let shown = if shown == "." { name.to_owned() } else { format!("{shown}/{name}") };
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(|source| KustomizeError::Unreadable { file: shown.clone(), source })?;
        let not_yaml = |error: yaml::YamlError| KustomizeError::NotYaml {
            file: shown.clone(),
            line: error.line,
            message: error.message,
        };
        let text = yaml::decode(&bytes).map_err(not_yaml)?;
        // Kustomize reads the first document alone.
        let document = yaml::read(&text, &Limits::default(), WithPositions::No).into_iter().next().transpose();
        let fields = match document.map_err(not_yaml)?.map(|document| document.value) {
            Some(Value::Object(fields)) => fields,
            None => Map::new(),
            Some(_) => return Err(KustomizeError::Unlike { file: shown, field: "the whole", expected: "map" }),
        };
        Ok(Some(Self { path, shown, fields }))
    }

    /// Writes it in place of its file, which may be one that cannot be written.
    pub(super) fn write(self) -> Result<(), KustomizeError> {
        let write = || -> io::Result<()> {
            fs::remove_file(&self.path)?;
            File::create(&self.path)?.write_all(yaml::write(&Value::Object(self.fields)).as_bytes())
        };
        write().map_err(|source| KustomizeError::Unreadable { file: self.shown, source })
    }

    /// A list of the kustomization; empty when it has none.
    pub(super) fn list(&mut self, field: &'static str) -> Result<&mut Vec<Value>, KustomizeError> {
        let value = self.fields.entry(field).or_insert(Value::Null);
        if value.is_null() {
            *value = Value::Array(Vec::new());
        }
        let unlike = KustomizeError::Unlike { file: self.shown.clone(), field, expected: "list" };
        value.as_array_mut().ok_or(unlike)
    }

    /// A map of the kustomization; empty when it has none.
    pub(super) fn map(&mut self, field: &'static str) -> Result<&mut Map<String, Value>, KustomizeError> {
        let value = self.fields.entry(field).or_insert(Value::Null);
        if value.is_null() {
            *value = Value::Object(Map::new());
        }
        let unlike = KustomizeError::Unlike { file: self.shown.clone(), field, expected: "map" };
        value.as_object_mut().ok_or(unlike)
    }

    /// The texts of a list; what is no text is left to Kustomize to complain about.
    pub(super) fn texts(&self, field: &str) -> impl Iterator<Item = &str> {
        let list = self.fields.get(field).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    }
}
