//! Knative: every kind of its API groups but those of the operator.
//!
//! Rule: Knative's "Error conditions and reporting": `Ready`, or `Succeeded` of what runs to its end, sums up all conditions that do not
//! only inform. `Unknown` is under way, `False` has failed.

use super::super::condition::Truth;
use super::super::general::stale;
use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    // While the operator installs, `Ready` is false, too.
    if subject.object.gvk().group == "operator.knative.dev" {
        return None;
    }
    let summary = ["Ready", "Succeeded"].into_iter().find_map(|kind| subject.status().condition(kind))?;
    Some(match summary.truth {
        Truth::False => Health::degraded(summary.sentence()),
        _ if stale(subject).is_some() => Health::progressing("the controller has not seen this generation"),
        Truth::True => Health::healthy(summary.message),
        Truth::Unknown => Health::progressing(summary.sentence()),
    })
}
