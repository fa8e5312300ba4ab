//! Brings one object into the cluster, by the method of its step.
//!
//! In: a step with its target. Out: what was done, in words, and the object as the server has it; or why not. Of a
//! definition, it is waited until its kind is served: what comes next may be of that kind.

use std::sync::Arc;

use serde_json::Value;

use super::{Execution, Failure, FailureKind, StepOutcome, StepResult, remove};
use crate::cluster::{ClusterError, Reason, Refusal, Validation, Writing, Written};
use crate::object::{Gvk, Kinds, Object};
use crate::status::health::HealthStatus;
use crate::sync::adopt;
use crate::sync::merge;
use crate::sync::plan::{Action, Method, Step};

type Brought = Result<(String, Option<Object>), Failure>;

/// How long a definition may take until its kind is served, before what needs it is tried anyway.
const ESTABLISHED: std::time::Duration = std::time::Duration::from_secs(30);

pub(super) async fn bring(step: &Step, execution: &Execution<'_>) -> Brought {
    let (Some(target), Action::Bring { method, validation, adopt, .. }) = (&step.target, &step.action) else {
        return Err(Failure::new(FailureKind::Refused, "the plan has no object to bring"));
    };
    let bringing = Bringing { step, target, validation: *validation, execution };
    match method {
        Method::Apply => {
            bringing.adopt(adopt).await?;
            let words = if step.seen.is_some() { "applied" } else { "created" };
            bringing.apply(words).await
        }
        Method::Replace => bringing.replace().await,
        Method::Recreate => {
            remove::make_way(step, step.seen.as_ref().map(|seen| seen.uid.clone()), execution).await?;
            bringing.apply(if step.seen.is_some() { "recreated" } else { "created" }).await
        }
        Method::Create => {
            if step.hook.is_some_and(|hook| hook.before_creation) {
                remove::make_way(step, None, execution).await?;
            }
            bringing.apply("created").await
        }
    }
}

struct Bringing<'a> {
    step: &'a Step,
    target: &'a Object,
    validation: Validation,
    execution: &'a Execution<'a>,
}

impl Bringing<'_> {
    async fn apply(&self, words: &str) -> Brought {
        let subject = (&self.step.object, self.target);
        let applied = merge::apply(self.execution.cluster, subject, self.validation, Writing::Really).await;
        let (written, way) = applied.map_err(|error| no_answer(&error))?;
        done(Ok(written), &way.words(words))
    }

    async fn replace(&self) -> Brought {
        let cluster = self.execution.cluster;
        if self.step.seen.is_none() {
            return done(cluster.create(self.target, self.validation, Writing::Really).await, "created");
        }
        // Some kinds take no replacement without it, and nothing that came in between is lost unseen.
        let live = cluster.get(&self.step.object).await.map_err(|error| no_answer(&error))?;
        let Some(live) = live else {
            return done(cluster.create(self.target, self.validation, Writing::Really).await, "created");
        };
        let mut target = self.target.clone();
        target.set_resource_version(live.resource_version());
        done(cluster.replace(&target, self.validation, Writing::Really).await, "replaced")
    }

    /// Makes the fields of earlier appliers ours, so that what git drops later goes away.
    async fn adopt(&self, managers: &[String]) -> Result<(), Failure> {
        if managers.is_empty() {
            return Ok(());
        }
        let cluster = self.execution.cluster;
        for _ in 0..3 {
            let Some(live) = cluster.get(&self.step.object).await.map_err(|error| no_answer(&error))? else {
                return Ok(());
            };
            let Some(patch) = adopt::patch(&live, managers) else { return Ok(()) };
            match cluster.patch(&self.step.object, &patch, Writing::Really).await.map_err(|error| no_answer(&error))? {
                Written::Done(_) => return Ok(()),
                Written::Refused(Refusal { reason: Reason::Conflict, .. }) => {}
                Written::Refused(refusal) => return Err(refused(&refusal)),
            }
        }
        Err(Failure::new(
            FailureKind::NoAnswer,
            "somebody else changes it all the time, so that its fields cannot be adopted",
        ))
    }
}

fn done(written: Result<Written, ClusterError>, words: &str) -> Brought {
    match written.map_err(|error| no_answer(&error))? {
        Written::Done(object) => Ok((words.to_owned(), Some(*object))),
        Written::Refused(refusal) => Err(refused(&refusal)),
    }
}

pub(super) fn no_answer(error: &ClusterError) -> Failure {
    let kind = match error {
        ClusterError::Forbidden { .. } | ClusterError::Unauthorized { .. } => FailureKind::NotPermitted,
        _ => FailureKind::NoAnswer,
    };
    Failure::new(kind, error.to_string())
}

pub(super) fn refused(refusal: &Refusal) -> Failure {
    let kind = match refusal.reason {
        Reason::Conflict | Reason::NoNamespace => FailureKind::NoAnswer,
        Reason::Forbidden => FailureKind::NotPermitted,
        _ => FailureKind::Refused,
    };
    Failure::new(kind, in_words(refusal))
}

/// What a refusal means for who syncs.
pub(in crate::sync) fn in_words(refusal: &Refusal) -> String {
    match refusal.reason {
        Reason::Immutable => {
            format!("it must be made anew, with `--force` or its sync option `Force=true`: {}", refusal.words)
        }
        _ => refusal.words.clone(),
    }
}

/// Waits until the kinds of definitions are served, and asks the cluster anew what it serves.
pub(super) async fn settle_definitions(steps: &mut [&mut StepOutcome], execution: &Execution<'_>) {
    let is_definition = |step: &Step| {
        step.object.gvk.kind == "CustomResourceDefinition" && step.object.gvk.group == "apiextensions.k8s.io"
    };
    let is_brought = |outcome: &StepOutcome| is_definition(&outcome.step) && outcome.live.is_some();
    if !execution.cluster.is_alive() || !steps.iter().any(|outcome| is_brought(outcome)) {
        return;
    }
    let until = std::time::Instant::now() + ESTABLISHED;
    for outcome in steps.iter_mut().filter(|outcome| is_brought(outcome)) {
        if let Err(failure) = established(&outcome.step, until, execution).await {
            outcome.result = StepResult::Failed(failure);
        }
    }
    let wanted: Vec<Gvk> =
        steps.iter().filter(|outcome| is_brought(outcome)).flat_map(|it| kinds_of(&it.step)).collect();
    loop {
        let is_served = |kinds: Arc<Kinds>| wanted.iter().all(|kind| kinds.exact(kind).is_some());
        // Discovery follows a moment later. What it does not know in time is found out by the steps that need it.
        if execution.cluster.kinds_anew().await.is_ok_and(is_served) || std::time::Instant::now() >= until {
            return;
        }
        if execution.is_stopped_within(std::time::Duration::from_millis(100)).await {
            return;
        }
    }
}

/// The kinds that a definition makes.
fn kinds_of(definition: &Step) -> Vec<Gvk> {
    let spec = definition.target.as_ref().and_then(|target| target.value().get("spec"));
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let group = text(spec.and_then(|spec| spec.get("group")));
    let kind = text(spec.and_then(|spec| spec.pointer("/names/kind")));
    let versions = spec.and_then(|spec| spec.get("versions")).and_then(Value::as_array);
    let served = versions.into_iter().flatten().filter(|version| version.get("served") == Some(&Value::Bool(true)));
    let gvk = |version: &Value| Gvk::from_api_version(&format!("{group}/{}", text(version.get("name"))), &kind);
    served.map(gvk).collect()
}

async fn established(step: &Step, until: std::time::Instant, execution: &Execution<'_>) -> Result<(), Failure> {
    loop {
        let live = execution.cluster.get(&step.object).await.map_err(|error| no_answer(&error))?;
        let health = live.as_ref().and_then(crate::status::health::health);
        let Some(health) = health.filter(|health| health.status != HealthStatus::Healthy) else { return Ok(()) };
        // A new one is "not established" for a moment, which reads as Degraded.
        if std::time::Instant::now() >= until {
            let is_degraded = health.status == HealthStatus::Degraded;
            return if is_degraded { Err(Failure::new(FailureKind::Unhealthy, health.message)) } else { Ok(()) };
        }
        execution.progress.waiting(&step.subject(), &health.message);
        if execution.is_stopped_within(std::time::Duration::from_millis(50)).await {
            return Ok(());
        }
    }
}
