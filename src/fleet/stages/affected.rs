//! Which applications a change of a repository can affect: `--changed-since`, `--event`.
//!
//! In: the applications that are selected, and what changed. Out: a verdict for each. Whatever is not known keeps an application
//! in the run: leaving one out for no reason would read as "in sync".

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::app::appset::ApplicationSet;
use crate::app::changed::{Affected, annotated_paths, cleaned, first_match};
use crate::app::{Application, ManifestFolder, QualifiedName, Source};
use crate::fleet::{Request, World};
use crate::render::reads::{Reads, reads, referenced};
use crate::secret::RepoUrl;
use crate::source::{Wanted, is_same_repository, locate};

/// What changed in one repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The URLs of the repository.
    pub urls: Vec<RepoUrl>,
    /// Its working tree on this machine, links resolved.
    pub root: Option<PathBuf>,
    /// The files, from its root.
    pub files: Vec<String>,
    /// Whether the verdict on each application is printed (`--explain`).
    pub explains: bool,
}

impl Changes {
    /// Whether a URL may lead to the repository. Mirrors and proxies have URLs of their own, so the same name is enough.
    fn is_of(&self, url: &RepoUrl) -> bool {
        let text = url.with_credentials();
        let path = text.strip_prefix("file://").unwrap_or(text);
        let local = Path::new(path).canonicalize().ok().filter(|_| path.starts_with('/'));
        let is_here = local.zip(self.root.as_ref()).is_some_and(|(path, root)| path.starts_with(root));
        is_here || self.urls.iter().any(|own| is_same_repository(own, url) || name_of(own) == name_of(url))
    }

    /// Whether an application has anything to do with the repository.
    fn concerns(&self, application: &Application) -> bool {
        let url = |source: &Source| locate(source.repo_url.with_credentials(), &application.folder);
        let has_manifest = || {
            let manifest = self.manifest(&application.origin.file, &application.folder);
            manifest.is_ok_and(|path| path.is_some())
        };
        application.sources.iter().any(|source| source.chart.is_none() && self.is_of(&url(source))) || has_manifest()
    }

    /// Whether the repository is one of those that the applications come from. Where it is none of them, its URLs are not those
    /// that the manifests have, and nothing can be left out.
    pub(crate) fn concerns_any<'run>(&self, applications: impl IntoIterator<Item = &'run Application>) -> bool {
        applications.into_iter().any(|application| self.concerns(application))
    }

    /// The manifest's path in the repository, if it is in it; an error where that is not known.
    fn manifest(&self, file: &str, folder: &ManifestFolder) -> Result<Option<String>, String> {
        match folder {
            ManifestFolder::Repository { url, .. } if self.is_of(url) => {
                Ok(file.rsplit_once('#').map(|(_, path)| cleaned("", path)))
            }
            ManifestFolder::Repository { .. } => Ok(None),
            // It is an object of a cluster.
            ManifestFolder::Local(folder) if folder.as_os_str().is_empty() => Ok(None),
            ManifestFolder::Local(_) => {
                let real = Path::new(file).canonicalize();
                let real = real.map_err(|_error| format!("its manifest `{file}` is no file that could be compared"))?;
                Ok(match &self.root {
                    Some(root) => real.strip_prefix(root).ok().and_then(Path::to_str).map(str::to_owned),
                    // Nothing says where the repository is here: a file of the same path counts.
                    None => self.files.iter().find(|changed| real.ends_with(changed)).cloned(),
                })
            }
        }
    }

    /// Whether a manifest changed.
    fn judge_manifest(&self, file: &str, folder: &ManifestFolder) -> Option<Affected> {
        match self.manifest(file, folder) {
            Err(why) => Some(Affected::Unknown(why)),
            Ok(Some(path)) if self.files.contains(&path) => Some(Affected::ByManifest(path)),
            Ok(_) => None,
        }
    }
}

/// The last part of a URL's path, without `.git`.
fn name_of(url: &RepoUrl) -> String {
    let text = url.normal_form().to_lowercase();
    let name = text.trim_end_matches('/').trim_end_matches(".git");
    name.rsplit(['/', ':']).next().unwrap_or_default().to_owned()
}

/// The verdict on an application.
pub(crate) async fn judge(application: &Application, changes: &Changes, request: &Request, world: &World) -> Affected {
    if let Some(affected) = own_manifest(application, changes, request) {
        return affected;
    }
    let mut is_of_repository = false;
    for source in &application.sources {
        let url = locate(source.repo_url.with_credentials(), &application.folder);
        if source.chart.is_some() || !changes.is_of(&url) {
            continue;
        }
        is_of_repository = true;
        let paths = match annotated_paths(application, source) {
            Some(paths) => paths,
            None => match readable(application, source, &url, request, world).await {
                Ok(paths) => paths,
                Err(why) => return Affected::Unknown(why),
            },
        };
        if let Some((file, path)) = first_match(&changes.files, &paths) {
            return Affected::ByFile { file, path: path.to_owned() };
        }
    }
    if application.source_hydrator.is_some() {
        return Affected::Unknown("its sources are hydrated from others".to_owned());
    }
    let why = if is_of_repository {
        "nothing that it is made of changed"
    } else {
        "none of its sources is in the repository that changed"
    };
    Affected::No(why.to_owned())
}

/// Whether what an application is written in changed.
fn own_manifest(application: &Application, changes: &Changes, request: &Request) -> Option<Affected> {
    if let Some(name) = &application.lineage.generated_by {
        let default = &request.argocd_namespace;
        let is_it = |set: &&ApplicationSet| QualifiedName::of(&set.namespace, &set.name, default) == *name;
        let Some(set) = request.sets.iter().find(is_it) else {
            return Some(Affected::Unknown(format!("ApplicationSet {name} generates it")));
        };
        if set.generators.iter().any(reads_files) {
            return Some(Affected::Unknown(format!("ApplicationSet {name} generates it from files of a repository")));
        }
        return changes.judge_manifest(&set.origin.file, &set.folder);
    }
    // A child's manifest is in what its parent renders, and is kept with it.
    if application.lineage.parent.is_some() {
        return None;
    }
    changes.judge_manifest(&application.origin.file, &application.folder)
}

/// Whether a generator, or one inside of it, reads the content of files.
fn reads_files(generator: &Value) -> bool {
    match generator {
        Value::Object(map) => {
            map.get("git").is_some_and(|git| git.get("files").is_some()) || map.values().any(reads_files)
        }
        Value::Array(items) => items.iter().any(reads_files),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The paths that the render of a source can read; or why they are not known.
async fn readable(
    application: &Application,
    source: &Source,
    url: &RepoUrl,
    request: &Request,
    world: &World,
) -> Result<Vec<String>, String> {
    if !request.render.plugins.is_empty() {
        return Err("a plugin may read all of the repository".to_owned());
    }
    let wanted = Wanted::of(source, &application.project, &application.folder);
    let fetched = world.sources.fetch(url, &[wanted], &world.cancel).await.pop();
    let checkout = fetched.and_then(Result::ok).ok_or("its source cannot be fetched, so what it reads is not known")?;
    let references = source.reference.iter().flat_map(|name| referenced(&application.sources, name));
    match reads(&checkout.root, source, &references.collect::<Vec<_>>()) {
        Reads::Paths(paths) => Ok(paths),
        Reads::Anything(why) => Err(why.to_owned()),
    }
}
