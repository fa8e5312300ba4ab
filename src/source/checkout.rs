//! A folder with one revision's files, and the door through which paths in it are handed out.
//!
//! In: the path that a manifest names. Out: a real path, links resolved, that lies in the checkout; or an error.
//! Argo CD: `path` must be relative, inside of the root, and a folder (reposerver/repository, `apppathutil.Path`).

use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::app::{ManifestFolder, Source};
use crate::finding::Finding;

use super::error::{NearestPath, SourceCause, SourceError};
use super::reach::holder_of;

/// The result for a wanted revision; shared, because many applications may want the same.
pub type FetchResult = Result<Arc<Checkout>, Arc<SourceError>>;

/// How a revision was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FetchedBy {
    /// gix, in this process.
    Gix,
    /// The `git` program, because gix could not.
    GitProgram,
    /// Nothing: the revision was in the cache.
    Cache,
    /// Nothing: the repository is a local one.
    Local,
    /// Nothing: a working tree given by the user, as it is.
    WorkingTree,
    /// A Helm repository, over HTTP.
    HelmRepository,
    /// A registry.
    Registry,
}

impl FetchedBy {
    /// The word that reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gix => "gix",
            Self::GitProgram => "git",
            Self::Cache => "cache",
            Self::Local => "local",
            Self::WorkingTree => "working tree",
            Self::HelmRepository => "helm repository",
            Self::Registry => "registry",
        }
    }
}

/// A revision that an application asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Branch, tag, reference, hash, semver constraint; empty means `HEAD`.
    pub revision: String,
    /// Only tags with this prefix are looked at, for a constraint.
    pub tag_prefix: String,
    /// The chart, of a source that is one; the revision is its version then.
    pub chart: Option<String>,
    /// `helm.passCredentials`: whether other servers than the repository's see what opens it.
    pub pass_credentials: bool,
    /// The application's project: what opens a repository may be for one project alone.
    pub project: String,
    /// The repository that holds the manifest which asks: its root, links resolved. Plain folders are read in it alone.
    pub holder: Option<PathBuf>,
}

impl Wanted {
    /// The request of a source of an application in this project; `folder` is that of the application's manifest.
    pub fn of(source: &Source, project: &str, folder: &ManifestFolder) -> Self {
        Self {
            revision: source.target_revision.clone(),
            tag_prefix: source.tag_prefix.clone(),
            chart: source.chart.clone(),
            pass_credentials: source.helm.as_ref().is_some_and(|helm| helm.pass_credentials),
            project: project.to_owned(),
            // It only matters where files of this machine are asked for.
            holder: folder.local().filter(|_| is_local(source.repo_url.with_credentials())).and_then(holder_of),
        }
    }

    /// The same at another revision.
    #[must_use]
    pub fn at(self, revision: &str) -> Self {
        Self { revision: revision.to_owned(), tag_prefix: String::new(), ..self }
    }
}

/// Whether a `repoURL` may lead to a folder of this machine: a path, relative or not, or a `file://` URL.
fn is_local(repo_url: &str) -> bool {
    repo_url.starts_with(['/', '.']) || repo_url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"))
}

/// How large a file beside the manifests may be.
const SMALL: u64 = 1 << 20;

/// A folder with one revision's files; it stays as long as the `Sources` that fetched it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The folder; every path handed out lies in it, links resolved.
    pub root: PathBuf,
    /// The full commit hash; a chart's version; an artifact's digest; empty for a working tree that is no git repository.
    pub revision: String,
    /// Who fetched it.
    pub by: FetchedBy,
    /// Whether a working tree differs from `revision`.
    pub dirty: bool,
    /// Warnings on the way: a name that is a branch and a tag, a cache that had to be repaired.
    pub warnings: Vec<Finding>,
}

impl Checkout {
    /// The folder of a source: relative, in the checkout, links resolved.
    pub fn folder(&self, path: &str) -> Result<PathBuf, SourceError> {
        let found = self.confined(path)?;
        if !found.is_dir() {
            return Err(SourceError::NotAFolder { path: path.to_owned(), revision: self.short_revision() });
        }
        // A working tree's links are as somebody wrote them; of a commit's, those that lead out are blocked, so that reading one
        // by another way fails.
        super::tree::refuse_links_that_leave(&self.root, &found)?;
        Ok(found)
    }

    /// A file, such as one of Helm's values: relative, in the checkout, links resolved.
    pub fn file(&self, path: &str) -> Result<PathBuf, SourceError> {
        let found = self.confined(path)?;
        if !found.is_file() {
            return Err(SourceError::NotAFile { path: path.to_owned(), revision: self.short_revision() });
        }
        Ok(found)
    }

    /// The content of a small file in a folder of the checkout, and its path as a report shows it; nothing where it is not there.
    pub fn read_beside(&self, folder: &str, name: &str) -> Result<Option<(String, Vec<u8>)>, SourceError> {
        let path = match folder.trim_matches('/') {
            "" | "." => name.to_owned(),
            folder => format!("{folder}/{name}"),
        };
        let is_there =
            lexically_inside(Path::new(&path)).is_some_and(|path| self.root.join(path).symlink_metadata().is_ok());
        if !is_there {
            return Ok(None);
        }
        let unreadable =
            |cause: std::io::Error| SourceError::PathUnreadable { path: path.clone(), cause: SourceCause::of(&cause) };
        let file = std::fs::File::open(self.file(&path)?).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(SMALL + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > SMALL {
            return Err(unreadable(std::io::Error::other(format!("it is larger than {} KiB", SMALL >> 10))));
        }
        Ok(Some((path, bytes)))
    }

    fn confined(&self, path: &str) -> Result<PathBuf, SourceError> {
        let leaves = || SourceError::PathLeaves { path: path.to_owned() };
        let relative = lexically_inside(Path::new(path)).ok_or_else(leaves)?;
        if relative.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git")) {
            return Err(leaves());
        }
        let found = self.real(&relative).map_err(|cause| {
            if matches!(cause.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) {
                SourceError::PathGone {
                    path: path.to_owned(),
                    revision: self.short_revision(),
                    nearest: nearest_path(&self.root, &relative),
                }
            } else {
                SourceError::PathUnreadable { path: path.to_owned(), cause: SourceCause::of(&cause) }
            }
        })?;
        // A working tree has git's own files in it, and a link may lead to them.
        if super::tree::is_within(&self.root, &found) { Ok(found) } else { Err(leaves()) }
    }

    /// The real place of a path in the checkout, whose own place is real; links are followed only where there are some.
    fn real(&self, relative: &Path) -> std::io::Result<PathBuf> {
        let mut place = self.root.clone();
        for part in relative {
            place.push(part);
            if place.symlink_metadata()?.is_symlink() {
                return self.root.join(relative).canonicalize();
            }
        }
        Ok(place)
    }

    fn short_revision(&self) -> String {
        if self.revision.is_empty() {
            return "the working tree".to_owned();
        }
        short(&self.revision).to_owned()
    }
}

/// A revision as people know it: the beginning of a hash or a digest, a version whole.
pub fn short(revision: &str) -> &str {
    let hash = revision.strip_prefix("sha256:").unwrap_or(revision);
    let is_hash = hash.len() >= 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let end = revision.len() - hash.len() + 7;
    if is_hash { &revision[..end] } else { revision }
}

/// The path without `.` and `..`, or nothing when it is absolute or climbs out.
pub(crate) fn lexically_inside(path: &Path) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => inside.push(name),
            Component::ParentDir => {
                if !inside.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(inside)
}

/// The alternative to a path: the neighbour whose name is most like the first part of it that does not exist, or the
/// folders beside which it would stand.
fn nearest_path(root: &Path, relative: &Path) -> NearestPath {
    let mut there = PathBuf::new();
    let mut parts = relative.iter();
    let missing = loop {
        match parts.next() {
            Some(part) if root.join(&there).join(part).exists() => there.push(part),
            part => break part.unwrap_or_default().to_string_lossy().to_lowercase(),
        }
    };
    let entries = std::fs::read_dir(root.join(&there)).into_iter().flatten().flatten();
    let mut names: Vec<(bool, String)> =
        entries.filter_map(|entry| Some((entry.path().is_dir(), entry.file_name().into_string().ok()?))).collect();
    names.retain(|(_, name)| name != ".git");
    names.sort();
    let alike = names.iter().filter_map(|(_, name)| Some((likeness(&missing, &name.to_lowercase())?, name)));
    if let Some((_, name)) = alike.max_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(one.1))) {
        return NearestPath::Like(there.join(name).display().to_string());
    }
    let folder = if there.as_os_str().is_empty() { ".".to_owned() } else { there.display().to_string() };
    let folders = names.into_iter().filter(|(is_folder, name)| *is_folder && !name.starts_with('.'));
    NearestPath::In { folder, folders: folders.map(|(_, name)| name).collect() }
}

/// How much one name is like another, where it may be meant: letters in another order, a few wrong ones, or a long part of it.
fn likeness(wrong: &str, name: &str) -> Option<f64> {
    let is_typing_error = strsim::osa_distance(wrong, name) * 3 <= wrong.chars().count();
    let likeness = strsim::jaro_winkler(name, wrong);
    (is_typing_error || likeness > 0.8).then_some(if is_typing_error { likeness + 1.0 } else { likeness })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout() -> (tempfile::TempDir, Checkout) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("root");
        std::fs::create_dir_all(root.join("overlays/prod")).unwrap();
        std::fs::create_dir_all(root.join(".git")).unwrap();
        std::fs::create_dir(folder.path().join("outside")).unwrap();
        std::fs::File::create(root.join("overlays/values.yaml")).unwrap();
        let revision = "3f2a9c1".repeat(6)[..40].to_owned();
        let checkout = Checkout { root, revision, by: FetchedBy::Local, dirty: false, warnings: Vec::new() };
        (folder, checkout)
    }

    #[test]
    fn a_hash_is_shown_short_and_a_version_whole() {
        let hash = "3f2a9c1".repeat(6)[..40].to_owned();
        let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
        for (revision, expected) in
            [(hash.as_str(), "3f2a9c1"), (digest.as_str(), "sha256:0123456"), ("1.10.0-rc.1", "1.10.0-rc.1"), ("", "")]
        {
            assert_eq!(short(revision), expected);
        }
    }

    #[test]
    fn paths_that_stay_inside_are_handed_out() {
        let (_folder, checkout) = checkout();
        for (asked, expected) in [
            ("", ""),
            (".", ""),
            ("./", ""),
            ("overlays/prod", "overlays/prod"),
            ("overlays/prod/", "overlays/prod"),
            ("overlays/../overlays/./prod", "overlays/prod"),
        ] {
            let expected = checkout.root.join(expected).canonicalize().unwrap();
            assert_eq!(checkout.folder(asked).unwrap(), expected, "{asked}");
        }
        assert!(checkout.file("overlays/values.yaml").unwrap().ends_with("overlays/values.yaml"));
    }

    #[test]
    fn paths_that_leave_are_refused() {
        let (_folder, checkout) = checkout();
        for asked in ["/etc", "..", "../outside", "overlays/../../outside", ".git", "overlays/../.GIT"] {
            let error = checkout.folder(asked).unwrap_err();
            assert!(matches!(error, SourceError::PathLeaves { .. }), "{asked}: {error}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_link_in_a_working_tree_does_not_lead_out() {
        let (folder, mut checkout) = checkout();
        checkout.by = FetchedBy::WorkingTree;
        std::os::unix::fs::symlink(folder.path().join("outside"), checkout.root.join("way-out")).unwrap();
        assert!(matches!(checkout.folder("way-out").unwrap_err(), SourceError::PathLeaves { .. }));
        std::os::unix::fs::symlink("../../../outside", checkout.root.join("overlays/prod/hidden")).unwrap();
        assert!(matches!(checkout.folder("overlays").unwrap_err(), SourceError::LinkLeaves { .. }));
    }

    #[test]
    fn a_missing_path_names_what_there_is() {
        let (_folder, checkout) = checkout();
        std::fs::create_dir_all(checkout.root.join("web/base")).unwrap();
        let error = checkout.folder("overlays/prd").unwrap_err();
        assert_eq!(error.to_string(), "no folder or file `overlays/prd` at 3f2a9c1");
        for (asked, expected) in [
            ("overlays/prd", "the nearest is `overlays/prod`"),
            ("wbe", "the nearest is `web`"),
            ("Web/base", "the nearest is `web`"),
            ("overlays/smaug/deeper", "`overlays` has the folder `prod`"),
            ("prow/overlays/smaug", "the root of the repository has the folders `overlays` and `web`"),
            ("web/base/x", "`web/base` exists, and has no folders"),
        ] {
            let error = checkout.folder(asked).unwrap_err();
            assert_eq!(miette::Diagnostic::help(&error).unwrap().to_string(), expected, "{asked}");
        }
    }

    #[test]
    fn a_file_is_no_folder() {
        let (_folder, checkout) = checkout();
        let error = checkout.folder("overlays/values.yaml").unwrap_err();
        assert!(matches!(error, SourceError::NotAFolder { .. }), "{error}");
        assert!(matches!(checkout.file("overlays").unwrap_err(), SourceError::NotAFile { .. }));
    }
}
