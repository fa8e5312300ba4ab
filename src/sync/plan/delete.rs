//! What is deleted with the application itself: all that is provably its own, in reverse waves, its hooks around it.
//!
//! In: [`PlanInput`] whose surplus is everything live of the application, and whose wanted objects are its hooks; and how it
//! is deleted. Out: a [`Plan`], or why there is none. What may not go is kept: its part-of label is taken off, and then it
//! is not tracked; what a flag would let go is held, and the application stays until then.
//!
//! Rules: Argo CD controller/appcontroller.go `finalizeApplicationDeletion`, `shouldBeDeleted`. Kept otherwise on purpose:
//! there, volume claims and namespaces go unasked, and definitions of kinds never go; here each takes `--prune-protected`.

use std::collections::BTreeSet;

use super::claims::prove_ours;
use super::input::{PlanInput, Wanted};
use super::order::{last_wave, reverse_waves, wave_of};
use super::prune::{propagation, protected};
use super::refused::PlanRefused;
use super::resources::options_of;
use super::seen::Seen;
use super::step::{Action, Phase, Step, name_of};
use super::{Draft, hooks};
use crate::app::options::SyncOption;
use crate::cluster::Propagation;
use crate::object::Object;
use crate::object::annotations::{HELM_RESOURCE_POLICY, is_hook};
use crate::sync::ownership::{keeps_by_helm, prove_hook};

/// How an application is deleted.
#[derive(Debug, Clone, Copy)]
pub struct Deleting<'a> {
    /// `--orphan`: its objects stay, and are not tracked.
    pub orphan: bool,
    /// `--propagation-policy`; without it, that of the sync options.
    pub propagation: Option<Propagation>,
    /// The namespace that the record and the lock are in.
    pub state_namespace: &'a str,
}

/// Plans what goes and what is kept.
pub(super) fn delete(input: &PlanInput<'_>, deleting: &Deleting<'_>, draft: &mut Draft) -> Result<(), PlanRefused> {
    let mut seen = BTreeSet::new();
    let mut unconfirmed = Vec::new();
    for surplus in input.surplus {
        let live = surplus.live.as_ref();
        if !seen.insert(live.key()) {
            continue;
        }
        match fate(live, input, deleting) {
            Fate::Goes => draft.prunes.push(step(live, "the application is deleted", input, deleting)),
            Fate::Kept(why) => draft.applies.push(release(live, why)),
            Fate::Held(why) => draft.hold(live, why, true),
            Fate::NotOurs(why) => draft.hold(live, why, false),
            Fate::Unconfirmed => unconfirmed.push(live.key()),
        }
    }
    if !unconfirmed.is_empty() {
        unconfirmed.sort();
        return Err(PlanRefused::Unconfirmed(unconfirmed));
    }
    if !deleting.orphan {
        leftover_hooks(input, deleting, draft);
    }
    reverse_waves(&mut draft.prunes);
    let last = last_wave(draft.prunes.iter());
    // What others live in, or are instances of, was applied first.
    for prune in draft.prunes.iter_mut().filter(|prune| is_ground(&prune.object.gvk.group, &prune.object.gvk.kind)) {
        prune.wave = last.saturating_add(1);
    }
    let first = draft.prunes.iter().map(|prune| prune.wave).min().unwrap_or_default();
    draft.applies.iter_mut().for_each(|release| release.wave = first);
    if !deleting.orphan {
        hooks::plan_hooks(input, draft, |phase| !phase.is_of_sync())?;
    }
    Ok(())
}

/// The fate of an object.
enum Fate {
    Goes,
    /// It stays for good.
    Kept(String),
    /// It stays until a flag lets it go.
    Held(String),
    /// Nothing is done about it.
    NotOurs(String),
    /// It asks first.
    Unconfirmed,
}

fn fate(live: &Object, input: &PlanInput<'_>, deleting: &Deleting<'_>) -> Fate {
    let options = options_of(live);
    let has = |option| options.has_over(&input.application.sync_policy.sync_options, option);
    if let Err(why) = prove_ours(live, &input.tracking.applyset_id) {
        return Fate::NotOurs(format!("{}: trueup deletes only what is provably its own", why.as_str()));
    }
    if deleting.orphan {
        return Fate::Kept("`--orphan` keeps it".to_owned());
    }
    if has(SyncOption::DeleteFalse) {
        return Fate::Kept("`Delete=false` keeps it".to_owned());
    }
    if keeps_by_helm(live) {
        return Fate::Kept(format!("`{HELM_RESOURCE_POLICY}: keep` keeps it"));
    }
    if live.kind() == "Namespace" && live.gvk().group.is_empty() && live.name() == deleting.state_namespace {
        return Fate::Kept("the record and the lock are in it; delete it with `kubectl delete namespace`".to_owned());
    }
    if has(SyncOption::DeleteConfirm) && !input.flags.approve {
        return Fate::Unconfirmed;
    }
    match protected(live).filter(|_| !input.flags.prune_protected) {
        Some(lost) => Fate::Held(would_be_lost(lost)),
        None => Fate::Goes,
    }
}

fn would_be_lost(lost: &str) -> String {
    format!("{lost} would be lost with it; needs `--prune-protected`, or `--orphan`")
}

fn is_ground(group: &str, kind: &str) -> bool {
    matches!((group, kind), ("", "Namespace") | ("apiextensions.k8s.io", "CustomResourceDefinition"))
}

fn step(live: &Object, why: &str, input: &PlanInput<'_>, deleting: &Deleting<'_>) -> Step {
    let by_options = || propagation(&input.application.sync_policy.sync_options);
    Step {
        phase: Phase::Sync,
        wave: wave_of(live).0,
        object: name_of(live),
        action: Action::Prune { propagation: deleting.propagation.unwrap_or_else(by_options) },
        why: why.to_owned(),
        hook: None,
        target: None,
        seen: Some(Seen::of(live)),
        unasked: false,
    }
}

fn release(live: &Object, why: String) -> Step {
    Step {
        phase: Phase::Sync,
        wave: 0,
        object: name_of(live),
        action: Action::Release,
        why,
        hook: None,
        target: None,
        seen: Some(Seen::of(live)),
        unasked: false,
    }
}

/// Hooks of earlier syncs have no label: git knows their names, and their mark says that trueup created them as hooks.
fn leftover_hooks(input: &PlanInput<'_>, deleting: &Deleting<'_>, draft: &mut Draft) {
    for Wanted { target, live, .. } in input.wanted {
        let Some(live) = live.as_deref().filter(|_| is_hook(target) && !target.name().is_empty()) else { continue };
        let is_ours = prove_hook(live, &input.tracking.applyset_id).is_ok();
        let is_kept = options_of(live).has(SyncOption::DeleteFalse) || keeps_by_helm(live);
        if hooks::is_of_deletion(target) || is_kept || !is_ours {
            continue;
        }
        match protected(live).filter(|_| !input.flags.prune_protected) {
            Some(lost) => draft.hold(live, would_be_lost(lost), true),
            None => draft.prunes.push(step(live, "a hook of an earlier sync", input, deleting)),
        }
    }
}
