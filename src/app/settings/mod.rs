//! What a team has set for Argo CD itself: the ConfigMap `argocd-cm`, from a file or from a cluster.
//!
//! In: the text of a manifest file that holds it, or the object. Out: [`Settings`], its keys and texts, which each part
//! reads for itself: what is compared and how ([`ComparisonSettings`]), how it is rendered ([`RenderingSettings`]), and health
//! ([`HealthSettings`]). Secrets of repositories are [`Repositories`], those of clusters [`RegisteredClusters`]. Keys that nothing here reads are left alone: the
//! ConfigMap configures a whole Argo CD.

mod clusters;
mod comparison;
mod exclusions;
mod global_projects;
mod health;
mod ignore;
mod rendering;
mod repositories;
mod tracking;

pub use clusters::{
    ClusterCredential, ClusterLogin, ClusterSecretFault, CredentialProgram, LOCAL_CLUSTER, RegisteredCluster,
    RegisteredClusters,
};
pub use comparison::{ComparisonSettings, StatusField};
pub use exclusions::Exclusions;
pub use global_projects::GlobalProject;
pub use health::{Customization, HealthSettings, Script};
pub use ignore::SystemIgnore;
pub use rendering::RenderingSettings;
pub use repositories::{
    ClientCertificate, GithubApp, Opener, Repositories, RepositoriesError, Repository, RepositoryKind,
};
pub use tracking::{TrackingMethod, TrackingSettings};

use std::collections::BTreeMap;

use serde_json::Value;

use crate::object::yaml::{self, Limits, WithPositions};
use crate::object::{Object, type_name};

/// The ConfigMap's name in every installation.
const NAME: &str = "argocd-cm";

/// The keys and texts of `argocd-cm`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The file that it is in; empty when there is none.
    pub file: String,
    /// `data`.
    pub data: BTreeMap<String, String>,
}

/// Why settings cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum SettingsError {
    /// The file is no YAML.
    #[error("{file}:{line}: cannot be read: {why}")]
    #[diagnostic(code(trueup::settings::yaml), help("`--argocd-cm` takes the manifest of the ConfigMap `argocd-cm`"))]
    Yaml {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// The fault.
        why: String,
    },
    /// The file has another thing in it.
    #[error("{file}: holds no ConfigMap named `argocd-cm`")]
    #[diagnostic(
        code(trueup::settings::none),
        help("`kubectl get configmap argocd-cm -n argocd -o yaml` prints the one of a cluster")
    )]
    NoConfigMap {
        /// The file.
        file: String,
    },
    /// A key holds no text.
    #[error("{file}: `{key}` is {found}, not text")]
    #[diagnostic(code(trueup::settings::value), help("write it as a block, after `|`"))]
    NotText {
        /// The file.
        file: String,
        /// The key.
        key: String,
        /// The description.
        found: &'static str,
    },
    /// A key's text does not say what it should.
    #[error("{file}: `{key}`: {why}")]
    #[diagnostic(code(trueup::settings::value), help("{help}"))]
    Value {
        /// The file.
        file: String,
        /// The key.
        key: String,
        /// The fault.
        why: String,
        /// The advice.
        help: String,
    },
}

impl Settings {
    /// Reads the manifest of `argocd-cm`; a file may hold other things beside it.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, SettingsError> {
        let unreadable = |line, why| SettingsError::Yaml { file: file.to_owned(), line, why };
        let text = yaml::decode(bytes).map_err(|error| unreadable(error.line, error.message))?;
        for document in yaml::read(&text, &Limits::default(), WithPositions::No) {
            let document = document.map_err(|error| unreadable(error.line, error.message))?;
            if let Some(data) = config_map(document.value) {
                return Self::of(file, &data);
            }
        }
        Err(SettingsError::NoConfigMap { file: file.to_owned() })
    }

    fn of(file: &str, data: &Value) -> Result<Self, SettingsError> {
        let entries = data.as_object().cloned().unwrap_or_default();
        let texts = entries.into_iter().map(|(key, value)| match value {
            Value::String(text) => Ok((key, text)),
            other => Err(SettingsError::NotText { file: file.to_owned(), key, found: type_name(&other) }),
        });
        Ok(Self { file: file.to_owned(), data: texts.collect::<Result<_, _>>()? })
    }

    /// A switch: `true` or `false`, off when it is not there.
    pub(crate) fn switch(&self, key: &str) -> Result<bool, SettingsError> {
        match self.data.get(key).map(|text| text.trim()) {
            None | Some("" | "false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => {
                Err(self.wrong(key, format!("`{other}` is neither `true` nor `false`"), "write \"true\" or \"false\""))
            }
        }
    }

    /// Reads the object itself, as a cluster has it; nothing when it is another one.
    pub fn of_object(place: &str, object: Object) -> Option<Result<Self, SettingsError>> {
        config_map(object.into_value()).map(|data| Self::of(place, &data))
    }

    /// Reads the YAML under a key; nothing when it is absent or empty.
    fn yaml(&self, key: &str, expected: &str) -> Result<Option<Value>, SettingsError> {
        self.data.get(key).map_or(Ok(None), |text| self.parse(key, text, expected))
    }

    /// Reads a text that is YAML.
    fn parse(&self, key: &str, text: &str, expected: &str) -> Result<Option<Value>, SettingsError> {
        let help = format!("it holds YAML: {expected}");
        match yaml::read(text, &Limits::default(), WithPositions::No).into_iter().next() {
            None => Ok(None),
            Some(Ok(document)) => Ok(Some(document.value).filter(|value| !value.is_null())),
            Some(Err(error)) => Err(self.wrong(key, format!("line {}: {}", error.line, error.message), &help)),
        }
    }

    pub(crate) fn wrong(&self, key: &str, why: String, help: &str) -> SettingsError {
        SettingsError::Value { file: self.file.clone(), key: key.to_owned(), why, help: help.to_owned() }
    }
}

/// The `data` of a document that is the ConfigMap, or a List that holds it.
fn config_map(value: Value) -> Option<Value> {
    let object = Object::new(value).ok()?;
    if object.kind() == "List" {
        let items = object.value().get("items")?.as_array()?.clone();
        return items.into_iter().find_map(config_map);
    }
    let is_it = object.api_version() == "v1" && object.kind() == "ConfigMap" && object.name() == NAME;
    is_it.then(|| object.value().get("data").cloned().unwrap_or(Value::Null))
}
