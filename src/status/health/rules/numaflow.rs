//! Numaflow: what Numaplane found out about a new version that it tries beside the old one.
//!
//! Rule: Numaplane's progressive rollouts, the label `numaplane.numaproj.io/progressive-result-state`. All else is the general rule's.

use super::super::{Health, RuleSubject};

const RESULT: &str = "numaplane.numaproj.io/progressive-result-state";

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    let failed = subject.metadata().child("labels").get(RESULT).is_some_and(|result| result == "failed");
    failed.then(|| Health::degraded(format!("the label `{RESULT}` is `failed`")))
}
