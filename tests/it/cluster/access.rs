//! Which cluster, and as whom.
