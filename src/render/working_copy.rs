//! A copy of a source's folder that a tool may write in, with the rest of its repository around it.
//!
//! In: a checkout's root and a folder in it. Out: the same two in a temporary folder. The folder is a copy; what lies
//! around it is linked, or copied where the tool may write there too. A checkout is never written to: it may be a user's
//! working tree, and other applications read it at the same time.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::storage::copy_file;

/// Whether the repository around the folder is copied, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopyScope {
    /// Links to the original: cheap, and enough where it is only read.
    Linked,
    /// Copied, too.
    Copied,
}

/// A folder that may be written in.
#[derive(Debug)]
pub(super) struct WorkingCopy {
    /// The stand-in for the checkout's root.
    pub(super) root: PathBuf,
    /// The stand-in for the source's folder.
    pub(super) folder: PathBuf,
}

impl WorkingCopy {
    /// Copies `folder`, which lies in `root`, to `place`, which is empty or not there yet.
    pub(super) fn of(root: &Path, folder: &Path, around: CopyScope, place: &Path) -> io::Result<Self> {
        let copy = place.canonicalize().or_else(|_| fs::create_dir_all(place).and_then(|()| place.canonicalize()))?;
        let below = folder.strip_prefix(root).unwrap_or(Path::new(""));
        let (mut original, mut here) = (root.to_owned(), copy.clone());
        if around == CopyScope::Linked {
            for part in below {
                link_all_but(&original, &here, part)?;
                original.push(part);
                here.push(part);
                fs::create_dir(&here)?;
            }
        }
        copy_folder(&original, &here)?;
        Ok(Self { folder: copy.join(below), root: copy })
    }
}

fn link_all_but(original: &Path, here: &Path, name: &OsStr) -> io::Result<()> {
    for entry in fs::read_dir(original)? {
        let entry = entry?;
        if entry.file_name() != name && entry.file_name() != ".git" {
            link(&entry.path(), &here.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn copy_folder(original: &Path, here: &Path) -> io::Result<()> {
    for entry in fs::read_dir(original)? {
        let entry = entry?;
        let (from, to) = (entry.path(), here.join(entry.file_name()));
        let kind = entry.file_type()?;
        if entry.file_name() == ".git" {
            continue;
        }
        if kind.is_dir() {
            fs::create_dir(&to)?;
            copy_folder(&from, &to)?;
        } else if kind.is_symlink() {
            copy_link(&from, &to)?;
        } else if kind.is_file() {
            copy_file(&from, &to, true)?;
        }
    }
    Ok(())
}

/// A relative link means the same in the copy; where it leads was looked at when the source was fetched.
#[cfg(unix)]
fn copy_link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(fs::read_link(from)?, to)
}

#[cfg(not(unix))]
fn copy_link(from: &Path, to: &Path) -> io::Result<()> {
    link(from, to)
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

/// Links need a right there that most users lack.
#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir(to)?;
        copy_folder(from, to)
    } else {
        fs::copy(from, to).map(|_| ())
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that they look at")]
mod tests {
    use super::*;

    /// A user's checkout must not change, whatever a tool writes.
    #[test]
    fn writing_in_the_copy_leaves_the_original_alone() {
        for around in [CopyScope::Linked, CopyScope::Copied] {
            let original = tempfile::tempdir().unwrap();
            let root = original.path().canonicalize().unwrap();
            for folder in ["base", "overlays/prod/patches", ".git"] {
                fs::create_dir_all(root.join(folder)).unwrap();
            }
            for file in
                ["base/web.yaml", "overlays/prod/kustomization.yaml", "overlays/prod/patches/a.yaml", ".git/config"]
            {
                fs::write(root.join(file), "original").unwrap();
            }
            let place = tempfile::tempdir().unwrap();
            let copy = WorkingCopy::of(&root, &root.join("overlays/prod"), around, &place.path().join("copy")).unwrap();

            fs::write(copy.folder.join("kustomization.yaml"), "changed").unwrap();
            fs::create_dir(copy.folder.join("charts")).unwrap();
            fs::write(copy.folder.join("patches/a.yaml"), "changed").unwrap();

            assert_eq!(fs::read_to_string(root.join("overlays/prod/kustomization.yaml")).unwrap(), "original");
            assert_eq!(fs::read_to_string(root.join("overlays/prod/patches/a.yaml")).unwrap(), "original");
            assert!(!root.join("overlays/prod/charts").exists());
            assert_eq!(fs::read_to_string(copy.folder.join("../../base/web.yaml")).unwrap(), "original");
            assert!(!copy.root.join(".git").exists());
            assert_eq!(copy.root.join("base").is_symlink(), around == CopyScope::Linked);
        }
    }
}
