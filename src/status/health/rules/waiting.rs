//! An object whose controller has not written a status yet.

use super::super::subject::RuleSubject;
use super::super::verdict::Health;

/// A controller that writes a status has not done so yet.
pub(super) fn waiting(subject: &RuleSubject<'_>) -> Health {
    Health::progressing(format!("Waiting for the status of this {}", subject.object.kind()))
}
