//! Paths in a checkout: resolved, kept inside, and as reports show them.
//!
//! In: a path that a repository or a manifest names. Out: where it really is; or why it is refused.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::RenderError;

/// Why a path leads to nothing.
#[derive(Debug)]
pub(super) enum PathFault {
    /// Nothing is there.
    NotFound,
    /// It leads out of the checkout, or to git's own files.
    Leaves,
    /// It is there, and cannot be looked at.
    Unreadable(io::Error),
}

impl PathFault {
    /// The error, of a path as the user knows it.
    pub(super) fn of(self, shown: &str) -> RenderError {
        let file = shown.to_owned();
        match self {
            Self::NotFound => {
                let source = io::Error::new(io::ErrorKind::NotFound, "it is not there");
                RenderError::Unreadable { file, source }
            }
            Self::Leaves => RenderError::LeavesCheckout { file },
            Self::Unreadable(source) => RenderError::Unreadable { file, source },
        }
    }
}

/// The real place of a path below a root whose own links are resolved.
pub(super) fn resolve(root: &Path, path: &Path) -> Result<PathBuf, PathFault> {
    // Looked at as text first: what is outside is not even asked for.
    let within = path.strip_prefix(root).map_err(|_outside| PathFault::Leaves)?;
    let mut depth = 0_usize;
    for part in within.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::ParentDir => depth = depth.checked_sub(1).ok_or(PathFault::Leaves)?,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return Err(PathFault::Leaves),
        }
    }
    // Most that is asked for is not there, and links are followed one by one.
    let found =
        fs::symlink_metadata(path).and_then(|_| fs::canonicalize(path)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => PathFault::NotFound,
            _ => PathFault::Unreadable(error),
        })?;
    match found.strip_prefix(root) {
        Ok(inside) if !inside.starts_with(".git") => Ok(found),
        _ => Err(PathFault::Leaves),
    }
}

/// A path as a report shows it: relative, with `/`; `.` for the base itself.
pub(super) fn relative(base: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(base).unwrap_or(path);
    let parts: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_kept_in_the_checkout() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("root");
        fs::create_dir_all(root.join("app")).unwrap();
        fs::create_dir_all(root.join(".git/hooks")).unwrap();
        fs::create_dir_all(folder.path().join("outside")).unwrap();
        for (path, expected) in [
            ("app", Some("app")),
            ("app/../app/.", Some("app")),
            ("gone", None),
            ("../outside", None),
            ("app/../../outside", None),
            (".git/hooks", None),
        ] {
            let found = resolve(&root, &root.join(path)).ok();
            assert_eq!(found.map(|found| relative(&root, &found)).as_deref(), expected, "{path}");
        }
        assert_eq!(relative(&root, &root), ".");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_out_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::os::unix::fs::symlink("/etc", root.join("link")).unwrap();
        assert!(matches!(resolve(&root, &root.join("link/hostname")), Err(PathFault::Leaves)));
    }
}
