//! Hooks: what runs around a sync, when, and when it is deleted again.
//!
//! In: the targets that are hooks. Out: a step for each phase of each hook; types that nobody knows are warned about.
//! Helm's hooks are mapped as Argo CD maps them, but an install differs from an upgrade, as in Helm: by whether anything
//! of the application is there.
//!
//! Rules: Argo CD gitops-engine/pkg/sync/hook; its page "Helm", section "Helm Hooks".

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::Draft;
use super::input::{PlanInput, Wanted};
use super::order::wave_of;
use super::prune::protected;
use super::refused::{PlanRefused, TakenName};
use super::resources::{How, warn};
use super::seen::Seen;
use super::step::{Action, HookDeletion, Method, Phase, Step, name_of};
use crate::object::Object;
use crate::object::annotations::{
    HELM_HOOK, HELM_HOOK_DELETE_POLICY, HELM_RELEASE, HOOK, HOOK_DELETE_POLICY, HOOK_OF, is_hook,
};
use crate::status::tracking::{TrackedBy, is_tracked};
use crate::sync::ownership::{owner, prove_hook};

/// Whether anything of the application was there before the sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HelmOperation {
    Install,
    Upgrade,
}

/// Plans each hook, once for each of those of its phases that are asked for.
///
/// A hook whose name an object has that trueup did not create as that hook refuses the plan: the hook's policies would
/// delete what is somebody else's.
pub(super) fn plan_hooks(
    input: &PlanInput<'_>,
    draft: &mut Draft,
    is_asked_for: impl Fn(Phase) -> bool,
) -> Result<(), PlanRefused> {
    let helm = install_or_upgrade(input);
    let mut taken = Vec::new();
    for wanted in input.wanted.iter().filter(|wanted| is_hook(&wanted.target)) {
        let target = wanted.target.as_ref();
        let (phases, unknown) = phases(target, helm);
        for word in unknown {
            draft.warnings.insert(format!(
                "`{}`: `{word}` is not a hook type, so the hook never runs for \
                 it",
                key(target)
            ));
        }
        let (mut deletion, unknown) = deletion(target);
        for word in unknown {
            draft.warnings.insert(format!("`{}`: `{word}` is not a hook delete policy", key(target)));
        }
        // Charts have their namespaces, claims and definitions as hooks, too.
        let lost = protected(target).filter(|_| deletion.before_creation && !input.flags.prune_protected);
        if let Some(lost) = lost.filter(|_| !target.name().is_empty()) {
            deletion.before_creation = false;
            if wanted.live.is_some() {
                let why = "it is applied, not recreated; `--prune-protected` deletes it first";
                draft.warnings.insert(format!("`{}`: {lost} would be lost with it, so {why}", key(target)));
            }
        }
        warn(target, draft);
        let asked_for = phases.into_iter().filter(|(phase, _)| is_asked_for(*phase));
        let steps: Vec<Step> = asked_for.map(|(phase, word)| step(wanted, input, (phase, &word), deletion)).collect();
        if !steps.is_empty() {
            taken.extend(taken_name(wanted, input));
        }
        draft.applies.extend(steps);
    }
    taken.sort();
    if taken.is_empty() { Ok(()) } else { Err(PlanRefused::TakenNames(taken)) }
}

fn taken_name(wanted: &Wanted, input: &PlanInput<'_>) -> Option<TakenName> {
    let is_named = !wanted.target.name().is_empty();
    let live = wanted.live.as_deref().filter(|_| is_named && !input.flags.adopt)?;
    if prove_hook(live, &input.tracking.applyset_id).is_ok() {
        return None;
    }
    Some(TakenName { object: wanted.target.key(), owner: owner(live, &wanted.target, input.tracking) })
}

fn step(wanted: &Wanted, input: &PlanInput<'_>, (phase, word): (Phase, &str), deletion: HookDeletion) -> Step {
    let target = named(&wanted.target, phase, input);
    let is_generated = wanted.target.name().is_empty();
    let live = wanted.live.as_deref().filter(|_| !is_generated);
    let mut action = How::of(wanted, input).action();
    if let Action::Apply { method, adopt, .. } = &mut action
        && (deletion.before_creation || live.is_none())
    {
        (*method, *adopt) = (Method::Create, Vec::new());
    }
    Step {
        phase,
        wave: wave_of(&target).0,
        object: name_of(&target),
        action,
        why: if word == phase.as_str() { format!("hook {word}") } else { format!("hook {phase} ({word})") },
        hook: Some(deletion),
        seen: live.map(Seen::of),
        target: Some(target),
        unasked: false,
    }
}

/// A hook with its name and its mark: one that only has `generateName` gets the same name as Argo CD gives it.
fn named(target: &Object, phase: Phase, input: &PlanInput<'_>) -> Arc<Object> {
    let mut named = if target.name().is_empty() {
        let revision = input.revisions.first().map(String::as_str).unwrap_or_default();
        with_name(target, generated_name(target, revision, phase, input.now))
    } else {
        target.clone()
    };
    named.set_annotation(HOOK_OF, &input.tracking.applyset_id);
    Arc::new(named)
}

fn generated_name(target: &Object, revision: &str, phase: Phase, began: Timestamp) -> String {
    let revision = if revision.len() >= 8 { revision.get(..7).unwrap_or(revision) } else { revision };
    let phase = phase.as_str().to_lowercase();
    format!("{}{revision}-{phase}-{}", target.generate_name(), began.as_second())
}

fn with_name(target: &Object, name: String) -> Object {
    let mut target = target.clone();
    if let Some(Value::Object(metadata)) = target.value_mut().get_mut("metadata") {
        metadata.insert("name".to_owned(), Value::String(name));
    }
    target
}

/// The objects that earlier syncs created from a hook that only has `generateName`: of what is live of its kind, what has the very name that it
/// had in one of them, each derived from its first source's revision and when it began.
pub fn made_of<'a>(
    hook: &Object,
    live: impl IntoIterator<Item = Object>,
    syncs: impl Iterator<Item = (&'a str, Timestamp)>,
) -> Vec<Wanted> {
    let phases = Phase::ALL.iter().filter(|phase| phase.is_of_sync() && !is_of_deletion(hook));
    let phases: Vec<Phase> = phases.copied().collect();
    let names = syncs
        .flat_map(|(revision, began)| phases.iter().map(move |phase| generated_name(hook, revision, *phase, began)));
    let names: BTreeSet<String> = names.collect();
    let made = live.into_iter().filter(|live| names.contains(live.name()));
    made.map(|live| Wanted {
        target: Arc::new(with_name(hook, live.name().to_owned())),
        live: Some(Arc::new(live)),
        drift: None,
    })
    .collect()
}

/// A hook's name in a warning, also where it only has `generateName`.
fn key(target: &Object) -> String {
    format!("{}{}", target.key(), if target.name().is_empty() { target.generate_name() } else { "" })
}

/// Whether anything of the application is live: recorded, tracked, left over, or installed by Helm itself. A namespace that
/// somebody made beforehand is not the application.
fn install_or_upgrade(input: &PlanInput<'_>) -> HelmOperation {
    let is_of_it = |wanted: &Wanted| {
        let Some(live) = wanted.live.as_deref() else { return false };
        input.baseline.is_some_and(|baseline| baseline.of(&wanted.target.key()).is_some())
            || matches!(is_tracked(live, input.tracking), Some(TrackedBy::ThisApplication(_)))
            || live.annotation(HELM_RELEASE).is_some()
    };
    let mut resources = input.wanted.iter().filter(|wanted| !is_hook(&wanted.target));
    if !input.surplus.is_empty() || resources.any(is_of_it) { HelmOperation::Upgrade } else { HelmOperation::Install }
}

/// Whether a hook runs around a deletion of the application.
pub(super) fn is_of_deletion(target: &Object) -> bool {
    phases(target, HelmOperation::Upgrade).0.keys().any(|phase| !phase.is_of_sync())
}

/// The phases of a hook, each with the word that says so; and the words that nobody knows.
fn phases(target: &Object, helm: HelmOperation) -> (BTreeMap<Phase, String>, Vec<String>) {
    let mut unknown = Vec::new();
    let mut is_given = false;
    let mut phases = BTreeMap::new();
    for word in words(target, HOOK) {
        match Phase::ALL.iter().find(|phase| phase.as_str() == word) {
            Some(phase) => {
                phases.entry(*phase).or_insert_with(|| word.to_owned());
            }
            // Beside other types it says nothing; alone, the object is no hook.
            None if word == "Skip" => {}
            None => {
                unknown.push(word.to_owned());
                continue;
            }
        }
        is_given = true;
    }
    if is_given {
        return (phases, unknown);
    }
    for word in words(target, HELM_HOOK) {
        match (word, helm) {
            ("pre-install", HelmOperation::Install) | ("pre-upgrade", HelmOperation::Upgrade) => {
                phases.entry(Phase::PreSync).or_insert_with(|| word.to_owned());
            }
            ("post-install", HelmOperation::Install) | ("post-upgrade", HelmOperation::Upgrade) => {
                phases.entry(Phase::PostSync).or_insert_with(|| word.to_owned());
            }
            ("pre-delete", _) => {
                phases.entry(Phase::PreDelete).or_insert_with(|| word.to_owned());
            }
            ("post-delete", _) => {
                phases.entry(Phase::PostDelete).or_insert_with(|| word.to_owned());
            }
            // Nothing of a sync: another time's hooks, tests, rollbacks.
            (
                "pre-install" | "pre-upgrade" | "post-install" | "post-upgrade" | "test" | "test-success"
                | "test-failure" | "pre-rollback" | "post-rollback" | "crd-install",
                _,
            ) => {}
            _ => unknown.push(word.to_owned()),
        }
    }
    (phases, unknown)
}

/// When a hook is deleted again, and the policies that nobody knows.
fn deletion(target: &Object) -> (HookDeletion, Vec<String>) {
    let names = [
        (HOOK_DELETE_POLICY, ["BeforeHookCreation", "HookSucceeded", "HookFailed"]),
        (HELM_HOOK_DELETE_POLICY, ["before-hook-creation", "hook-succeeded", "hook-failed"]),
    ];
    let mut unknown = Vec::new();
    for (annotation, [before, succeeded, failed]) in names {
        let given: Vec<&str> = words(target, annotation).collect();
        unknown
            .extend(given.iter().filter(|word| ![before, succeeded, failed].contains(word)).map(|it| (*it).to_owned()));
        let has = |word| given.contains(&word);
        let policy = HookDeletion { before_creation: has(before), succeeded: has(succeeded), failed: has(failed) };
        if policy.before_creation || policy.succeeded || policy.failed {
            return (policy, unknown);
        }
    }
    (HookDeletion { before_creation: true, succeeded: false, failed: false }, unknown)
}

fn words<'o>(target: &'o Object, annotation: &str) -> impl Iterator<Item = &'o str> {
    let text = target.annotation(annotation).unwrap_or_default();
    text.split(',').map(str::trim).filter(|word| !word.is_empty())
}
