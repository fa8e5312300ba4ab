//! The health of an application, from the health of its resources.
//!
//! Rule: Argo CD controller/health.go `setApplicationHealth`: the worst of what the application itself manages and is in
//! the cluster. What is missing counts only when everything is.

use super::{Health, HealthStatus};

/// One resource of an application, as its health counts.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'run> {
    /// Its verdict; nothing for one that has none.
    pub health: Option<&'run Health>,
    /// Whether it is an Argo CD Application of its own: one that is not there yet, or not known, does not count.
    pub is_application: bool,
}

/// The health of an application; its resources without hooks and without those that say that they do not count.
pub fn aggregate<'run>(resources: impl IntoIterator<Item = Counted<'run>>) -> HealthStatus {
    let (mut worst, mut missing, mut total) = (HealthStatus::Healthy, 0_usize, 0_usize);
    for Counted { health, is_application } in resources {
        total += 1;
        let Some(status) = health.map(|health| health.status) else { continue };
        match status {
            HealthStatus::Missing => missing += 1,
            HealthStatus::Unknown if is_application => {}
            _ => worst = worst.max(status),
        }
    }
    if total > 0 && missing == total { HealthStatus::Missing } else { worst }
}
