//! trueup answers one question in one run: does each cluster hold what git says it should, and if not, who moved?
//!
//! The rooms below stand in the order of the data; docs/design.md draws the house, and `tests/it/rooms.rs` holds
//! its arrows. Ground rooms first, then: what was asked for, what git says, what is, is it right, and the telling.

/// Values that a user has to read about: an error or a warning, with the line of the file where there is one.
pub mod finding;
/// Go's text/template with Masterminds sprig: templates and values in, text or Go's own error out.
pub mod gotemplate;
/// Kubernetes objects: YAML as kubectl reads it, keys, pointers, kinds, masks, names of annotations.
pub mod object;
/// Running a child program within limits.
pub mod process;
/// The events of a run, and the bounded sender that carries them.
pub mod progress;
/// Values whose display cannot leak.
pub mod secret;
/// Files that are nobody else's: private, verified, gone with the run.
pub mod storage;

/// Applications, typed in full.
pub mod app;
/// The command line: arguments, environment and signals in, an exit code out.
pub mod cli;
/// The live side: a Kubernetes API server, or a folder.
pub mod cluster;
/// The conductor: many applications, bounded, isolated, cancellable.
pub mod fleet;
/// Renders a checkout to the objects that should be.
pub mod render;
/// The run as bytes, and the only printer.
pub mod report;
/// Fetches a source's repository or chart as a checkout.
pub mod source;
/// Is it right: the comparison, as a pure function.
pub mod status;
/// Makes it so: decides, plans, executes, records.
pub mod sync;
