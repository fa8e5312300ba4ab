//! PATHs become the texts of manifest files.
//!
//! In: files, folders, and `-` for standard input. Out: [`ManifestText`]s in stable order, and an error for each PATH that
//! could not be read. Nothing is parsed here.

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;

use crate::app::ManifestText;

/// One PATH of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestPath {
    /// `-`.
    StandardInput,
    /// A file or a folder.
    Path(PathBuf),
}

impl From<OsString> for ManifestPath {
    fn from(text: OsString) -> Self {
        if text == "-" { Self::StandardInput } else { Self::Path(text.into()) }
    }
}

/// Standard input, and whether a person sits at its other end.
pub struct StandardInput<'reader> {
    /// What to read.
    pub reader: &'reader mut dyn Read,
    /// Whether it is a terminal.
    pub is_terminal: bool,
}

/// Why a PATH cannot be read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ManifestError {}

/// The texts that could be read, and what could not.
#[derive(Debug, Default)]
pub struct ManifestTexts {
    /// The files, each once, in the order of the PATHs; a folder's in lexical order.
    pub texts: Vec<ManifestText>,
    /// Every PATH, and every file in a folder, that could not be read.
    pub errors: Vec<ManifestError>,
}

/// Reads every manifest file below the PATHs.
pub fn read(_paths: &[ManifestPath], _standard_input: StandardInput<'_>) -> ManifestTexts {
    todo!()
}
