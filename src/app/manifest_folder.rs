//! Where a manifest was read from, which a relative `repoURL` in it starts at.

use std::path::{Path, PathBuf};

use crate::secret::RepoUrl;

/// The folder of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ManifestFolder {
    /// A folder of this machine.
    Local(PathBuf),
    /// A folder in a git repository, which was fetched for the manifests in it.
    Repository {
        /// The repository.
        url: RepoUrl,
        /// The folder below its root; empty for the root itself.
        path: PathBuf,
    },
}

impl ManifestFolder {
    /// The folder of this machine; nothing for one in a repository.
    pub fn local(&self) -> Option<&Path> {
        match self {
            Self::Local(folder) => Some(folder),
            Self::Repository { .. } => None,
        }
    }
}

impl Default for ManifestFolder {
    fn default() -> Self {
        Self::Local(PathBuf::new())
    }
}

impl<Folder: Into<PathBuf>> From<Folder> for ManifestFolder {
    fn from(folder: Folder) -> Self {
        Self::Local(folder.into())
    }
}
