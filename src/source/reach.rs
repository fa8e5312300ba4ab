//! Which folders of this machine a manifest may have read. A manifest may be a stranger's, as in a pull request from a fork.
//!
//! In: what a `repoURL` leads to, the repository that holds the manifest, the flags. Out: whether it is read.
//!
//! | it leads to | in the manifest's repository, or below `--allow-local` | elsewhere | elsewhere, with `--untrusted` |
//! |---|---|---|---|
//! | a git repository | read at a commit | read at a commit | refused |
//! | a plain folder, a Helm repository in a folder | read as it is | refused | refused |
//!
//! What `--repo` and `--checkout` name is not looked at here: the user named it.

use std::path::{Path, PathBuf};

use super::checkout::Wanted;
use super::error::SourceError;
use super::location::Location;
use super::settings::SourceSettings;
use crate::secret::RepoUrl;

/// The end of a `repoURL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// At a git repository, of which commits are read.
    InGit,
    /// At files that are read as they are.
    InAFolder,
}

/// Why a place of this machine was not read.
const OUTSIDE: &str = "it is neither a git repository nor in the repository that holds the manifest; `--allow-local DIR` lets a \
                       run read a folder";
const UNTRUSTED: &str = "with `--untrusted` only the repository that holds the manifest is read, and what `--allow-local DIR` and \
                         `--repo URL=PATH` name";

/// The root of the git repository that a folder lies in; the folder itself where it lies in none.
pub(super) fn holder_of(folder: &Path) -> Option<PathBuf> {
    let folder = std::path::absolute(folder).ok()?.canonicalize().ok()?;
    let root = folder.ancestors().find(|above| above.join(".git").exists()).map(Path::to_owned);
    Some(root.unwrap_or(folder))
}

/// The place of this machine that a URL leads to.
pub(super) fn local_path(url: &RepoUrl) -> Option<PathBuf> {
    match Location::of(url) {
        Ok(Location::Local(path)) => Some(path),
        _ => None,
    }
}

/// Whether what is wanted of a local path lies in the repository that holds the manifest.
fn is_held(path: &Path, wanted: &Wanted) -> bool {
    let Some(holder) = &wanted.holder else { return false };
    // Links are followed first: one that points outside the repository does not make what it leads to a part of it.
    path.canonicalize().is_ok_and(|path| path.starts_with(holder))
}

/// Refuses what is not allowed to be read.
pub(super) fn check(path: &Path, ends: Ends, wanted: &Wanted, settings: &SourceSettings) -> Result<(), SourceError> {
    let is_allowed = || {
        let Ok(real) = path.canonicalize() else { return false };
        settings
            .allowed_folders
            .iter()
            .any(|allowed| allowed.canonicalize().is_ok_and(|allowed| real.starts_with(allowed)))
    };
    if is_held(path, wanted) || is_allowed() {
        return Ok(());
    }
    match (ends, settings.untrusted) {
        (_, true) => Err(SourceError::Outside { path: path.to_owned(), help: UNTRUSTED }),
        (Ends::InAFolder, false) => Err(SourceError::Outside { path: path.to_owned(), help: OUTSIDE }),
        (Ends::InGit, false) => Ok(()),
    }
}

/// Refuses a repository whose objects lie elsewhere than its folder says: the user did not choose to trust it.
pub(super) fn check_objects(
    repository: &gix::Repository,
    path: &Path,
    wanted: &Wanted,
    settings: &SourceSettings,
) -> Result<(), SourceError> {
    if !settings.untrusted {
        return Ok(());
    }
    if repository.common_dir().join("objects/info/alternates").exists() {
        return Err(SourceError::Outside { path: path.to_owned(), help: UNTRUSTED });
    }
    check(repository.common_dir(), Ends::InGit, wanted, settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(holder: &Path) -> Wanted {
        Wanted { holder: Some(holder.canonicalize().unwrap()), ..Wanted::default() }
    }

    #[test]
    fn only_the_manifests_own_repository_and_what_is_allowed_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["repo/.git", "repo/infra", "elsewhere", "allowed/below"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        let settings = SourceSettings { allowed_folders: vec![at("allowed")], ..SourceSettings::default() };
        let untrusted = SourceSettings { untrusted: true, ..settings.clone() };
        for (path, ends, trusted, with_untrusted) in [
            ("repo/infra", Ends::InAFolder, true, true),
            ("repo", Ends::InGit, true, true),
            ("elsewhere", Ends::InAFolder, false, false),
            ("elsewhere", Ends::InGit, true, false),
            ("allowed/below", Ends::InAFolder, true, true),
            ("allowed", Ends::InGit, true, true),
            ("gone", Ends::InAFolder, false, false),
            ("", Ends::InAFolder, false, false),
        ] {
            let wanted = wanted(&at("repo"));
            assert_eq!(check(&at(path), ends, &wanted, &settings).is_ok(), trusted, "{path}");
            assert_eq!(check(&at(path), ends, &wanted, &untrusted).is_ok(), with_untrusted, "{path}, untrusted");
        }
        // A manifest that nobody knows the place of has no repository.
        assert!(check(&at("repo/infra"), Ends::InAFolder, &Wanted::default(), &settings).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_repository_is_not_a_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("repo/.git")).unwrap();
        std::fs::create_dir(folder.path().join("home")).unwrap();
        std::os::unix::fs::symlink("../home", folder.path().join("repo/infra")).unwrap();
        let wanted = wanted(&folder.path().join("repo"));
        let link = folder.path().join("repo/infra");
        assert!(check(&link, Ends::InAFolder, &wanted, &SourceSettings::default()).is_err());
    }

    #[test]
    fn the_repository_that_holds_a_manifest_is_the_nearest() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["repo/.git", "repo/apps/prod", "plain/apps"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        assert_eq!(holder_of(&root.join("repo/apps/prod")), Some(root.join("repo")));
        assert_eq!(holder_of(&root.join("plain/apps")), Some(root.join("plain/apps")));
        assert_eq!(holder_of(&root.join("gone")), None);
    }
}
