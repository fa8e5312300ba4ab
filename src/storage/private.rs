//! Who may read what a run writes: nobody else, unless it is written for the user.

use std::fs;
use std::io;
use std::path::Path;
#[cfg(unix)]
use std::sync::OnceLock;

/// The umask for new files; nothing is known before [`private_from_now_on`].
#[cfg(unix)]
static USERS_MASK: OnceLock<u32> = OnceLock::new();

/// Makes every file and folder that this process and its children create readable by its owner alone, from the first
/// moment on: rendered Secrets and private repositories are among them. Called once, before anything is written.
pub fn private_from_now_on() {
    #[cfg(unix)]
    {
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let _ = USERS_MASK.set(before.as_raw_mode());
    }
}

/// The mode that a file or folder has which is written for the user, such as a report: what the user's own mask leaves of
/// `wanted`. Nothing where the system's default is right already.
#[cfg(unix)]
pub fn users_mode(wanted: u32) -> Option<fs::Permissions> {
    use std::os::unix::fs::PermissionsExt;
    USERS_MASK.get().map(|mask| fs::Permissions::from_mode(wanted & !mask))
}

/// The same, where there are no modes.
#[cfg(not(unix))]
pub fn users_mode(_wanted: u32) -> Option<fs::Permissions> {
    None
}

/// Copies a file into a new one that its owner alone may read and write, and run where `keep_modes` says so and the
/// original can be run. The original's other rights are not taken over: a checkout is read-only, or open to everybody.
pub fn copy_file(from: &Path, to: &Path, keep_modes: bool) -> io::Result<()> {
    let mut source = fs::File::open(from)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        let executable = source.metadata()?.permissions().mode() & 0o100;
        options.mode(if keep_modes { 0o600 | executable } else { 0o600 });
    }
    #[cfg(not(unix))]
    let _ = keep_modes;
    io::copy(&mut source, &mut options.open(to)?)?;
    Ok(())
}

/// Makes the folder, for its owner alone.
#[cfg(unix)]
pub fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if folder.metadata()?.permissions().mode() & 0o777 == 0o700 {
        return Ok(());
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

/// Makes the folder.
#[cfg(not(unix))]
pub fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_folder_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let trees = folder.path().join("trees");
        fs::create_dir(&trees).unwrap();
        fs::set_permissions(&trees, fs::Permissions::from_mode(0o755)).unwrap();
        make_private(&trees).unwrap();
        assert_eq!(trees.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}
