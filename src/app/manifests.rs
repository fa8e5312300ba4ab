//! The front door: the texts of manifest files become Applications.
//!
//! In: [`ManifestText`]s, in the order given. Out: [`Manifests`]: every Application of every document and List, what is
//! wrong with files, and a count of the kinds that are not for us. One bad document hides no other.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::application::{Application, InvalidApplication};
use crate::finding::Finding;

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
    /// What is in it.
    pub bytes: Vec<u8>,
    /// The folder it is in, which a relative `repoURL` starts from.
    pub folder: PathBuf,
    /// How it came to be read.
    pub given: Given,
}

/// What the manifest files hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifests {
    /// Every Application, in the order of the input, each with the findings about it.
    pub applications: Vec<Result<Application, Box<InvalidApplication>>>,
    /// What is wrong with files, outside of any Application.
    pub findings: Vec<Finding>,
    /// How many objects of each other kind were passed over: `apps/Deployment`, `argoproj.io/AppProject` …
    pub ignored: BTreeMap<String, usize>,
}

/// Reads Applications from the texts of manifest files.
pub fn read(_inputs: &[ManifestText]) -> Manifests {
    todo!()
}
