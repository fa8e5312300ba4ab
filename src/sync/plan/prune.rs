//! What is deleted: live objects of the application that git no longer has, and that are provably ours.
//!
//! In: what git no longer has, live. Out: a step for each that may go; everything else is held, with what would let it go.
//! Guards refuse the whole plan: a render of nothing, and more than `--max-prune`.
//!
//! Rules: KEP-3659; Argo CD gitops-engine/pkg/sync/sync_context.go `pruneObject`, controller/appcontroller.go `autoSync`
//! ("wipe out all resources"), which guards every prune here.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Draft;
use super::claims::prove_ours;
use super::order::{reverse_waves, wave_of};
use super::refused::PlanRefused;
use super::resources::options_of;
use super::step::{Action, Phase, Seen, Step, name_of};
use super::wishes::{Surplus, Wishes};
use crate::app::options::SyncOption;
use crate::cluster::Propagation;
use crate::object::annotations::{is_hook, is_skipped};
use crate::object::{Key, Object};

/// Plans to delete what may be.
pub(super) fn prune(wishes: &Wishes<'_>, draft: &mut Draft) -> Result<(), PlanRefused> {
    let options = &wishes.application.sync_policy.sync_options;
    let spared = Spared::of(wishes);
    let mut seen = BTreeSet::new();
    for surplus in wishes.surplus {
        let live = surplus.live.as_ref();
        if !seen.insert(live.key()) {
            continue;
        }
        if let Some(why) = held(surplus, &spared, wishes) {
            draft.hold(live, why, surplus.drift.is_drift());
            continue;
        }
        draft.prunes.push(step(live, propagation(options)));
        if options_of(live).has_over(options, SyncOption::PruneLast) {
            draft.last.push(name_of(live));
        }
    }
    guard(wishes, draft)?;
    reverse_waves(&mut draft.prunes);
    Ok(())
}

fn step(live: &Object, propagation: Propagation) -> Step {
    Step {
        phase: Phase::Sync,
        wave: wave_of(live).0,
        object: name_of(live),
        action: Action::Prune { propagation },
        why: "not in git any more".to_owned(),
        hook: None,
        target: None,
        seen: Some(Seen::of(live)),
        unasked: false,
    }
}

/// What happens to what a deleted object owns, by the sync options.
pub(super) fn propagation(options: &[SyncOption]) -> Propagation {
    let last = options.iter().rev().find_map(|option| match option {
        SyncOption::PruneInForeground => Some(Propagation::Foreground),
        SyncOption::PruneInBackground => Some(Propagation::Background),
        SyncOption::PruneOrphaning => Some(Propagation::Orphan),
        _ => None,
    });
    last.unwrap_or_default()
}

/// What git has, under whatever name the cluster lists it: the same object may be served by two groups.
struct Spared {
    keys: BTreeSet<Key>,
    uids: BTreeSet<String>,
}

impl Spared {
    fn of(wishes: &Wishes<'_>) -> Self {
        let lives = wishes.wanted.iter().filter_map(|wanted| wanted.live.as_deref());
        Self {
            keys: wishes.wanted.iter().map(|wanted| wanted.target.key()).collect(),
            uids: lives.filter_map(uid).map(str::to_owned).collect(),
        }
    }

    fn has(&self, live: &Object) -> bool {
        self.keys.contains(&live.key()) || uid(live).is_some_and(|uid| self.uids.contains(uid))
    }
}

fn uid(live: &Object) -> Option<&str> {
    live.metadata()?.get("uid")?.as_str().filter(|uid| !uid.is_empty())
}

/// Why an object stays, and what would let it go.
fn held(surplus: &Surplus, spared: &Spared, wishes: &Wishes<'_>) -> Option<String> {
    let live = surplus.live.as_ref();
    let options = options_of(live);
    let has = |option| options.has_over(&wishes.application.sync_policy.sync_options, option);
    if spared.has(live) {
        return Some("git has it under another name of its kind".to_owned());
    }
    if is_hook(live) || is_skipped(live) {
        return Some("it is a hook, which is never pruned".to_owned());
    }
    if let Err(why) = prove_ours(live, &wishes.tracking.applyset_id) {
        return Some(format!("{}: trueup does not delete what is not provably its own", why.as_str()));
    }
    if let Some(since) = live.metadata().and_then(|metadata| metadata.get("deletionTimestamp")).and_then(Value::as_str)
    {
        return Some(format!("it is being deleted since {since}"));
    }
    if !wishes.scope.prune {
        return Some("not in git any more; needs `--prune`".to_owned());
    }
    if has(SyncOption::PruneFalse) {
        return Some("`Prune=false` keeps it".to_owned());
    }
    if has(SyncOption::PruneConfirm) && !wishes.flags.approve {
        return Some("`Prune=confirm` asks first; needs `--approve`".to_owned());
    }
    let lost = protected(live).filter(|_| !wishes.flags.prune_protected)?;
    Some(format!("{lost} would be lost with it; needs `--prune-protected`"))
}

/// What would be lost with an object of this kind.
pub(super) fn protected(live: &Object) -> Option<&'static str> {
    match (live.gvk().group.as_str(), live.kind()) {
        ("", "PersistentVolumeClaim") => Some("its data"),
        ("", "Namespace") => Some("everything in it"),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Some("every object of its kind"),
        _ => None,
    }
}

/// Refuses a plan that deletes more than anybody can have meant.
fn guard(wishes: &Wishes<'_>, draft: &Draft) -> Result<(), PlanRefused> {
    let prunes = draft.prunes.len() as u64;
    if prunes == 0 {
        return Ok(());
    }
    let is_resource = |target: &Object| !is_hook(target) && !is_skipped(target);
    let resources = || wishes.wanted.iter().filter(|wanted| is_resource(&wanted.target));
    if resources().next().is_none() && !wishes.flags.allow_empty {
        return Err(PlanRefused::Empty(prunes));
    }
    let objects = (resources().filter(|wanted| wanted.live.is_some()).count() + wishes.surplus.len()) as u64;
    let limit = wishes.flags.max_prune;
    if prunes > limit.of(objects) {
        return Err(PlanRefused::TooManyPrunes { prunes, objects, limit });
    }
    Ok(())
}
