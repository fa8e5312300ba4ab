//! A home for one render: private, empty, and gone afterwards.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::storage::{make_private, temporary_folder};

/// A folder that only we can read, with everything that a program keeps at home.
#[derive(Debug)]
pub(in super::super) struct Home(tempfile::TempDir);

impl Home {
    pub(in super::super) fn new() -> io::Result<Self> {
        let folder = temporary_folder("trueup-render-")?;
        make_private(&folder.path().join("tmp"))?;
        Ok(Self(folder))
    }

    pub(in super::super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A file for a program to read.
    pub(in super::super) fn file(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        private_file(&self.path().join(name), text.as_bytes())
    }

    /// A file that its owner alone may read.
    pub(in super::super) fn private_file(&self, below: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        private_file(&self.path().join(below), bytes)
    }

    /// The environment that keeps a program in here.
    pub(super) fn variables(&self) -> Vec<(OsString, OsString)> {
        [
            ("HOME", ""),
            ("TMPDIR", "tmp"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("HELM_CACHE_HOME", "cache/helm"),
            ("HELM_CONFIG_HOME", "config/helm"),
            ("HELM_DATA_HOME", "data/helm"),
        ]
        .into_iter()
        .map(|(name, below)| (name.into(), self.path().join(below).into_os_string()))
        // A git that a program starts must not ask anybody, nor read what others wrote down.
        .chain([("GIT_TERMINAL_PROMPT".into(), "0".into()), ("GIT_CONFIG_NOSYSTEM".into(), "1".into())])
        .collect()
    }
}

/// Writes a file that its owner alone may read, which is what ssh wants of a key.
pub(super) fn private_file(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let folder = path.parent().unwrap_or(path);
    make_private(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(path.to_owned())
}
