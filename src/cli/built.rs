//! Renders the charts and kustomizations that contain Applications: `--chart DIR`, `-k DIR`.
//!
//! In: folders of this machine. Out: the Applications, ApplicationSets and `AppProjects` that they render to, as
//! [`ManifestText`]s, and what went wrong. The files are read as they are, committed or not, as `kubectl -k` reads them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::arguments::inputs::InputArguments;
use super::arguments::source::SourceArguments;
use super::manifests;
use super::request;
use super::session::Session;
use crate::app::{self, Given, ManifestText};
use crate::cluster::ClusterSettings;
use crate::finding::{Code, Finding};
use crate::fleet::{self, Renders, Request};
use crate::object::kinds::NEWEST_KUBERNETES;
use crate::object::{Kinds, Object, yaml};
use crate::render::RenderSettings;
use crate::report::findings_of;
use crate::secret::RepoUrl;
use crate::source::Override;

/// How many folders are rendered side by side.
const CONCURRENCY: usize = 10;

/// The manifests in the folders, and what went wrong; an error where a folder does not exist.
pub(super) async fn read(
    input: &InputArguments,
    sources: &SourceArguments,
    render: &RenderSettings,
    session: &Session,
) -> Result<(Vec<ManifestText>, Vec<Finding>), Vec<Finding>> {
    let folders: Vec<BuiltFolder> = input
        .chart
        .iter()
        .chain(&input.kustomization)
        .map(|folder| built_folder(folder))
        .collect::<Result<_, _>>()
        .map_err(|finding| vec![finding])?;
    if folders.is_empty() {
        return Ok(Default::default());
    }
    // Only these renders may read the folders as they are.
    let mut sources = SourceArguments { revision: None, ..sources.clone() };
    for folder in &folders {
        if folder.root.join(".git").exists() {
            let url = RepoUrl::new(folder.root.to_string_lossy());
            sources.repo.push(Override { url, path: folder.root.clone() });
        } else {
            sources.allow_local.push(folder.root.clone());
        }
    }
    let clusters = ClusterSettings { concurrency: CONCURRENCY, ..ClusterSettings::default() };
    let world = request::world(sources, clusters, session)?;
    let (mut texts, mut findings) = (Vec::new(), Vec::new());
    let kinds = Arc::new(Kinds::builtin(NEWEST_KUBERNETES));
    for folder in &folders {
        let mut request = Request { render: render.clone(), concurrency: CONCURRENCY, ..Request::default() };
        request.applications = app::read(&[folder.application()]).applications;
        let rendered = fleet::render(request, &world, Arc::clone(&kinds), Renders::Once).await;
        let rendered = rendered.map_err(|errors| errors.iter().map(|error| Finding::of(error)).collect::<Vec<_>>())?;
        findings.extend(findings_of(&rendered.run));
        let Some(objects) = rendered.applications.into_iter().find_map(|one| one.objects) else { continue };
        if !objects.iter().any(|object| matches!(object.kind(), "Application" | "ApplicationSet")) {
            findings.push(nothing_in(folder, objects.len()));
        }
        texts.extend(contained(&objects, &folder.given));
    }
    Ok((texts, findings))
}

/// The rendered Applications, ApplicationSets and `AppProjects` as files in a folder, which a relative `repoURL` starts from.
fn contained(objects: &[Object], folder: &Path) -> Vec<ManifestText> {
    let text = |object: &Object| {
        let given = match object.kind() {
            "Application" => Given::ByName,
            "ApplicationSet" | "AppProject" => Given::InFolder,
            _ => return None,
        };
        Some(ManifestText {
            name: object.origin().map_or_else(|| "a rendered manifest".to_owned(), |origin| origin.file.to_string()),
            bytes: yaml::write(&object.to_value()).into_bytes(),
            folder: folder.into(),
            given,
        })
    };
    objects.iter().filter(|object| object.api_version().starts_with("argoproj.io/")).filter_map(text).collect()
}

fn nothing_in(folder: &BuiltFolder, count: usize) -> Finding {
    let message = format!("{}: renders no Application, but {count} other objects", folder.given.display());
    Finding::error(Code::AppNoApplication, message)
        .with_help("name a chart or kustomization that contains Applications or ApplicationSets")
}

/// A chart or kustomization of this machine, in the working tree that it may read.
struct BuiltFolder {
    root: PathBuf,
    path: PathBuf,
    /// As the user named it.
    given: PathBuf,
}

fn built_folder(folder: &Path) -> Result<BuiltFolder, Finding> {
    let real = std::fs::canonicalize(folder).ok().filter(|real| real.is_dir()).ok_or_else(|| {
        let finding = Finding::error(Code::CliNoSuchPath, format!("{}: no such folder", folder.display()));
        finding.with_help(manifests::nearest_path(folder))
    })?;
    let root = real.ancestors().find(|above| above.join(".git").exists()).unwrap_or(&real).to_owned();
    let path = real.strip_prefix(&root).map(Path::to_owned).unwrap_or_default();
    Ok(BuiltFolder { root, path, given: folder.to_owned() })
}

impl BuiltFolder {
    /// An Application of the folder, which is rendered and not part of the run.
    fn application(&self) -> ManifestText {
        let path = if self.path.as_os_str().is_empty() { ".".into() } else { self.path.to_string_lossy() };
        let manifest: Value = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": { "name": "expand" },
            "spec": {
                "project": "default",
                "source": { "repoURL": self.root.to_string_lossy(), "path": path, "targetRevision": "HEAD" },
                "destination": { "server": "https://kubernetes.default.svc", "namespace": "argocd" },
            }
        });
        ManifestText {
            name: self.given.display().to_string(),
            bytes: manifest.to_string().into_bytes(),
            folder: ".".into(),
            given: Given::ByName,
        }
    }
}
