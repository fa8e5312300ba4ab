//! Applies one object, by the method of its step.
//!
//! In: a step with its target. Out: what was done, in words, and the object as the server has it; or why not. Of a
//! definition, it is waited until its kind is served: what comes next may be of that kind.

use std::sync::Arc;

use serde_json::Value;

use super::refusal::{no_answer, refused};
use super::wait::look;
use super::{Execution, Failure, FailureKind, NotDone, StepDone, StepOutcome, StepResult, remove};
use crate::cluster::{ClusterError, ObjectName, Reason, Refusal, Validation, Writing, Written};
use crate::object::{Gvk, Kinds, Object};
use crate::status::health::HealthStatus;
use crate::sync::adopt;
use crate::sync::merge;
use crate::sync::ownership::{Claim, Owner, Rules, mark_patch, owner, prove_hook, prove_member};
use crate::sync::plan::{Action, Method, Seen, Step, adopt_it};

/// How long a definition may take until its kind is served, before what needs it is tried anyway.
const ESTABLISHED: std::time::Duration = std::time::Duration::from_secs(30);
/// How often an object is taken over that somebody else writes to.
const TRIES: usize = 3;

pub(super) async fn apply_step(step: &Step, execution: &Execution<'_>) -> StepDone {
    let (Some(target), Action::Apply { method, validation, adopt, .. }) = (&step.target, &step.action) else {
        return Err(Failure::new(FailureKind::Refused, "the plan has no object to apply").into());
    };
    let applying = StepApply { step, target, validation: *validation, execution };
    if step.hook.is_some() {
        return applying.hook(*method, adopt).await;
    }
    match method {
        Method::Apply | Method::Create => {
            applying.adopt(adopt).await?;
            let words = if step.seen.is_some() { "applied" } else { "created" };
            applying.apply(words).await
        }
        Method::Replace => match applying.live().await? {
            None => applying.create().await,
            Some(live) => {
                let live = applying.owned(live).await?;
                applying.replace(&live).await
            }
        },
        Method::Recreate => {
            let Some(live) = applying.live().await? else { return applying.apply("created").await };
            let live = applying.owned(live).await?;
            let uid = step.seen.as_ref().map_or(live.uid(), |seen| seen.uid.as_str());
            remove::make_way(step, &Claim::Member(&execution.rules, Some(uid)), execution).await?;
            applying.apply("recreated").await
        }
    }
}

/// Holds what became somebody else's since the plan was made, unless it is to be adopted: an object that somebody created
/// meanwhile, and one that changed and has another owner now. Argo CD and `kubectl apply` overwrite both.
pub(super) async fn hold_what_changed_hands(steps: &mut [&mut StepOutcome], execution: &Execution<'_>) {
    let is_applied =
        |outcome: &StepOutcome| outcome.step.hook.is_none() && matches!(outcome.step.action, Action::Apply { .. });
    let names: Vec<ObjectName> =
        steps.iter().filter(|outcome| is_applied(outcome)).map(|outcome| outcome.step.object.clone()).collect();
    if names.is_empty() || execution.stop.is_cancelled() {
        return;
    }
    let mut seen = look(&names.iter().collect::<Vec<_>>(), execution).await;
    for outcome in steps.iter_mut().filter(|outcome| is_applied(outcome)) {
        let Some(target) = outcome.step.target.as_deref().filter(|target| !is_bare(target)) else { continue };
        match seen.remove(&outcome.step.object) {
            Some(Ok(Some(live))) if outcome.step.seen.as_ref().is_none_or(|seen| *seen != Seen::of(&live)) => {
                if let Some(owner) = owner_to_ask(&live, target, &execution.rules) {
                    let how = if outcome.step.seen.is_some() { "changed" } else { "created" };
                    let why = format!("{how} in the cluster after it was planned: {}", adopt_it(&owner));
                    outcome.result = StepResult::Held { why, is_ours: false };
                }
            }
            Some(Err(error)) => outcome.result = StepResult::Failed(no_answer(&error)),
            Some(Ok(_)) | None => {}
        }
    }
}

/// Whether an object has nothing but its name, as the Namespace of `CreateNamespace=true`: it takes nothing over, and the server
/// does not record who applied it.
fn is_bare(target: &Object) -> bool {
    let value = target.to_value();
    let has_only = |value: &Value, keys: &[&str]| {
        value.as_object().is_some_and(|map| map.keys().all(|key| keys.contains(&key.as_str())))
    };
    has_only(&value, &["apiVersion", "kind", "metadata"]) && has_only(&value["metadata"], &["name"])
}

/// Whose a live object is, where that forbids writing to it.
fn owner_to_ask(live: &Object, target: &Object, rules: &Rules<'_>) -> Option<Owner> {
    owner(live, target, rules.tracking).filter(|owner| match owner {
        Owner::Application(_) => !rules.allow_shared,
        _ => !rules.adopt,
    })
}

struct StepApply<'a> {
    step: &'a Step,
    target: &'a Object,
    validation: Validation,
    execution: &'a Execution<'a>,
}

impl StepApply<'_> {
    async fn live(&self) -> Result<Option<Object>, Failure> {
        self.execution.cluster.get(&self.step.object).await.map_err(|error| no_answer(&error))
    }

    /// A hook: what an earlier run left of it is deleted first, where its policy says so. Nobody else's object is.
    async fn hook(&self, method: Method, managers: &[String]) -> StepDone {
        let Some(live) = self.live().await? else { return self.apply("created").await };
        let live = self.owned(live).await?;
        let is_made_first = method == Method::Recreate
            || (method == Method::Create && self.step.hook.is_some_and(|hook| hook.before_creation));
        if is_made_first {
            let claim = Claim::Hook(&self.execution.rules, Some(live.uid()));
            remove::make_way(self.step, &claim, self.execution).await?;
            return self.apply("created").await;
        }
        if method == Method::Replace {
            return self.replace(&live).await;
        }
        self.adopt(managers).await?;
        self.apply("applied").await
    }

    /// The live object, if it is the application's own; with `--adopt` it becomes that first.
    async fn owned(&self, mut live: Object) -> Result<Object, NotDone> {
        let rules = &self.execution.rules;
        let is_hook = self.step.hook.is_some();
        let is_proven = |live: &Object| {
            let id = &rules.tracking.applyset_id;
            if is_hook { prove_hook(live, id).is_ok() } else { prove_member(live, id).is_ok() }
        };
        for _ in 0..TRIES {
            let is_others = owner_to_ask(&live, self.target, rules).is_some();
            // What trueup made and nobody claims may be replaced without a mark, but no hook.
            if is_proven(&live) || (!is_others && !is_hook && !rules.adopt) {
                return Ok(live);
            }
            if is_others || !rules.adopt {
                return Err(self.not_owned(&live));
            }
            let patch = mark_patch(&live, &rules.tracking.applyset_id, is_hook);
            let patched = self.execution.cluster.patch(&self.step.object, &patch, Writing::Really).await;
            match patched.map_err(|error| no_answer(&error))? {
                Written::Done(marked) => return Ok(*marked),
                Written::Refused(Refusal { reason: Reason::Conflict, .. }) => {}
                Written::Refused(refusal) => return Err(refused(&refusal).into()),
            }
            let Some(now) = self.live().await? else { break };
            live = now;
        }
        Err(contended().into())
    }

    fn not_owned(&self, live: &Object) -> NotDone {
        let owner = owner(live, self.target, self.execution.rules.tracking);
        if self.step.hook.is_some() {
            let whose = owner.map_or("created by trueup, but not as a hook".to_owned(), |owner| owner.to_string());
            let words = format!("an object with its name appeared after it was planned; that object is {whose}");
            return Failure::new(FailureKind::Refused, words).into();
        }
        let whose = owner.as_ref().map_or_else(|| "it is not provably ours".to_owned(), adopt_it);
        NotDone::Held { why: format!("changed in the cluster after it was planned: {whose}"), is_ours: false }
    }

    async fn apply(&self, words: &str) -> StepDone {
        let subject = (&self.step.object, self.target);
        let applied = merge::apply(self.execution.cluster, subject, self.validation, Writing::Really).await;
        let (written, way) = applied.map_err(|error| no_answer(&error))?;
        done(Ok(written), &way.words(words))
    }

    async fn create(&self) -> StepDone {
        done(self.execution.cluster.create(self.target, self.validation, Writing::Really).await, "created")
    }

    /// Some kinds take no replacement without a version, and nothing that came in between is lost unseen.
    async fn replace(&self, live: &Object) -> StepDone {
        let mut target = self.target.clone();
        target.set_resource_version(live.resource_version());
        done(self.execution.cluster.replace(&target, self.validation, Writing::Really).await, "replaced")
    }

    /// Makes the fields of earlier appliers ours, so that what git drops later goes away.
    async fn adopt(&self, managers: &[String]) -> Result<(), Failure> {
        if managers.is_empty() {
            return Ok(());
        }
        let cluster = self.execution.cluster;
        for _ in 0..TRIES {
            let Some(live) = self.live().await? else { return Ok(()) };
            let Some(patch) = adopt::patch(&live, managers) else { return Ok(()) };
            match cluster.patch(&self.step.object, &patch, Writing::Really).await.map_err(|error| no_answer(&error))? {
                Written::Done(_) => return Ok(()),
                Written::Refused(Refusal { reason: Reason::Conflict, .. }) => {}
                Written::Refused(refusal) => return Err(refused(&refusal)),
            }
        }
        Err(contended())
    }
}

fn contended() -> Failure {
    Failure::new(FailureKind::NoAnswer, "it kept changing in the cluster, so it could not be adopted")
}

fn done(written: Result<Written, ClusterError>, words: &str) -> StepDone {
    match written.map_err(|error| no_answer(&error))? {
        Written::Done(object) => Ok((words.to_owned(), Some(*object))),
        Written::Refused(refusal) => Err(refused(&refusal).into()),
    }
}

/// Waits until the kinds of definitions are served, and asks the cluster again what it serves.
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
        if execution.cluster.rediscover_kinds().await.is_ok_and(is_served) || std::time::Instant::now() >= until {
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
