//! Argo CD: `ApplicationSet`, by its conditions. `Application` has a rule of its own.
//!
//! Rule: Argo CD's API, `ApplicationSetCondition`: `ErrorOccurred`, `ParametersGenerated`, `ResourcesUpToDate`, `RolloutProgressing`.

use super::super::condition::{Condition, Truth};
use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    if subject.object.kind() != "ApplicationSet" {
        return None;
    }
    let status = subject.status();
    let is = |condition: &Condition<'_>, kind, truth| condition.kind == kind && condition.truth == truth;
    let find = |kind, truth| status.conditions().find(|condition| is(condition, kind, truth));
    for (kind, truth) in
        [("ErrorOccurred", Truth::True), ("ParametersGenerated", Truth::False), ("ResourcesUpToDate", Truth::False)]
    {
        if let Some(error) = find(kind, truth) {
            return Some(Health::degraded(error.sentence()));
        }
    }
    if let Some(work) = find("RolloutProgressing", Truth::True) {
        return Some(Health::progressing(work.sentence()));
    }
    match find("ResourcesUpToDate", Truth::True) {
        Some(done) => Some(Health::healthy(done.message)),
        None => Some(Health::progressing("Waiting for the ApplicationSet's first status")),
    }
}
