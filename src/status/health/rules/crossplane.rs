//! Crossplane: packages, composite resource definitions, claims and composites, and everything that providers manage.
//!
//! Rule: Crossplane's API documentation, "conditions": `Ready` and `Synced` of what is managed, `Installed` and `Healthy` of a package,
//! `Established` and `Offered` of a definition. Providers built with Upjet add `LastAsyncOperation`.

use super::super::condition::Truth;
use super::super::{Health, RuleSubject};
use super::waiting;

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    let group = subject.object.gvk().group;
    match (group.as_str(), subject.object.kind()) {
        ("pkg.crossplane.io", "Provider" | "Configuration" | "Function") => Some(package(subject)),
        ("apiextensions.crossplane.io", "CompositeResourceDefinition") => Some(definition(subject)),
        ("pkg.crossplane.io" | "apiextensions.crossplane.io", _) => None,
        _ => managed(subject),
    }
}

fn package(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    let (installed, healthy) = (status.condition("Installed"), status.condition("Healthy"));
    if let Some(unhealthy) = healthy.filter(|healthy| healthy.truth == Truth::False) {
        return Health::degraded(unhealthy.sentence());
    }
    match (installed, healthy) {
        (Some(installed), Some(healthy)) if installed.is_true() && healthy.is_true() => {
            Health::healthy(healthy.message)
        }
        // While a first package is unpacked, nothing is healthy yet. With one that is, the next cannot be unpacked.
        (Some(installed), None) if !installed.is_true() => Health::progressing(installed.sentence()),
        (Some(installed), _) if installed.truth == Truth::False => Health::degraded(installed.sentence()),
        (Some(installed), _) if !installed.is_true() => Health::progressing(installed.sentence()),
        (_, Some(healthy)) => Health::progressing(healthy.sentence()),
        _ => waiting(subject),
    }
}

/// One that offers claims is of use only once these are served, too.
fn definition(subject: &RuleSubject<'_>) -> Health {
    let offers_claims = subject.spec().has("claimNames");
    for kind in ["Established", "Offered"] {
        if kind == "Offered" && !offers_claims {
            continue;
        }
        match subject.status().condition(kind) {
            Some(condition) if condition.is_true() => {}
            Some(condition) => return Health::progressing(condition.sentence()),
            None => return waiting(subject),
        }
    }
    Health::healthy("")
}

fn managed(subject: &RuleSubject<'_>) -> Option<Health> {
    let status = subject.status();
    let synced = status.condition("Synced");
    if let Some(paused) = synced.filter(|synced| synced.reason == "ReconcilePaused") {
        return Some(Health::suspended(paused.sentence()));
    }
    if let Some(failed) = synced.filter(|synced| synced.truth == Truth::False) {
        return Some(Health::degraded(failed.sentence()));
    }
    if let Some(failed) = status.condition("LastAsyncOperation").filter(|last| last.truth == Truth::False) {
        return Some(Health::degraded(failed.sentence()));
    }
    // All else is as everywhere.
    None
}
