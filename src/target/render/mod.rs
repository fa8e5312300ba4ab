//! Renders a checked-out source to objects: the tool is detected, then run.
//!
//! In: a folder, a source's options. Out: objects and warnings, or an error that names application, source and file.
