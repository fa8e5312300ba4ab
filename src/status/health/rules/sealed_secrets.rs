//! Sealed Secrets: `SealedSecret`, by whether the controller could unseal it.
//!
//! Rule: Sealed Secrets' API, `SealedSecretStatus`: `Synced` is all that it says, and there is no more to a Secret.

use super::super::condition::Truth;
use super::super::general::stale;
use super::super::{Health, RuleSubject};
use super::waiting;

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    if subject.object.kind() != "SealedSecret" {
        return None;
    }
    Some(match subject.status().condition("Synced") {
        // Also before a new generation is looked at: what failed then is sealed for another cluster.
        Some(synced) if synced.truth == Truth::False => Health::degraded(synced.sentence()),
        _ if stale(subject).is_some() => waiting(subject),
        Some(synced) if synced.is_true() => Health::healthy(synced.message),
        _ => waiting(subject),
    })
}
