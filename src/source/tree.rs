//! Writes a commit's files into a folder, so that nothing in them leads out of it.
//!
//! In: a commit of an object database. Out: a folder with its files, read-only, and the submodules it names. Refused
//! for the whole source: names that mean `.git` on some file system. A link that is absolute or leaves the root is written
//! as one that leads nowhere: whoever reads it gets an error, and a source whose folder has it is refused. Argo CD
//! (util/app/path `CheckOutOfBoundsSymlinks`, of the whole repository) refuses every source of such a repository.
//! Executable bits do not matter: nothing here is run.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use gix::objs::tree::EntryKind;
use gix::validate::path::component;

use super::error::{SourceCause, SourceError};

/// How deep folders may nest: deeper is an attack on whoever walks them.
const DEPTH: usize = 128;

/// The result of writing.
#[derive(Debug, Default)]
pub(super) struct WrittenTree {
    /// The size of all files together.
    pub(super) bytes: u64,
    /// The submodules, with the commits that they are at.
    pub(super) submodules: Vec<(PathBuf, ObjectId)>,
}

/// Why a commit's files could not be written.
#[derive(Debug)]
pub(super) enum TreeError {
    /// An object is missing or damaged.
    Damaged(SourceCause),
    /// The object is no commit, but this.
    NotACommit(String),
    /// The disk does not take it.
    Disk(io::Error),
    /// The files are refused.
    Refused(SourceError),
    /// The run was stopped.
    Stopped,
}

impl From<io::Error> for TreeError {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Follows tags to a commit.
pub(super) fn commit_of(repository: &gix::Repository, id: ObjectId) -> Result<ObjectId, TreeError> {
    let damaged = |error: gix::Error| TreeError::Damaged(SourceCause::of(&error));
    let mut id = id;
    for _ in 0..8 {
        let object = verified(repository, id)?;
        match object.kind {
            gix::objs::Kind::Commit => return Ok(id),
            gix::objs::Kind::Tag => id = object.into_tag().target_id().map_err(damaged)?.detach(),
            other => return Err(TreeError::NotACommit(other.to_string())),
        }
    }
    Err(TreeError::NotACommit("tag of tags".to_owned()))
}

/// Writes the files of a commit into `folder`, which exists and is empty.
pub(super) fn write(
    repository: &gix::Repository,
    commit: ObjectId,
    folder: &Path,
    stopped: &dyn Fn() -> bool,
) -> Result<WrittenTree, TreeError> {
    let damaged = |error: gix::Error| TreeError::Damaged(SourceCause::of(&error));
    let tree = verified(repository, commit)?
        .try_into_commit()
        .map_err(|error| TreeError::Damaged(SourceCause::saying(error.to_string())))?;
    let tree = tree.tree_id().map_err(damaged)?;
    let mut writer =
        TreeWriter { repository, root: folder, stopped, links: Vec::new(), written: WrittenTree::default() };
    writer.folder(tree.detach(), Path::new(""), 0)?;
    writer.links()?;
    Ok(writer.written)
}

struct TreeWriter<'a> {
    repository: &'a gix::Repository,
    root: &'a Path,
    stopped: &'a dyn Fn() -> bool,
    links: Vec<(PathBuf, PathBuf)>,
    written: WrittenTree,
}

impl<'a> TreeWriter<'a> {
    fn folder(&mut self, tree: ObjectId, path: &Path, depth: usize) -> Result<(), TreeError> {
        let object = self.object(tree)?;
        if object.kind != gix::objs::Kind::Tree {
            return Err(TreeError::Damaged(SourceCause::saying(format!("{tree} is not a tree"))));
        }
        if depth > DEPTH {
            return Err(refused(path, "folders nest too deep"));
        }
        let tree = gix::objs::TreeRef::from_bytes(&object.data, tree.kind())
            .map_err(|error| TreeError::Damaged(SourceCause::saying(error.to_string())))?;
        for entry in &tree.entries {
            if (self.stopped)() {
                return Err(TreeError::Stopped);
            }
            let path = path.join(safe_name(entry.filename, entry.mode.kind(), path)?);
            let id = entry.oid.to_owned();
            match entry.mode.kind() {
                EntryKind::Tree => {
                    create_folder(&self.root.join(&path), &path)?;
                    self.folder(id, &path, depth + 1)?;
                }
                EntryKind::Blob | EntryKind::BlobExecutable => self.file(id, &path)?,
                EntryKind::Link => {
                    let target = self.object(id)?.data.clone();
                    let target = target.to_path().map_err(|_error| refused(&path, "a link's target must be UTF-8"))?;
                    self.links.push((path, target.to_owned()));
                }
                EntryKind::Commit => {
                    create_folder(&self.root.join(&path), &path)?;
                    self.written.submodules.push((path, id));
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, id: ObjectId, path: &Path) -> Result<(), TreeError> {
        let object = self.object(id)?;
        let place = self.root.join(path);
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&place) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(twice(path)),
            other => other?,
        };
        file.write_all(&object.data)?;
        self.written.bytes += object.data.len() as u64;
        let mut permissions = file.metadata()?.permissions();
        permissions.set_readonly(true);
        file.set_permissions(permissions)?;
        Ok(())
    }

    /// Links come last: while files were written, there was none to follow.
    fn links(&mut self) -> Result<(), TreeError> {
        for (path, target) in &self.links {
            let blocked = blocked_target(path);
            let target = if stays_inside(path, target) { target } else { &blocked };
            match make_link(target, &self.root.join(path)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(twice(path)),
                other => other?,
            }
        }
        // One link after the other can lead out where each alone does not.
        let root = self.root.canonicalize()?;
        for (path, _) in &self.links {
            let place = self.root.join(path);
            if let Ok(real) = place.canonicalize()
                && !real.starts_with(&root)
            {
                fs::remove_file(&place)?;
                make_link(&blocked_target(path), &place)?;
            }
        }
        Ok(())
    }

    fn object(&self, id: ObjectId) -> Result<gix::Object<'a>, TreeError> {
        verified(self.repository, id)
    }
}

/// An object whose content is what its name says: a pack may be damaged where nothing else notices it.
fn verified(repository: &gix::Repository, id: ObjectId) -> Result<gix::Object<'_>, TreeError> {
    let object = repository.find_object(id).map_err(|error| TreeError::Damaged(SourceCause::of(&error)))?;
    match gix::objs::compute_hash(id.kind(), object.kind, &object.data) {
        Ok(found) if found == id => Ok(object),
        _ => Err(TreeError::Damaged(SourceCause::saying(format!("object {id} is not what its hash says")))),
    }
}

/// One component of a path, as a name that no file system takes for something else.
fn safe_name<'n>(name: &'n BStr, kind: EntryKind, folder: &Path) -> Result<&'n Path, TreeError> {
    let options = component::Options { protect_windows: cfg!(windows), protect_hfs: true, protect_ntfs: true };
    let mode = (kind == EntryKind::Link).then_some(component::Mode::Symlink);
    gix::validate::path::component(name, mode, options).map_err(|error| {
        TreeError::Refused(SourceError::UnsafeName {
            path: folder.join(name.to_str_lossy().as_ref()).display().to_string(),
            cause: SourceCause::saying(error.to_string()),
        })
    })?;
    name.to_path().map_err(|_error| refused(folder, "names must be UTF-8"))
}

fn refused(path: &Path, rule: &str) -> TreeError {
    let path = path.display().to_string();
    TreeError::Refused(SourceError::UnsafeName { path, cause: SourceCause::saying(rule) })
}

/// Two entries that this file system takes for one, such as `a` and `A`.
fn twice(path: &Path) -> TreeError {
    refused(path, "this file system treats two names of the folder as one")
}

fn create_folder(place: &Path, path: &Path) -> Result<(), TreeError> {
    match fs::create_dir(place) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(twice(path)),
        other => Ok(other?),
    }
}

#[cfg(unix)]
pub(super) fn make_link(target: &Path, place: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

#[cfg(not(unix))]
pub(super) fn make_link(_target: &Path, _place: &Path) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// The target of a link in place of one that leads out: below the link itself, so that following it never ends, and no
/// reader takes it for a file that is not there.
fn blocked_target(link: &Path) -> PathBuf {
    Path::new(link.file_name().unwrap_or_default()).join("leads-out-of-the-repository")
}

/// Whether a link's target never leaves the root, step by step.
pub(super) fn stays_inside(link: &Path, target: &Path) -> bool {
    let mut depth = link.components().count().saturating_sub(1);
    for part in target.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) if name.eq_ignore_ascii_case(".git") => return false,
            Component::Normal(_) => depth += 1,
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    true
}

/// Looks at every link below `folder`, and at what lies behind those that stay inside; `.git` is not entered. A working tree
/// has links as somebody wrote them, a commit's files have blocked ones in place of those that lead out.
pub(crate) fn refuse_links_that_leave(root: &Path, folder: &Path) -> Result<(), SourceError> {
    let unreadable = |path: &Path, error: &io::Error| SourceError::PathUnreadable {
        path: path.strip_prefix(root).unwrap_or(path).display().to_string(),
        cause: SourceCause::of(error),
    };
    let mut seen = HashSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))? {
            let entry = entry.map_err(|error| unreadable(&folder, &error))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
            if kind.is_dir() && entry.file_name() != ".git" {
                folders.push(path);
            } else if kind.is_symlink() {
                let behind = behind_link(root, &path)?;
                folders.extend(behind.filter(|behind| behind.is_dir() && seen.insert(behind.clone())));
            }
        }
    }
    Ok(())
}

/// A link's target, or one that leads nowhere in place of one out of the root.
pub(crate) fn unless_it_leaves(root: &Path, link: &Path) -> io::Result<PathBuf> {
    let target = fs::read_link(link)?;
    Ok(if behind_link(root, link).is_ok() { target } else { blocked_target(link) })
}

/// Whether a real place lies below the root, and is none of git's own.
pub(super) fn is_within(root: &Path, place: &Path) -> bool {
    let below = place.strip_prefix(root);
    below.is_ok_and(|below| !below.iter().any(|part| part.eq_ignore_ascii_case(".git")))
}

/// The target of a link, if it exists; an error where it leads out.
fn behind_link(root: &Path, link: &Path) -> Result<Option<PathBuf>, SourceError> {
    let relative = link.strip_prefix(root).unwrap_or(link);
    let Ok(target) = fs::read_link(link) else { return Ok(None) };
    let real = link.canonicalize().ok();
    let really_inside = real.as_ref().is_none_or(|real| is_within(root, real));
    if target != blocked_target(link) && stays_inside(relative, &target) && really_inside {
        return Ok(real);
    }
    Err(SourceError::LinkLeaves { path: relative.display().to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_stays_inside_step_by_step() {
        for (link, target, inside) in [
            ("a", "b", true),
            ("a", "./b/../c", true),
            ("dir/a", "../b", true),
            ("dir/a", "../b/../../c", false),
            ("a", "..", false),
            ("a", "../root/b", false),
            ("a", "/etc/passwd", false),
            ("dir/a", "../../etc", false),
            ("a", ".git/config", false),
            ("dir/a", "../.GIT", false),
        ] {
            assert_eq!(stays_inside(Path::new(link), Path::new(target)), inside, "{link} -> {target}");
        }
    }

    /// CVE-2014-9390, CVE-2019-1353 and their kin.
    #[test]
    fn names_that_mean_a_repository_are_refused() {
        for name in [".git", ".GIT", ".Git", "git~1", "GIT~1", ".git ", ".git.", ".g\u{200c}it", "..", ".", "", "a/b"] {
            let found = safe_name(BStr::new(name.as_bytes()), EntryKind::Blob, Path::new("folder"));
            assert!(matches!(found, Err(TreeError::Refused(_))), "{name:?} was let through");
        }
        for name in ["a", ".gitignore", ".github", "git", "gitea.yaml", "ä.yaml", "con", "a:b"] {
            assert!(safe_name(BStr::new(name.as_bytes()), EntryKind::Blob, Path::new("")).is_ok(), "{name}");
        }
    }
}
