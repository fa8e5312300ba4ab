//! What a sync did, or would do, in a report: a line a step, in order; what was held back; why something was left.
//!
//! In: an [`ApplicationRun`] with an operation. Out: lines of a page, and the entry of the JSON contract.

use serde::Serialize;

use crate::fleet::ApplicationRun;
use crate::report::plan;
use crate::report::style::page::Page;
use crate::report::style::theme::Role;
use crate::report::style::words::{counted, sign};
use crate::sync::plan::{Held, Step};
use crate::sync::{FailureKind, Operation, OperationPhase, StepOutcome, StepResult};

/// Whether there is something to tell.
pub(in crate::report) fn is_reported(application: &ApplicationRun) -> bool {
    application.operation.is_some() || application.left.is_some() || has_plan(application)
}

fn has_plan(application: &ApplicationRun) -> bool {
    application.plan.as_ref().is_some_and(|plan| !plan.is_empty() || !plan.held.is_empty())
}

/// What was done about an application, line by line.
pub(in crate::report) fn write(page: &mut Page, application: &ApplicationRun, is_verbose: bool) {
    if let Some(operation) = &application.operation {
        page.write(Role::Hint, "  sync     ").write(role(operation.phase), operation.phase.as_str());
        page.write(Role::Plain, "  ").write(Role::Plain, counts(operation)).end();
        for outcome in &operation.steps {
            step(page, outcome, is_verbose);
        }
    } else if let Some(plan) = application.plan.as_ref().filter(|plan| !plan.is_empty()) {
        let steps: Vec<&Step> = plan.steps.iter().collect();
        page.write(Role::Hint, "  plan     ").list(&plan::counts(&steps, plan.held.len()), ", ").end();
        plan::lines(page, plan);
    }
    if let Some(plan) = &application.plan {
        plan::held_lines(page, plan, |held| held.object.to_string());
    }
    if let Some(why) = &application.left {
        page.write(Role::Hint, "  left     ").write(Role::Plain, why).end();
    }
}

fn role(phase: OperationPhase) -> Role {
    match phase {
        OperationPhase::Succeeded => Role::Good,
        OperationPhase::Failed | OperationPhase::Error => Role::Bad,
        OperationPhase::Terminated => Role::Warning,
    }
}

/// `3 done, 1 failed, 2 not begun`; of what is none nothing is said.
fn counts(operation: &Operation) -> String {
    let count = |is: fn(&StepResult) -> bool| operation.steps.iter().filter(|outcome| is(&outcome.result)).count();
    let counts = [
        (count(|result| matches!(result, StepResult::Done(_))), "done"),
        (count(|result| matches!(result, StepResult::Failed(_))), "failed"),
        (count(|result| matches!(result, StepResult::Held { .. })), "held"),
        (count(|result| matches!(result, StepResult::NotBegun)), "not started"),
    ];
    let told: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}")).collect();
    format!(
        "{}: {}",
        counted(operation.steps.len(), "step"),
        if told.is_empty() { "-".to_owned() } else { told.join(", ") }
    )
}

fn step(page: &mut Page, outcome: &StepOutcome, is_verbose: bool) {
    let (sign, sign_role) = sign(&outcome.step.action, outcome.step.seen.is_some());
    let (words, words_role) = match &outcome.result {
        StepResult::Done(words) => (words.as_str(), Role::Good),
        StepResult::Failed(failure) => (failure.words.as_str(), Role::Bad),
        StepResult::Held { why, .. } => (why.as_str(), Role::Warning),
        StepResult::NotBegun => ("not started", Role::Hint),
    };
    page.write(sign_role, format!("  {sign} ")).write(Role::Name, outcome.step.subject());
    page.write(Role::Plain, "  ").write(words_role, words);
    if is_verbose || !matches!(outcome.result, StepResult::Done(_)) {
        page.write(Role::Hint, format!("  {}, wave {}: {}", outcome.step.phase, outcome.step.wave, outcome.step.why));
    }
    page.end();
    if let StepResult::Failed(failure) = &outcome.result {
        for line in &failure.log {
            page.write(Role::Hint, "      ").write(Role::Hint, line).end();
        }
    }
}

/// What was done, as scripts read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct OperationEntry<'run> {
    phase: &'static str,
    message: &'run str,
    steps: Vec<StepEntry<'run>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StepEntry<'run> {
    phase: &'static str,
    wave: i64,
    group: &'run str,
    version: &'run str,
    kind: &'run str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'run str>,
    name: &'run str,
    action: &'static str,
    hook: bool,
    why: &'run str,
    result: &'static str,
    message: &'run str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    details: &'run [String],
    milliseconds: u64,
}

/// What was not done, as scripts read it.
#[derive(Serialize)]
pub(in crate::report) struct HeldEntry<'run> {
    group: &'run str,
    version: &'run str,
    kind: &'run str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'run str>,
    name: &'run str,
    why: &'run str,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
}

impl<'run> OperationEntry<'run> {
    /// What was done about an application.
    pub(in crate::report) fn of(operation: &'run Operation) -> Self {
        let Operation { phase, message, steps } = operation;
        Self { phase: phase.as_str(), message, steps: steps.iter().map(StepEntry::of).collect() }
    }
}

impl<'run> StepEntry<'run> {
    fn of(outcome: &'run StepOutcome) -> Self {
        let StepOutcome { step, result, took, .. } = outcome;
        let (result_words, reason, details) = match result {
            StepResult::Done(_) => ("done", None, &[][..]),
            StepResult::Failed(failure) => ("failed", Some(reason(failure.kind)), &*failure.log),
            StepResult::Held { .. } => ("held", None, &[][..]),
            StepResult::NotBegun => ("notBegun", None, &[][..]),
        };
        Self {
            phase: step.phase.as_str(),
            wave: step.wave,
            group: &step.object.gvk.group,
            version: &step.object.gvk.version,
            kind: &step.object.gvk.kind,
            namespace: step.object.namespace.as_deref(),
            name: &step.object.name,
            action: step.action.as_str(),
            hook: step.hook.is_some(),
            why: &step.why,
            result: result_words,
            message: result.words(),
            reason,
            details,
            milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl<'run> HeldEntry<'run> {
    /// What was not done about an application.
    pub(in crate::report) fn of(held: &'run Held) -> Self {
        let Held { object, why, owner, .. } = held;
        Self {
            group: &object.gvk.group,
            version: &object.gvk.version,
            kind: &object.gvk.kind,
            namespace: object.namespace.as_deref(),
            name: &object.name,
            why,
            owner: owner.as_ref().map(ToString::to_string),
        }
    }
}

fn reason(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::NoAnswer => "noAnswer",
        FailureKind::Unhealthy => "unhealthy",
        FailureKind::Refused => "refused",
        FailureKind::NotPermitted => "notPermitted",
    }
}
