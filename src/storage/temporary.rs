//! Temporary folders that go with the run, also where it is killed: then the next run removes them.
//!
//! All folders of a run stand in one, below the system's temporary folder, or in its cache what is on its way there. A file beside it is locked for as long as the run
//! lives; a lock that nobody holds is that of a run that is over.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::make_private;

/// The prefix of the folders of runs; the lock of each has the same name and `.lock`.
const PREFIX: &str = "trueup-run-";

/// The folder of this run, made when the first temporary folder is asked for.
static FOLDER: Mutex<Option<RunFolder>> = Mutex::new(None);

/// The folder of one run, with everything that it is about to write. It goes when it is dropped.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    lock_file: PathBuf,
    /// The open file is the lock.
    _lock: File,
}

/// A folder of this name's beginning that is its owner's alone, and is removed when it is dropped.
pub fn temporary_folder(prefix: &str) -> io::Result<tempfile::TempDir> {
    let mut folder = FOLDER.lock().unwrap_or_else(PoisonError::into_inner);
    if folder.is_none() {
        *folder = Some(RunFolder::new(&std::env::temp_dir())?);
    }
    let within = folder.as_ref().map_or_else(std::env::temp_dir, |folder| folder.path.clone());
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(within)
}

/// Removes what this run made; called at its end.
pub fn remove_temporary_folders() {
    drop(FOLDER.lock().unwrap_or_else(PoisonError::into_inner).take());
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // What is still in it is of threads that are left behind: they end with the process.
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_file(&self.lock_file);
    }
}

impl RunFolder {
    /// Makes one in a folder, and removes those of runs that are over.
    pub fn new(base: &Path) -> io::Result<Self> {
        remove_leftovers(base);
        Self::make(base)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn make(base: &Path) -> io::Result<Self> {
        // The lock comes first: a folder whose lock nobody holds is a leftover.
        let (lock, lock_file) = loop {
            let file = tempfile::Builder::new().prefix(PREFIX).suffix(".lock").tempfile_in(base)?;
            file.as_file().lock()?;
            // Another run may have taken it for a leftover before it was locked.
            if file.path().exists() {
                break file.keep().map_err(|error| error.error)?;
            }
        };
        let path = lock_file.with_extension("");
        make_private(&path)?;
        Ok(Self { path, lock_file, _lock: lock })
    }
}

/// Removes the folders of runs that are over. Trouble here is no reason to fail: the next run tries again.
fn remove_leftovers(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) || !name.ends_with(".lock") || !is_ours(&entry) {
            continue;
        }
        let lock_file = entry.path();
        let Ok(lock) = File::open(&lock_file) else { continue };
        match lock.try_lock() {
            Ok(()) => {
                let folder = lock_file.with_extension("");
                if fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) {
                    let _ = fs::remove_dir_all(&folder);
                }
                if !folder.exists() {
                    let _ = fs::remove_file(&lock_file);
                }
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

/// Whether a plain file is our own: the temporary folder is everybody's.
#[cfg(unix)]
fn is_ours(entry: &fs::DirEntry) -> bool {
    use std::os::unix::fs::MetadataExt;
    let ours = rustix::process::geteuid().as_raw();
    entry.path().symlink_metadata().is_ok_and(|found| found.is_file() && found.uid() == ours)
}

#[cfg(not(unix))]
fn is_ours(entry: &fs::DirEntry) -> bool {
    entry.path().symlink_metadata().is_ok_and(|found| found.is_file())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that they look at")]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_is_removed_and_what_a_running_one_has_stays() {
        let base = tempfile::tempdir().unwrap();
        let running = RunFolder::make(base.path()).unwrap();
        fs::write(running.path.join("file"), "").unwrap();
        // A killed run: its folder and its lock file are there, and nobody holds the lock.
        let left = base.path().join(format!("{PREFIX}left"));
        fs::create_dir_all(left.join("trueup-render-x")).unwrap();
        fs::write(left.join("trueup-render-x/values.yaml"), "password: swordfish").unwrap();
        fs::write(base.path().join(format!("{PREFIX}left.lock")), "").unwrap();
        fs::write(base.path().join("somebody-elses.lock"), "").unwrap();

        drop(RunFolder::new(base.path()).unwrap());

        let mut names: Vec<_> =
            fs::read_dir(base.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        let mut expected = vec![name(&running.path), name(&running.lock_file), "somebody-elses.lock".to_owned()];
        expected.sort();
        assert_eq!(names, expected);
        assert!(running.path.join("file").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_temporary_folder_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = temporary_folder("trueup-test-").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.path()), 0o700);
        assert_eq!(mode(folder.path().parent().unwrap()), 0o700);
    }
}
