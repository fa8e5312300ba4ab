//! The health of applications and objects, and the words that every format has for it.

use crate::fleet::{Ending, Run};
use crate::report::style::theme::Role;
use crate::status::health::logs::{ContainerLog, LogQuestion};
use crate::status::health::{HealthStatus, ResourceHealth};

/// The health of applications, and how a wait for it ended.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'run> {
    /// The applications.
    pub run: &'run Run,
    /// Objects that belong to no application: those of `-f`.
    pub objects: &'run [ResourceHealth],
    /// How a wait ended; nothing where nobody waited.
    pub ending: Option<&'run Ending>,
}

impl Judged<'_> {
    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        self.exit_status().code()
    }
}

pub(in crate::report) fn status(resource: &ResourceHealth) -> Option<HealthStatus> {
    resource.health.as_ref().map(|health| health.status)
}

/// The role of a status.
pub(in crate::report) fn role(status: Option<HealthStatus>) -> Role {
    match status {
        Some(HealthStatus::Healthy) => Role::Good,
        Some(HealthStatus::Suspended) | None => Role::Hint,
        Some(HealthStatus::Progressing | HealthStatus::Missing) => Role::Drift,
        Some(HealthStatus::Degraded | HealthStatus::Unknown) => Role::Bad,
    }
}

/// How many resources have which status, worst first; what is not there is not said.
pub(in crate::report) fn counts(resources: &[ResourceHealth]) -> Vec<(Role, String)> {
    let count = |wanted| resources.iter().filter(|resource| status(resource) == wanted).count();
    let mut counts: Vec<(Role, String)> = HealthStatus::ALL
        .into_iter()
        .rev()
        .map(|status| (status, count(Some(status))))
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| (role(Some(status)), format!("{count} {}", status.as_str().to_lowercase())))
        .collect();
    let silent = count(None);
    if silent > 0 {
        counts.push((Role::Hint, format!("{silent} without health")));
    }
    counts
}

/// The subject of a log, and its lines.
pub(in crate::report) fn log_words(log: &ContainerLog) -> (String, &[String]) {
    let LogQuestion { pod, container, previous, .. } = &log.of;
    let title = format!("container {container} of Pod {pod} wrote");
    let when = if *previous { " before its last restart" } else { "" };
    match &log.lines {
        Ok(lines) if lines.is_empty() => (format!("{title} nothing{when}"), &[]),
        Ok(lines) if *previous => (format!("{title}{when}:"), lines),
        Ok(lines) => (format!("{title} at last:"), lines),
        Err(why) => (format!("the log of container {container} of Pod {pod}{when} could not be read: {why}"), &[]),
    }
}
