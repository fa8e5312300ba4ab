//! `DaemonSet`: every node that should have a pod has an available one of the newest template.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_daemonset.go, after kubectl's `rollout status`.

use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    if subject.is_stale() {
        return Health::progressing(
            "Waiting for rollout to finish: observed daemon set generation less than desired generation",
        );
    }
    let (updated, desired, available) = (
        status.count("updatedNumberScheduled"),
        status.count("desiredNumberScheduled"),
        status.count("numberAvailable"),
    );
    if subject.spec().child("updateStrategy").text("type") == "OnDelete" {
        return Health::healthy(format!("daemon set {updated} out of {desired} new pods have been updated"));
    }
    let name = subject.object.name();
    let waiting =
        |what: String| Health::progressing(format!("Waiting for daemon set \"{name}\" rollout to finish: {what}"));
    if updated < desired {
        return waiting(format!("{updated} out of {desired} new pods have been updated..."));
    }
    if available < desired {
        return waiting(format!("{available} of {desired} updated pods are available..."));
    }
    Health::healthy("")
}
