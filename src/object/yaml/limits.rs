//! Limits of reading.

/// Limits for one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The whole input, in bytes.
    pub bytes: usize,
    /// How deep maps and lists may nest.
    pub depth: usize,
    /// How many values aliases may add to a document.
    pub alias_values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 20, depth: 1000, alias_values: 1_000_000 }
    }
}
