//! How a person wants to see a run.

use jiff::Timestamp;

use crate::report::ExitRules;

/// How a person wants to see a run: everything that a report depends on beside the run itself.
///
/// The caller has resolved the environment (`NO_COLOR`, `CLICOLOR_FORCE`, whether this is a terminal) already.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// How many columns there are.
    pub width: usize,
    /// Whether colours are wanted.
    pub color: bool,
    /// How many lines are shown around a difference (`-U`); `None` shows a change on one line where it fits.
    pub context_lines: Option<usize>,
    /// Whether resources in sync, and everything that is folded otherwise, are shown.
    pub verbose: bool,
    /// Whether each field that a rule hid is shown.
    pub show_ignored: bool,
    /// Where findings are read.
    pub findings: FindingsPlace,
    /// The time that ages are counted from.
    pub now: Timestamp,
    /// How the exit code is decided: reports tell it.
    pub exit: ExitRules,
}

/// Where whoever looks at a report reads the findings of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingsPlace {
    /// In the report.
    Report,
    /// On the same screen, in full, before it.
    Screen,
}

impl View {
    /// A plain view, at a time: 100 columns, no colours.
    pub fn plain(now: Timestamp) -> Self {
        Self {
            width: 100,
            color: false,
            context_lines: None,
            verbose: false,
            show_ignored: false,
            findings: FindingsPlace::Report,
            now,
            exit: ExitRules::default(),
        }
    }
}
