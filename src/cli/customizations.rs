//! A folder of Lua scripts, laid out as in Argo CD: `<group>/<Kind>/health.lua`, and the tests beside them.
//!
//! In: the folder. Out: its scripts, each with its kinds, and its suites. A kind of the core group lies in the folder
//! itself. What a suite names is read only from below the folder: it may be somebody else's pull request.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::app::settings::{Customization, Script};

/// Larger than any script or manifest of a test.
const LIMIT: u64 = 16 << 20;

/// Why the scripts of a team cannot be read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum CustomizationError {
    /// The operating system does not hand it out.
    #[error("{path}: cannot be read")]
    #[diagnostic(code(trueup::cli::unreadable_customization), help("check its spelling and permissions"))]
    Unreadable {
        /// The file or folder.
        path: String,
        /// The operating system's words.
        #[source]
        cause: io::Error,
    },
    /// It is no text, or far too long.
    #[error("{path}: {why}")]
    #[diagnostic(code(trueup::cli::customization), help("a script must be UTF-8 text of a few kilobytes"))]
    NoScript {
        /// The file.
        path: String,
        /// What it is.
        why: &'static str,
    },
    /// There is nothing of the kind.
    #[error("{path}: contains no {wanted}")]
    #[diagnostic(code(trueup::cli::no_customizations), help("the layout is `<group>/<Kind>/{wanted}`"))]
    None {
        /// The folder.
        path: String,
        /// What was looked for.
        wanted: &'static str,
    },
}

/// The tests beside a script.
pub(crate) struct Suite {
    /// The `health_test.yaml`.
    pub(crate) file: PathBuf,
    /// Its group and kind, as the folders are named.
    pub(crate) name: String,
}

/// Every script below a folder.
pub(crate) fn scripts(folder: &Path) -> Result<Vec<Customization>, CustomizationError> {
    let mut scripts = Vec::new();
    for (group, kind, path) in kinds(folder)? {
        let file = path.join("health.lua");
        if !file.is_file() {
            continue;
        }
        let name = file.display().to_string();
        let source = String::from_utf8(text(&file)?)
            .map_err(|_cause| CustomizationError::NoScript { path: name.clone(), why: "is not UTF-8" })?;
        scripts.push(Customization { group, kind, script: Script { name, source: source.into() } });
    }
    if scripts.is_empty() { Err(none(folder, "health.lua")) } else { Ok(scripts) }
}

/// Every suite below a folder.
pub(crate) fn suites(folder: &Path) -> Result<Vec<Suite>, CustomizationError> {
    let mut suites = Vec::new();
    for (group, kind, path) in kinds(folder)? {
        let file = path.join("health_test.yaml");
        if file.is_file() {
            let name = if group.is_empty() { kind } else { format!("{group}/{kind}") };
            suites.push(Suite { file, name });
        }
    }
    if suites.is_empty() { Err(none(folder, "health_test.yaml")) } else { Ok(suites) }
}

/// The text of a file, within limits.
pub(crate) fn text(file: &Path) -> Result<Vec<u8>, CustomizationError> {
    let unreadable = |cause| CustomizationError::Unreadable { path: file.display().to_string(), cause };
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(unreadable)?;
    opened.take(LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LIMIT {
        return Err(CustomizationError::NoScript { path: file.display().to_string(), why: "is larger than 16 MiB" });
    }
    Ok(bytes)
}

/// The manifest that a suite names; nothing outside of the folder is read.
pub(crate) fn manifest(folder: &Path, suite: &Suite, input: &str) -> Result<Vec<u8>, String> {
    let path = suite.file.parent().unwrap_or(folder).join(input);
    let real = |path: &Path| path.canonicalize().map_err(|error| format!("{}: {error}", path.display()));
    let (root, path) = (real(folder)?, real(&path)?);
    if !path.starts_with(root) {
        return Err(format!("{input}: leaves the folder of the tests"));
    }
    text(&path).map_err(|error| error.to_string())
}

/// The folders of kinds, in order: those of the core group lie in the folder itself.
fn kinds(folder: &Path) -> Result<Vec<(String, String, PathBuf)>, CustomizationError> {
    let mut kinds = Vec::new();
    for group in folders(folder)? {
        if ["health.lua", "health_test.yaml"].iter().any(|file| group.join(file).is_file()) {
            kinds.push((String::new(), name(&group), group.clone()));
        }
        for kind in folders(&group)? {
            kinds.push((name(&group), name(&kind), kind));
        }
    }
    Ok(kinds)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, CustomizationError> {
    let unreadable = |cause| CustomizationError::Unreadable { path: folder.display().to_string(), cause };
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(unreadable)?;
    let mut folders: Vec<PathBuf> =
        entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn none(folder: &Path, wanted: &'static str) -> CustomizationError {
    CustomizationError::None { path: folder.display().to_string(), wanted }
}
