//! Argo Rollouts: `Rollout`, `AnalysisRun` and `Experiment`, by their phase.
//!
//! Rule: Argo Rollouts' API, `RolloutStatus`, `AnalysisRunStatus` and `ExperimentStatus`. `observedGeneration` is text there. Releases
//! before 1.0 write no phase: then the conditions decide, which are those of a Deployment.

use super::super::condition::Truth;
use super::super::general::stale;
use super::super::{Health, RuleSubject};

const WORKLOAD_GENERATION: &str = "rollout.argoproj.io/workload-generation";

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    match subject.object.kind() {
        "Rollout" => Some(rollout(subject)),
        "AnalysisRun" | "Experiment" => Some(run(subject)),
        _ => None,
    }
}

fn rollout(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    if let Some(invalid) = status.condition("InvalidSpec").filter(super::super::condition::Condition::is_true) {
        return Health::degraded(invalid.sentence());
    }
    if let Some(stale) = stale(subject).or_else(|| stale_workload(subject)) {
        return stale;
    }
    if subject.spec().flag("paused") {
        return Health::suspended("Rollout is paused");
    }
    let message = status.text("message");
    match status.text("phase") {
        "Healthy" => Health::healthy(message),
        "Degraded" => Health::degraded(message),
        "Paused" => Health::suspended(message),
        "Progressing" => Health::progressing(message),
        _ => before_phases(subject),
    }
}

/// With `workloadRef`, the template is that of a Deployment, whose generation the controller notes.
fn stale_workload(subject: &RuleSubject<'_>) -> Option<Health> {
    let wanted: i64 = subject.object.annotation(WORKLOAD_GENERATION)?.parse().ok()?;
    let observed = subject.status().generation("workloadObservedGeneration")?;
    let message = || format!("the controller has seen generation {observed} of {wanted} of the workload");
    (observed < wanted).then(|| Health::progressing(message()))
}

fn before_phases(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    if status.flag("abort") {
        return Health::degraded("Rollout is aborted");
    }
    let progressing = status.condition("Progressing");
    if let Some(failed) = progressing.filter(|progressing| progressing.truth == Truth::False) {
        return Health::degraded(failed.sentence());
    }
    if !status.list("pauseConditions").is_empty() {
        return Health::suspended("Rollout is paused");
    }
    if status.list("conditions").is_empty() {
        return Health::progressing("Waiting for the Rollout's first status");
    }
    of_replicas(subject)
}

/// As a Deployment: every replica is new and available, and what a strategy has still to do.
fn of_replicas(subject: &RuleSubject<'_>) -> Health {
    let (spec, status) = (subject.spec(), subject.status());
    let (all, updated) = (status.count("replicas"), status.count("updatedReplicas"));
    let (wanted, available) = (spec.integer("replicas").unwrap_or(updated), status.count("availableReplicas"));
    if updated < wanted || updated < all || available < updated {
        let words = format!("{updated} of {wanted} replicas are updated, {available} of {all} are available");
        return Health::progressing(words);
    }
    let steps = spec.child("strategy").child("canary").list("steps").len();
    let is_underway = |step: i64| usize::try_from(step).is_ok_and(|step| step < steps);
    if status.integer("currentStepIndex").is_some_and(is_underway) {
        return Health::progressing("Not all steps are done");
    }
    let active = status.child("blueGreen").text("activeSelector");
    if !active.is_empty() && active != status.text("currentPodHash") {
        return Health::progressing("The active service still selects the older replicas");
    }
    match status.condition("Available") {
        Some(available) if available.is_true() => Health::healthy(available.message),
        _ => Health::progressing("The Rollout is not available"),
    }
}

fn run(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    let message = status.text("message");
    match status.text("phase") {
        "" | "Pending" | "Running" => Health::progressing(message),
        "Successful" => Health::healthy(message),
        "Failed" | "Error" => Health::degraded(message),
        // `Inconclusive`: somebody has to decide.
        _ => Health::unknown(message),
    }
}
