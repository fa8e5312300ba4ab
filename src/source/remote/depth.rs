//! How much history a fetch asks for.

/// Where the commits that we have are named in a bare repository of the cache.
pub(in super::super) const KEPT: &str = "refs/trueup/";

/// How much history is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Depth {
    /// None: the commit and its files.
    One,
    /// So many commits, to look at what happened.
    Some(u32),
    /// All of it, to look for a hash in.
    All,
}
