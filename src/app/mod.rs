//! What was asked for: Applications, typed in full, with every fault of a file found at once.
//!
//! In: the texts of manifest files ([`read`]) and what narrows them ([`Selection`]). Out: [`Application`]s, and the
//! [`crate::finding::Finding`]s about what could not be read. Pure: the files are read by the command line.

pub mod application;
pub mod appset;
pub mod changed;
pub mod events;
pub mod gobwas;
pub mod held;
pub mod ignore;
pub mod ignore_file;
pub mod label_selector;
mod lineage;
mod manifest_text;
pub mod manifests;
pub mod operation;
pub mod options;
pub mod policy;
pub mod project;
pub mod selection;
pub mod settings;
pub mod shard;
pub mod source;
pub mod sync_policy;
pub mod windows;

mod charts;
mod duration;
mod fault;
mod fields;
mod file_fault;
mod kustomizations;
mod manifest_folder;
mod metadata;
mod names;
mod project_glob;
mod reading;

pub use application::{Application, Destination, InvalidApplication, SourceForm};
pub use lineage::{Lineage, QualifiedName};
pub use manifest_folder::ManifestFolder;
pub use manifest_text::{Given, ManifestText};
pub use manifests::{Manifests, read, read_beside};
pub use selection::{Applications, Selection, SelectionError};
pub use shard::Shard;
pub use source::{Directory, Source};

#[cfg(test)]
mod tests;
