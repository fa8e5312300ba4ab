//! Notes that many resources share, so that a report prints them once.

use crate::fleet::Run;
use crate::status::{ResourceDrift, ResourceState};

/// The note that all changed resources of a run share, such as that the server could not run a dry run.
pub(in crate::report) fn note_of_all(run: &Run) -> Option<&str> {
    common_note(run.applications.iter().flat_map(|application| &application.resources))
}

/// The note that all changed resources share, where there are several.
pub(in crate::report) fn common_note<'run>(resources: impl Iterator<Item = &'run ResourceDrift>) -> Option<&'run str> {
    let mut changed = resources.filter(|resource| resource.state == ResourceState::Changed);
    let note = changed.next()?.note.as_deref()?;
    let mut others = changed.peekable();
    others.peek()?;
    others.all(|resource| resource.note.as_deref() == Some(note)).then_some(note)
}
