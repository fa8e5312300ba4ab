//! The way down to a value while walking: costs nothing until something is found.

use crate::object::Pointer;

/// A place, as a chain of steps back to the root.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Key(&'a Self, &'a str),
    Index(&'a Self, usize),
}

impl Path<'_> {
    /// The place as a value of its own.
    pub(super) fn pointer(&self) -> Pointer {
        match self {
            Self::Root => Pointer::root(),
            Self::Key(parent, key) => parent.pointer().child(*key),
            Self::Index(parent, index) => parent.pointer().index(*index),
        }
    }
}
