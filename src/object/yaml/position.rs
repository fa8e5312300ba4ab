//! Where the parts of a document stand in the text.

use std::collections::HashMap;

use crate::object::Pointer;

/// A piece of text, in bytes of the decoded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it starts.
    pub offset: usize,
    /// How long it is.
    pub length: usize,
}

/// Where every key and value of a document stands in the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions {
    /// Key and value of each place; the root and list items have no key. What an alias or `<<` inserts has no place of
    /// its own.
    pub places: HashMap<Pointer, (Option<Span>, Span)>,
}

impl Positions {
    /// The place of a value, or of the nearest value around it that has one; the key's, if it has one.
    pub fn nearest(&self, pointer: &Pointer) -> Option<Span> {
        let mut pointer = pointer.clone();
        loop {
            if let Some((key, value)) = self.places.get(&pointer) {
                return Some(key.unwrap_or(*value));
            }
            pointer = pointer.parent()?;
        }
    }
}

/// Whether positions are wanted: they cost time and memory, and only files that are typed need them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithPositions {
    /// Keep them.
    Yes,
    /// Leave them out.
    No,
}
