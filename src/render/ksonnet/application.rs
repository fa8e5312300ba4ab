//! What a ksonnet application says about itself: its `app.yaml`, and the environment that is rendered.
//!
//! In: the application's folder and the name of an environment. Out: where the environment is, what it is for, and which modules
//! belong to it.
//!
//! Rules: ksonnet pkg/app/schema010.go to schema030.go; `spec.json` of an environment, as applications before 0.1.0 have it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::KsonnetError;
use crate::object::yaml::{self, Limits, WithPositions};
use crate::render::{RenderError, RenderInput, paths};

/// The versions of `app.yaml` that ksonnet had since its environments are in it.
const VERSIONS: [&str; 3] = ["0.1.0", "0.2.0", "0.3.0"];

/// One environment of an application.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Environment {
    /// Its folder below `environments/`; empty means its name.
    pub(super) path: String,
    /// The Kubernetes version, which names the folder of the generated library.
    pub(super) k8s_version: String,
    /// Its modules; none means the root module.
    pub(super) targets: Vec<String>,
    destination: KsonnetDestination,
    /// Libraries of this environment; [`environment`] adds those of the application.
    libraries: BTreeMap<String, Option<Library>>,
}

/// A library that the application uses.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Library {
    registry: String,
    version: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct KsonnetDestination {
    server: String,
    namespace: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AppManifest {
    api_version: String,
    kind: String,
    environments: BTreeMap<String, Option<Environment>>,
    libraries: BTreeMap<String, Option<Library>>,
}

/// Whether a file is the `app.yaml` of a ksonnet application.
pub(in crate::render) fn is_application(file: &Path) -> bool {
    let manifest = fs::read(file).ok().and_then(|bytes| manifest(&bytes).ok());
    manifest
        .is_some_and(|manifest| manifest.kind == "ksonnet.io/app" && VERSIONS.contains(&manifest.api_version.as_str()))
}

/// The environment that the source asks for.
pub(super) fn environment(input: &RenderInput<'_>) -> Result<Environment, RenderError> {
    let shown = |name: &str| paths::relative(input.root, &input.folder.join(name));
    let file = read(input, "app.yaml")?;
    let manifest = manifest(&file).map_err(|fault| KsonnetError::Manifest { file: shown("app.yaml"), fault })?;
    let asked = input.source.ksonnet.as_ref().map(|ksonnet| ksonnet.environment.as_str()).unwrap_or_default();
    let known: Vec<String> = manifest.environments.keys().cloned().collect();
    let Some(environment) = manifest.environments.into_iter().find(|(name, _)| name == asked) else {
        return Err(KsonnetError::Environment { file: shown("app.yaml"), name: asked.to_owned(), known }.into());
    };
    let mut environment = environment.1.unwrap_or_default();
    environment.libraries = libraries(manifest.libraries, std::mem::take(&mut environment.libraries));
    if environment.path.is_empty() {
        asked.clone_into(&mut environment.path);
    }
    let specification = format!("environments/{}/spec.json", environment.path);
    if environment.destination.server.is_empty() && input.folder.join(&specification).exists() {
        let bytes = read(input, &specification)?;
        let value =
            first_value(&bytes).map_err(|fault| KsonnetError::Manifest { file: shown(&specification), fault })?;
        environment.destination = of_specification(&value);
    }
    Ok(environment)
}

impl Environment {
    /// The value of `std.extVar("__ksonnet/environments")`.
    pub(super) fn destination(&self) -> Value {
        json!({"server": self.destination.server, "namespace": self.destination.namespace})
    }

    /// The name by which imports know each of its libraries with a version, and the library's folder below `vendor/`.
    ///
    /// Rule: ksonnet pkg/env/env.go `revendorPackages`, pkg/pkg/pkg.go `buildPath`.
    pub(super) fn packages(&self) -> impl Iterator<Item = (&str, String)> {
        let libraries = self.libraries.iter().filter_map(|(name, library)| Some((name, library.as_ref()?)));
        let versioned = libraries.filter(|(_, library)| !library.version.is_empty());
        versioned.map(|(name, library)| (name.as_str(), format!("{name}@{}", library.version)))
    }

    /// Its modules, sorted; `/` is the root module.
    pub(super) fn modules(&self) -> Vec<String> {
        let mut modules = self.targets.clone();
        if modules.is_empty() {
            modules.push("/".to_owned());
        }
        modules.sort();
        modules.dedup();
        modules
    }
}

/// All libraries of an environment as `<registry>/<package>`; its own count more than those of the application.
///
/// Rule: ksonnet pkg/registry `PackagesForEnv`; pkg/app/schema030.go `qualifyLibName`.
fn libraries(
    of_application: BTreeMap<String, Option<Library>>,
    of_environment: BTreeMap<String, Option<Library>>,
) -> BTreeMap<String, Option<Library>> {
    let named = of_application.into_iter().chain(of_environment).filter_map(|(key, library)| {
        let library = library?;
        let package = key.rsplit('/').next().unwrap_or_default();
        Some((format!("{}/{package}", library.registry), Some(library)))
    });
    named.collect()
}

fn of_specification(value: &Value) -> KsonnetDestination {
    let destination = value.get("destination").unwrap_or(value);
    let text = |name: &str| destination.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    KsonnetDestination { server: text("server"), namespace: text("namespace") }
}

fn manifest(bytes: &[u8]) -> Result<AppManifest, String> {
    serde_json::from_value(first_value(bytes)?).map_err(|error| error.to_string())
}

/// The first document of a file.
fn first_value(bytes: &[u8]) -> Result<Value, String> {
    first_of(bytes).map(|(value, _)| value)
}

/// The first document of a file, and how many there are.
pub(super) fn first_of(bytes: &[u8]) -> Result<(Value, usize), String> {
    let text = yaml::decode(bytes).map_err(|error| error.message)?;
    let documents = yaml::read(&text, &Limits::default(), WithPositions::No);
    let count = documents.len();
    match documents.into_iter().next() {
        Some(Ok(document)) => Ok((document.value, count)),
        Some(Err(error)) => Err(format!("line {}: {}", error.line, error.message)),
        None => Ok((Value::Null, 0)),
    }
}

/// A file of the application, which is in the checkout.
pub(super) fn read(input: &RenderInput<'_>, name: &str) -> Result<Vec<u8>, RenderError> {
    let path = input.folder.join(name);
    let shown = paths::relative(input.root, &path);
    let file = paths::resolve(input.root, &path).map_err(|fault| fault.of(&shown))?;
    fs::read(file).map_err(|source| RenderError::Unreadable { file: shown, source })
}
