//! What was asked for: Applications, typed in full, with every fault of a file found at once.
//!
//! In: the texts of manifest files. Out: [`Application`]s and the [`crate::finding::Finding`]s about what could not be
//! read. Pure: the files are read by the command line.

pub mod application;

pub use application::{Application, Destination, Source};
