//! One case of a team's health tests.

use crate::status::health::suite::{CaseOutcome, CaseVerdict};

/// A case of a team's tests, tried.
pub struct TestedCase {
    /// The group and the kind of the suite.
    pub suite: String,
    /// The manifest.
    pub input: String,
    /// The test's title.
    pub expected: CaseVerdict,
    /// The script's result.
    pub outcome: CaseOutcome,
}
