//! The order of steps: phases, waves, kinds, names; dependencies first; prunes the other way round.
//!
//! In: the steps that bring and the steps that prune. Out: all of them in one total, stable order.
//!
//! Rules: Argo CD gitops-engine/pkg/sync/sync_tasks.go (`Less`, `adjustDeps`), `sync_context.go` (prune waves),
//! `syncwaves/waves.go`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::step::{Phase, Step};
use crate::object::Object;
use crate::object::annotations::{HELM_HOOK_WEIGHT, SYNC_WAVE};

/// Argo CD's order of kinds, which is Helm's; every other kind comes after them.
const KINDS: [&str; 35] = [
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// The wave of an object: its own, else Helm's weight, else 0; and what is odd about it.
pub(super) fn wave_of(object: &Object) -> (i64, Option<String>) {
    let mut odd = None;
    for name in [SYNC_WAVE, HELM_HOOK_WEIGHT] {
        let Some(text) = object.annotation(name) else { continue };
        match text.parse() {
            Ok(wave) => return (wave, odd),
            Err(_) if odd.is_none() => odd = Some(format!("`{}`: `{name}: {text}` is not an integer", object.key())),
            Err(_) => {}
        }
    }
    (0, odd)
}

/// The last wave of the phase Sync.
pub(super) fn last_wave<'s>(steps: impl Iterator<Item = &'s Step>) -> i64 {
    steps.filter(|step| step.phase == Phase::Sync).map(|step| step.wave).fold(0, i64::max)
}

/// Turns the waves of prunes round: what was brought first goes last.
pub(super) fn reverse_waves(prunes: &mut [Step]) {
    let waves: BTreeSet<i64> = prunes.iter().map(|step| step.wave).collect();
    let swapped: BTreeMap<i64, i64> = waves.iter().copied().zip(waves.iter().rev().copied()).collect();
    for step in prunes {
        step.wave = swapped.get(&step.wave).copied().unwrap_or(step.wave);
    }
}

/// All steps in order; within a wave what goes, goes first.
pub(super) fn ordered(mut brings: Vec<Step>, mut prunes: Vec<Step>) -> Vec<Step> {
    brings.sort_by(|one, other| {
        (one.phase, one.wave, rank(one), place(one)).cmp(&(other.phase, other.wave, rank(other), place(other)))
    });
    bring_forward(&mut brings, namespace_made, namespace_needed);
    bring_forward(&mut brings, kind_made, kind_needed);
    prunes.sort_by(|one, other| {
        let key = |step: &'_ Step| (step.phase, step.wave, Reverse(rank(step)));
        key(one).cmp(&key(other)).then_with(|| place(other).cmp(&place(one)))
    });
    prunes.append(&mut brings);
    prunes.sort_by_key(|step| (step.phase, step.wave, !step.is_prune()));
    prunes
}

fn rank(step: &Step) -> usize {
    KINDS.iter().position(|kind| *kind == step.object.gvk.kind).unwrap_or(KINDS.len())
}

/// What tells steps of one kind apart. Argo CD stops at the name, and leaves the rest to chance.
fn place(step: &Step) -> impl Ord + '_ {
    let object = &step.object;
    (&object.name, &object.namespace, &object.gvk.group, &object.gvk.kind, &object.gvk.version)
}

/// Puts what others need before the first that needs it; it takes over that one's phase and wave.
fn bring_forward<Need: Ord>(
    steps: &mut [Step],
    makes: impl Fn(&Step) -> Option<Need>,
    needs: impl Fn(&Step) -> Option<Need>,
) {
    let mut first: BTreeMap<Need, usize> = BTreeMap::new();
    for index in 0..steps.len() {
        if let Some(made) = makes(&steps[index]) {
            let Some(&earlier) = first.get(&made) else { continue };
            let (phase, wave) = (steps[earlier].phase, steps[earlier].wave);
            steps[earlier..=index].rotate_right(1);
            (steps[earlier].phase, steps[earlier].wave) = (phase, wave);
            first.values_mut().filter(|at| **at >= earlier).for_each(|at| *at += 1);
        } else if let Some(needed) = needs(&steps[index]) {
            first.entry(needed).or_insert(index);
        }
    }
}

fn namespace_made(step: &Step) -> Option<String> {
    let is_namespace = step.object.gvk.kind == "Namespace" && step.object.gvk.group.is_empty();
    is_namespace.then(|| step.object.name.clone())
}

fn namespace_needed(step: &Step) -> Option<String> {
    step.object.namespace.clone()
}

fn kind_made(step: &Step) -> Option<(String, String)> {
    let gvk = &step.object.gvk;
    if gvk.kind != "CustomResourceDefinition" || gvk.group != "apiextensions.k8s.io" {
        return None;
    }
    let spec = step.target.as_ref()?.value().get("spec")?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some((text(spec.get("group")?)?, text(spec.get("names")?.get("kind")?)?))
}

#[expect(clippy::unnecessary_wraps, reason = "every object is of a kind; only some live in a namespace")]
fn kind_needed(step: &Step) -> Option<(String, String)> {
    Some((step.object.gvk.group.clone(), step.object.gvk.kind.clone()))
}
