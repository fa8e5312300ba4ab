//! `CronJob`: its last run was not a failure.
//!
//! Rule: Argo CD `resource_customizations/batch/CronJob`. A run that is under way says nothing yet. A suspended one is healthy: git asks
//! for it, nothing will end it, and a sync would wait for it in its wave for ever (argo-cd#24428).

use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    if subject.spec().flag("suspend") {
        return Health::healthy("CronJob is Suspended");
    }
    if !subject.root.has("status") {
        return Health::progressing("Waiting for CronJob");
    }
    let status = subject.status();
    // Times of one server, in one format: their order is that of their text.
    let (scheduled, successful) = (status.text("lastScheduleTime"), status.text("lastSuccessfulTime"));
    match (scheduled, successful) {
        ("", _) => Health::healthy("CronJob has not been scheduled yet"),
        (_, "") => Health::healthy("The CronJob never completed successfully. It may not be healthy"),
        _ if !status.list("active").is_empty() => {
            Health::healthy("The job is running. Its last execution may not have been successful")
        }
        (scheduled, successful) if successful < scheduled => {
            Health::degraded("CronJob has not completed its last execution successfully")
        }
        _ => Health::healthy("CronJob has completed its last execution successfully"),
    }
}
