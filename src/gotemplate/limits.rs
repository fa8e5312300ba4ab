//! How much a template may need.

/// How large a text one call may make; the run's own limit on memory comes after it.
pub(super) const MAX_TEXT: usize = 64 << 20;

/// How much a template may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TemplateLimits {
    /// Nodes evaluated, calls and iterations.
    pub steps: u64,
    /// Nesting of actions, parentheses and templates together.
    pub depth: usize,
    /// Bytes of output.
    pub output: usize,
    /// Bytes of all the values that functions return.
    pub memory: usize,
}

impl Default for TemplateLimits {
    fn default() -> Self {
        Self { steps: 50_000_000, depth: 200, output: 64 << 20, memory: 256 << 20 }
    }
}
