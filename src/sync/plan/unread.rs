//! Which objects git may still have, though it does not render them: those are not pruned.
//!
//! In: the gaps of the render, and the record of the last sync, which knows the file of each object. Out: the gap that may hold an
//! object. The rule itself is [`Gap::may_hold`].

use std::collections::BTreeSet;

use crate::object::{Gap, Key, SourceFile};
use crate::status::compare::Baseline;

/// The parts of git that could not be read, and where the objects of the last sync came from.
#[derive(Debug, Clone, Default)]
pub struct Unread<'a> {
    gaps: &'a [Gap],
    baseline: Option<&'a Baseline>,
    on_record: BTreeSet<SourceFile>,
}

impl<'a> Unread<'a> {
    /// These gaps, judged by the record of the last sync.
    pub fn of(gaps: &'a [Gap], baseline: Option<&'a Baseline>) -> Self {
        let keys = baseline
            .filter(|_| !gaps.is_empty())
            .into_iter()
            .flat_map(|baseline| baseline.keys().filter_map(|key| baseline.source_of(key)).map(SourceFile::parse));
        Self { gaps, baseline, on_record: keys.collect() }
    }

    /// The first gap that may hold an object which git does not render.
    pub fn gap_of(&self, key: &Key) -> Option<&'a Gap> {
        let recorded = self.baseline.and_then(|baseline| baseline.source_of(key)).map(SourceFile::parse);
        self.gaps.iter().find(|gap| gap.may_hold(key, recorded.as_ref(), &self.on_record))
    }
}
