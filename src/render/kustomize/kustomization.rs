//! The kustomization of a folder: the file, and what it says.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::KustomizeError;
use crate::object::yaml::{self, Limits, WithPositions};

/// The file names of a kustomization.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The fields that are read or written here. Kustomize does not mind how large their letters are.
const FIELDS: [&str; 20] = [
    "bases",
    "buildMetadata",
    "commonAnnotations",
    "commonLabels",
    "components",
    "generators",
    "helmChartInflationGenerator",
    "helmCharts",
    "helmGlobals",
    "imageTags",
    "images",
    "labels",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "patches",
    "replicas",
    "resources",
    "transformers",
    "validators",
];

/// The kustomization of a folder.
#[derive(Debug)]
pub(super) struct Kustomization {
    /// The file.
    path: PathBuf,
    /// The file as a reader knows it.
    pub(super) shown: String,
    /// The text.
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
            Some(Value::Object(fields)) => with_known_letters(fields),
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
}

/// `Resources` is `resources` to Go, which takes the last in the order of bytes where there are both.
fn with_known_letters(fields: Map<String, Value>) -> Map<String, Value> {
    let fold =
        |name: &str| -> String { name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect() };
    let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    let known = |name: String| {
        let folded = fold(&name);
        FIELDS.iter().find(|known| fold(known) == folded).map_or(name, |known| (*known).to_owned())
    };
    fields.into_iter().map(|(name, value)| (known(name), value)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The name of a base must not hide where it leads.
    #[test]
    fn large_letters_make_no_other_field() {
        let fields = |value: Value| with_known_letters(value.as_object().unwrap().clone());
        for (written, expected) in [
            (json!({"Resources": ["a"], "NAMEPREFIX": "x-"}), json!({"resources": ["a"], "namePrefix": "x-"})),
            (json!({"re\u{17f}ources": ["a"]}), json!({"resources": ["a"]})),
            (json!({"resources": ["a"], "Resources": ["b"]}), json!({"resources": ["a"]})),
            (json!({"other": 1, "Kind": "Kustomization"}), json!({"other": 1, "Kind": "Kustomization"})),
        ] {
            assert_eq!(Value::Object(fields(written)), expected);
        }
    }
}
