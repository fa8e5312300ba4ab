//! One Application of manifest files: written out, or generated.

use crate::app::manifest_folder::ManifestFolder;

use serde_json::Value;

use super::explain::Explanation;
use super::rollout::RolloutPlace;
use crate::app::{Given, ManifestText, QualifiedName};
use crate::object::yaml;

/// An Application of manifest files.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundApplication {
    /// The manifest.
    pub manifest: Value,
    /// The ApplicationSet that generates it; empty when it is written out.
    pub application_set: String,
    /// The generator, such as `generators[0].list`; empty when it is written out.
    pub generator: String,
    /// Where its values come from, if asked for.
    pub explanation: Option<Explanation>,
    /// The repositories that tell the ApplicationSet from another one of its name.
    pub set_origin: String,
    /// The sync wave in the Application that contains it, or its ApplicationSet.
    pub wave: i64,
    /// Its step in the rollout of its ApplicationSet.
    pub rollout: RolloutPlace,
    /// The file, as the user knows it.
    pub file: String,
    /// The folder of the file.
    pub folder: ManifestFolder,
}

impl FoundApplication {
    /// Its namespace, which may be empty, and its name.
    pub fn identity(&self) -> (String, String) {
        let text =
            |pointer: &str| self.manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("/metadata/namespace"), text("/metadata/name"))
    }

    /// Its name with its namespace; the default one where its manifest has none.
    pub fn qualified_name(&self, default_namespace: &str) -> QualifiedName {
        let (namespace, name) = self.identity();
        QualifiedName::of(&namespace, &name, default_namespace)
    }

    /// The ApplicationSet that generates it, which is in its own namespace.
    pub fn generated_by(&self, default_namespace: &str) -> Option<QualifiedName> {
        let set = Some(&self.application_set).filter(|set| !set.is_empty())?;
        Some(QualifiedName::of(&self.identity().0, set, default_namespace))
    }

    /// The manifest as a file of its own, as Applications are read.
    pub fn text(&self) -> ManifestText {
        let name = if self.application_set.is_empty() {
            self.file.clone()
        } else {
            format!("{} ({} of ApplicationSet {})", self.file, self.generator, self.application_set)
        };
        ManifestText {
            name,
            bytes: yaml::write(&self.manifest).into_bytes(),
            folder: self.folder.clone(),
            given: Given::ByName,
        }
    }
}
