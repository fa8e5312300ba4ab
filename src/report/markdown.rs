//! The report for a GitHub job summary or a comment.

use super::View;
use crate::fleet::Run;

pub(super) fn write(run: &Run, _view: &View) -> String {
    format!("{} applications\n", run.applications.len())
}
