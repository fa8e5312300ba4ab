//! The text of a manifest file, and how it came to be read.

use super::manifest_folder::ManifestFolder;

/// How a file came to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// The user named it: it must hold an Application, and all of it must be readable.
    ByName,
    /// It was found in a folder: other things may be in it.
    InFolder,
}

/// The text of one manifest file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestText {
    /// The file as the user knows it; `-` for standard input.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// The folder it is in, which a relative `repoURL` starts from.
    pub folder: ManifestFolder,
    /// How it came to be read.
    pub given: Given,
}
