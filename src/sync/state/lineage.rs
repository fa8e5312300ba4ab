//! Which ApplicationSet or Application an application came from at its last sync, as its record has it.
//!
//! In: an Application, or the parent of its ApplySet. Out: a [`RecordedLineage`]. Pure.
//!
//! A label finds the records of applications that were generated; an annotation says the rest, so that a list of metadata is
//! enough. Rule: docs/record.md.

use serde::{Deserialize, Serialize};

use crate::app::{Application, QualifiedName};
use crate::object::Object;
use crate::object::annotations::{GENERATED, LINEAGE};

/// What the record of an application says about where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedLineage {
    /// The application's namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its project.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub project: String,
    /// The ApplicationSet that generated it, as `namespace/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_by: Option<String>,
    /// The repositories in the template of the ApplicationSet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub set_origin: String,
    /// The Application that contained it, as `namespace/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The repositories of that Application.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub parent_origin: String,
    /// Its finalizer for what it deployed; nothing where that outlives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalizer: Option<String>,
}

/// The finalizer by which Argo CD deletes what an Application deployed, and its variants.
const RESOURCES_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";

impl RecordedLineage {
    /// That of an application; nothing for one that is written out.
    pub fn of(application: &Application, argocd_namespace: &str) -> Option<Self> {
        let lineage = &application.lineage;
        if lineage.generated_by.is_none() && lineage.parent.is_none() {
            return None;
        }
        let QualifiedName { namespace, name } = application.qualified_name(argocd_namespace);
        let finalizer = application.finalizers.iter().find(|finalizer| finalizer.starts_with(RESOURCES_FINALIZER));
        Some(Self {
            namespace,
            name,
            project: application.project.clone(),
            generated_by: lineage.generated_by.as_ref().map(ToString::to_string),
            set_origin: lineage.set_origin.clone(),
            parent_origin: lineage.parent_origin.clone(),
            parent: lineage.parent.as_ref().map(ToString::to_string),
            finalizer: finalizer.cloned(),
        })
    }

    /// Reads it from a record's metadata; nothing where it has none.
    pub fn read(parent: &Object) -> Option<Self> {
        parent.label(GENERATED)?;
        serde_json::from_str(parent.annotation(LINEAGE)?).ok()
    }

    /// As the annotation has it.
    pub(super) fn text(&self) -> String {
        // Only texts are in it.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The application's name.
    pub fn qualified_name(&self) -> QualifiedName {
        QualifiedName { namespace: self.namespace.clone(), name: self.name.clone() }
    }
}
