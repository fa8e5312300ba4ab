//! The steps that bring what git has, hooks left out.
//!
//! In: each target with its live object and drift. Out: a step for each that is to be applied, why, and how; what may not be
//! applied is held.
//!
//! Rules: Argo CD gitops-engine/pkg/sync/sync_context.go `applyObject`; docs/sync.md.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Draft;
use super::claims::{own_entries, prove_ours};
use super::input::{PlanInput, Wanted};
use super::order::wave_of;
use super::respect::{Unspoken, respect};
use super::seen::Seen;
use super::step::{Action, Method, Phase, Step, name_of};
use crate::app::options::{NotAnOption, ResourceOptions, SyncOption};
use crate::cluster::Validation;
use crate::object::Object;
use crate::object::annotations::{SYNC_OPTIONS, is_hook, is_skipped};
use crate::status::compare::{predecessors, with_live_aggregated_rules, without_aggregated_rules};
use crate::status::{Ignored, Moved, ResourceDrift, ResourceState};
use crate::sync::ownership::{Owner, owner};

/// So many fields are named in a step's why.
const NAMED: usize = 3;

/// Plans to bring each resource that has to be.
pub(super) fn plan_resources(input: &PlanInput<'_>, draft: &mut Draft) {
    for wanted in input.wanted {
        let target = wanted.target.as_ref();
        if is_hook(target) || is_skipped(target) {
            continue;
        }
        let Some(why) = why(wanted, input) else { continue };
        let is_drift = wanted.drift.as_ref().is_none_or(ResourceDrift::is_drift);
        if target.name().is_empty() {
            let why = "has `generateName` and no `name`, which only works for hooks: it can never be compared";
            draft.hold(target, why, true);
        } else if !input.scope.apply {
            draft.hold(target, format!("left alone by the sync policy: {why}"), is_drift);
        } else if let Some(owner) = owner_to_ask(wanted, input) {
            draft.hold_for(target, owner, is_drift);
        } else {
            warn(target, draft);
            draft.applies.push(step(wanted, input, why));
        }
    }
}

/// Who has an object that git names, until `--adopt`: what trueup neither created nor was asked to adopt is not its own.
fn owner_to_ask(wanted: &Wanted, input: &PlanInput<'_>) -> Option<Owner> {
    let live = wanted.live.as_deref().filter(|_| !input.flags.adopt)?;
    // Another application's object has refused the plan by now, unless `--allow-shared` said otherwise.
    owner(live, &wanted.target, input.tracking).filter(|owner| !matches!(owner, Owner::Application(_)))
}

fn step(wanted: &Wanted, input: &PlanInput<'_>, why: String) -> Step {
    let how = How::of(wanted, input);
    Step {
        phase: Phase::Sync,
        wave: wave_of(&wanted.target).0,
        object: name_of(&wanted.target),
        target: Some(how.target(wanted, input)),
        action: how.action(),
        why,
        hook: None,
        seen: wanted.live.as_deref().map(Seen::of),
        unasked: false,
    }
}

/// How one object is applied into the cluster, all its options resolved.
pub(super) struct How {
    method: Method,
    validation: Validation,
    force: bool,
    adopt: Vec<String>,
}

impl How {
    pub(super) fn of(wanted: &Wanted, input: &PlanInput<'_>) -> Self {
        let (target, live) = (wanted.target.as_ref(), wanted.live.as_deref());
        let of_application = &input.application.sync_policy.sync_options;
        let options = options_of(target);
        let is_forced = input.flags.force
            || options.has(SyncOption::Force)
            || live.is_some_and(|live| options_of(live).has(SyncOption::Force));
        let force = is_forced && may_be_recreated(target, input.flags.prune_protected);
        let replaces = options.has_over(of_application, SyncOption::Replace);
        let method = match (replaces, force, live) {
            (true, true, Some(_)) => Method::Recreate,
            (true, _, _) => Method::Replace,
            (false, _, _) => Method::Apply,
        };
        let ignores = options.has_over(of_application, SyncOption::NoValidation);
        let validation = if ignores { Validation::Ignore } else { Validation::Strict };
        let adopt = live.filter(|_| method == Method::Apply).map(|live| adopted(live, input.flags.adopt));
        Self { method, validation, force, adopt: adopt.unwrap_or_default() }
    }

    pub(super) fn action(self) -> Action {
        let Self { method, validation, force, adopt } = self;
        Action::Apply { method, validation, force, adopt }
    }

    /// The target as it is applied.
    fn target(&self, wanted: &Wanted, input: &PlanInput<'_>) -> Arc<Object> {
        let target = self.respectful(wanted, input);
        let rules_left = match (self.method, &wanted.live) {
            (Method::Replace, Some(live)) => with_live_aggregated_rules(&target, live),
            _ => without_aggregated_rules(&target),
        };
        rules_left.map_or(target, Arc::new)
    }

    /// The target, with the live values of what rules say not to compare, where they are to be kept.
    fn respectful(&self, wanted: &Wanted, input: &PlanInput<'_>) -> Arc<Object> {
        let is_on = input.application.sync_policy.has(SyncOption::RespectIgnoreDifferences);
        match (&wanted.live, &wanted.drift) {
            (Some(live), Some(drift)) => {
                // What a rule accepts of the cluster is kept in any case.
                let kept: Vec<Ignored> =
                    drift.ignored.iter().filter(|ignored| is_on || ignored.is_accepted).cloned().collect();
                if kept.is_empty() {
                    return Arc::clone(&wanted.target);
                }
                // An apply leaves what git says nothing of; everything else takes it away.
                let unspoken = if self.method == Method::Apply { Unspoken::IfOurs } else { Unspoken::Always };
                Arc::new(respect(&wanted.target, live, &kept, unspoken))
            }
            _ => Arc::clone(&wanted.target),
        }
    }
}

/// Deleting a namespace or a definition takes everything in it along, and a claim its data: a `Force` is not meant so.
fn may_be_recreated(target: &Object, prune_protected: bool) -> bool {
    match target.kind() {
        "Namespace" | "CustomResourceDefinition" => false,
        "PersistentVolumeClaim" => prune_protected,
        _ => true,
    }
}

/// The managers whose fields become ours: whoever applied from git before, when asked to; and in any case what trueup
/// itself wrote other than by applying, as with `Replace=true`.
fn adopted(live: &Object, adopt: bool) -> Vec<String> {
    let before = if adopt { predecessors(live) } else { BTreeSet::new() };
    let ours = own_entries(live).find(|entry| entry.get("operation").and_then(|it| it.as_str()) == Some("Update"));
    let ours = ours.and_then(|entry| entry.get("manager")?.as_str());
    before.into_iter().chain(ours.map(str::to_owned)).collect()
}

/// The options that an object carries.
pub(super) fn options_of(object: &Object) -> ResourceOptions {
    object.annotation(SYNC_OPTIONS).map(ResourceOptions::read).unwrap_or_default()
}

/// Why a target is applied; nothing when it need not be.
fn why(wanted: &Wanted, input: &PlanInput<'_>) -> Option<String> {
    let Some(drift) = &wanted.drift else { return Some("not compared".to_owned()) };
    match drift.state {
        ResourceState::Changed => Some(changed(drift)),
        ResourceState::Missing => Some(match drift.moved {
            Moved::Git => "new in git".to_owned(),
            Moved::Cluster => "missing: deleted in the cluster".to_owned(),
            Moved::Both | Moved::Unknown => "missing".to_owned(),
        }),
        _ if !input.scope.whole || !input.scope.apply => None,
        ResourceState::Unknown | ResourceState::Extra => Some("could not be compared".to_owned()),
        ResourceState::InSync if input.flags.apply_all => Some("in sync".to_owned()),
        ResourceState::InSync => {
            let live = wanted.live.as_deref();
            let is_recorded = input.baseline.is_some_and(|baseline| baseline.of(&wanted.target.key()).is_some());
            let is_ours = live.is_some_and(|live| prove_ours(live, &input.tracking.applyset_id).is_ok());
            (!is_recorded || !is_ours).then(|| "in sync, not tracked yet".to_owned())
        }
    }
}

fn changed(drift: &ResourceDrift) -> String {
    let paths: Vec<String> = drift.fields.iter().take(NAMED).map(|field| field.path.to_string()).collect();
    let more = drift.fields.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let side = match drift.moved {
        Moved::Git => " (changed in git)",
        Moved::Cluster => " (changed in the cluster)",
        Moved::Both => " (changed in both)",
        Moved::Unknown => "",
    };
    format!("changed: {}{more}{side}", paths.join(", "))
}

/// Warns of what is odd about the annotations of a target.
pub(super) fn warn(target: &Object, draft: &mut Draft) {
    draft.warnings.extend(wave_of(target).1);
    for (option, why) in options_of(target).odd() {
        let why = match why {
            NotAnOption::Unknown { nearest: None } => "is not a sync option".to_owned(),
            NotAnOption::Unknown { nearest: Some(nearest) } => format!(
                "is not a sync option; did you mean \
                 `{nearest}`?"
            ),
            NotAnOption::OfTheOtherLevel => "is an option of an Application, not of a resource".to_owned(),
        };
        draft.warnings.insert(format!("`{}`: `{option}` {why}", target.key()));
    }
}
