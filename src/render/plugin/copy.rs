//! A copy of a repository, for programs that write where they read.
//!
//! In: a checkout. Out: a folder with its files, a home and a temporary folder beside them; all removed in the end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::source::unless_it_leaves;
use crate::storage::{copy_file, temporary_folder};

/// The copy; dropping it removes it.
pub(super) struct Copy {
    folder: TempDir,
}

impl Copy {
    /// Copies every file but git's own. Without `keep_modes` nothing in it is executable, as in Argo CD.
    pub(super) fn of(root: &Path, keep_modes: bool) -> io::Result<Self> {
        let folder = temporary_folder("trueup-plugin-")?;
        let copy = Self { folder };
        for path in [copy.home(), copy.temporary()] {
            fs::create_dir(path)?;
        }
        copy_folder(root, root, &copy.repository(), keep_modes)?;
        Ok(copy)
    }

    pub(super) fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    pub(super) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }
}

fn copy_folder(root: &Path, from: &Path, to: &Path, keep_modes: bool) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if entry.file_name() == ".git" {
            continue;
        }
        if kind.is_dir() {
            copy_folder(root, &from, &to, keep_modes)?;
        } else if kind.is_symlink() {
            copy_link(root, &from, &to)?;
        } else if kind.is_file() {
            copy_file(&from, &to, keep_modes)?;
        }
    }
    Ok(())
}

/// A link stays one, unless it leads out of the checkout: then it leads nowhere.
fn copy_link(root: &Path, from: &Path, to: &Path) -> io::Result<()> {
    let target = unless_it_leaves(root, from)?;
    #[cfg(unix)]
    return std::os::unix::fs::symlink(target, to);
    #[cfg(not(unix))]
    {
        let _ = (target, to);
        Ok(())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_copy_has_every_file_and_may_be_written_to() {
        let from = tempfile::tempdir().unwrap();
        fs::create_dir_all(from.path().join("app/.git")).unwrap();
        let file = from.path().join("app/run.sh");
        fs::File::create(&file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o555)).unwrap();
        std::os::unix::fs::symlink("run.sh", from.path().join("app/link")).unwrap();
        for (keep_modes, expected) in [(false, 0o600), (true, 0o700)] {
            let copy = Copy::of(from.path(), keep_modes).unwrap();
            let app = copy.repository().join("app");
            assert!(!app.join(".git").exists());
            assert_eq!(fs::read_link(app.join("link")).unwrap(), Path::new("run.sh"));
            let mode = fs::metadata(app.join("run.sh")).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, expected);
        }
    }
}
