//! Working trees that the user names in place of repositories: `--repo URL=PATH` and `--checkout DIR`.
//!
//! In: the flags. Out: a [`Checkout`] of the files as they are. A checkout stands in for all of its remotes: the URLs
//! to fetch from and to push to, as written and as `url.<base>.insteadOf` makes them, by whatever scheme a manifest names them.

use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice;

use crate::secret::RepoUrl;

use super::checkout::{Checkout, FetchedBy};
use super::error::SourceError;
use super::location::is_same_repository;
use super::settings::SourceSettings;

/// The working trees of a run, and the URLs that they stand in for.
#[derive(Debug, Default)]
pub(super) struct WorkingTrees {
    /// `--repo`: this URL, and no other.
    named: Vec<(RepoUrl, PathBuf)>,
    /// `--checkout`: its remotes.
    remotes: Vec<(RepoUrl, PathBuf)>,
}

impl WorkingTrees {
    /// Takes the flags; a working tree that is not there is an error now, not at its first use.
    pub(super) fn from_settings(settings: &SourceSettings) -> Result<Self, SourceError> {
        let mut trees = Self::default();
        for given in &settings.overrides {
            trees.named.push((given.url.clone(), root("--repo", &given.path)?));
        }
        if let Some(folder) = &settings.checkout {
            let (root, urls) = remotes(&root("--checkout", folder)?)?;
            trees.remotes.extend(urls.into_iter().map(|url| (url, root.clone())));
        }
        Ok(trees)
    }

    /// The working tree that stands in for a repository.
    pub(super) fn find(&self, url: &RepoUrl) -> Option<&Path> {
        let named = self.named.iter().find(|(stands_for, _)| stands_for == url);
        let remote = || self.remotes.iter().find(|(remote, _)| is_same_repository(remote, url));
        named.or_else(remote).map(|(_, path)| path.as_path())
    }
}

fn root(flag: &'static str, path: &Path) -> Result<PathBuf, SourceError> {
    let reason = match path.canonicalize() {
        Ok(root) if root.is_dir() => return Ok(root),
        Ok(_) => "is not a folder",
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "does not exist",
        Err(_) => "cannot be read",
    };
    Err(SourceError::WorkingTree { flag, path: path.to_owned(), reason })
}

/// The root of a checkout, and every URL of every remote.
pub(super) fn remotes(folder: &Path) -> Result<(PathBuf, Vec<RepoUrl>), SourceError> {
    let refused = |reason| SourceError::WorkingTree { flag: "--checkout", path: folder.to_owned(), reason };
    let repository = gix::discover(folder).map_err(|_error| refused("is not in a git repository"))?;
    let root = repository.workdir().ok_or_else(|| refused("is a bare repository"))?;
    let root = root.canonicalize().map_err(|_error| refused("cannot be read"))?;
    // `core.worktree` may name any folder.
    if !folder.starts_with(&root) {
        return Err(refused("is not in the working tree that its repository names"));
    }
    let mut urls = Vec::new();
    for name in repository.remote_names() {
        // As configured, and as rewritten.
        let configured = repository.config_snapshot();
        for key in ["url", "pushurl"] {
            let key = format!("remote.{name}.{key}");
            let values = configured.plumbing().strings(key.as_str()).unwrap_or_default();
            urls.extend(values.iter().map(|value| RepoUrl::new(value.to_string())));
        }
        if let Ok(remote) = repository.find_remote(name.as_bstr()) {
            for direction in [gix::remote::Direction::Fetch, gix::remote::Direction::Push] {
                urls.extend(remote.url(direction).map(|url| RepoUrl::new(url.to_bstring().to_string())));
            }
        }
    }
    Ok((root, urls))
}

/// The files of a working tree as they are, with the commit that they are based on.
pub(super) fn checkout(root: &Path) -> Checkout {
    let mut checkout = Checkout {
        root: root.to_owned(),
        revision: String::new(),
        by: FetchedBy::WorkingTree,
        dirty: false,
        warnings: Vec::new(),
    };
    let Some(repository) = open(root) else { return checkout };
    checkout.revision = repository.head_id().map(|id| id.to_string()).unwrap_or_default();
    checkout.dirty = is_dirty(&repository);
    checkout
}

/// A working tree in place of a registry or a Helm repository: the chart itself, or a folder of charts.
pub(super) fn chart(root: &Path, chart: Option<&str>) -> Result<Checkout, SourceError> {
    let mut whole = checkout(root);
    if let Some(chart) = chart.filter(|_| !root.join("Chart.yaml").is_file()) {
        whole.root = whole.folder(chart)?;
    }
    Ok(whole)
}

/// Opens a working tree's repository without the filters of its own configuration, which are programs.
///
/// Those of the user's own configuration stay, such as that of Git LFS.
pub(super) fn open(root: &Path) -> Option<gix::Repository> {
    let mut repository = gix::open(root).ok()?;
    let mut config = repository.config_snapshot_mut();
    let is_own = |source| matches!(source, gix::config::Source::Local | gix::config::Source::Worktree);
    let filters: Vec<_> = config
        .sections_and_ids()
        .filter(|(section, _)| section.header().name().eq_ignore_ascii_case(b"filter") && is_own(section.meta().source))
        .map(|(_, id)| id)
        .collect();
    for id in filters {
        config.remove_section_by_id(id);
    }
    config.commit().ok()?;
    Some(repository)
}

/// Whether anything differs from the commit that the working tree is based on: changes, staged or not, and files that git
/// neither tracks nor ignores. Where that is not known, it counts as different: a report must not claim more than is known.
fn is_dirty(repository: &gix::Repository) -> bool {
    let Ok(status) = repository.status(gix::progress::Discard) else { return true };
    // Of a submodule the commit is looked at: its files would be compared through the filters of its configuration.
    let submodules = gix::status::Submodule::Given { ignore: gix::submodule::config::Ignore::Dirty, check_dirty: true };
    let Ok(mut items) = status.index_worktree_submodules(submodules).into_iter([":/".into()]) else {
        return true;
    };
    items.next().is_some()
}
