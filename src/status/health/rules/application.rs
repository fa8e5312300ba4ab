//! Argo CD's own Application: as its status says, so that waves of an app of apps can wait for it.
//!
//! Rule: the script of Argo CD's page on health, which its users add by hand since 1.8 (argo-cd#3781).

use super::super::{Health, HealthStatus, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let health = subject.status().child("health");
    let status = match health.text("status") {
        "" => HealthStatus::Progressing,
        text => text.parse().unwrap_or(HealthStatus::Unknown),
    };
    Health::new(status, health.text("message"))
}
