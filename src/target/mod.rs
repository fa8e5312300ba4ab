//! What git says: a source's repository is brought here ([`source`]), then rendered to objects ([`render`]).
//!
//! In: an application's sources. Out: a [`Target`]: the objects that should be, where each was written, and what was
//! odd on the way. Reads the world; writes only the cache.

pub mod render;
pub mod source;

use crate::finding::Finding;
use crate::object::Object;

/// What an application should be: every object of every source, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Target {
    /// The objects, as rendered: namespaces are not filled in yet.
    pub objects: Vec<Object>,
    /// What was odd on the way, such as a file that was skipped.
    pub warnings: Vec<Finding>,
}
