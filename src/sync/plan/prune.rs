//! What is deleted: live objects of the application that git no longer has, and that are provably ours.
//!
//! In: what git no longer has, live. Out: a step for each that may go; everything else is held, with what would let it go. An object
//! that git may still have in a file that could not be read is no longer missing by git's word, and stays.
//! Guards refuse the whole plan: a render of nothing, and more than `--max-prune`.
//!
//! Rules: KEP-3659; Argo CD gitops-engine/pkg/sync/sync_context.go `pruneObject`, controller/appcontroller.go `autoSync`
//! ("wipe out all resources"), which guards every prune here.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Draft;
use super::claims::prove_ours;
use super::input::{PlanInput, Wanted};
use super::namespace::is_created_by_option;
use super::order::{reverse_waves, wave_of};
use super::refused::PlanRefused;
use super::resources::options_of;
use super::seen::Seen;
use super::step::{Action, Phase, Step, name_of};
use crate::app::options::SyncOption;
use crate::cluster::Propagation;
use crate::object::annotations::{is_hook, is_skipped};
use crate::object::{Key, Object};

/// Plans to delete what may be.
pub(super) fn prune(input: &PlanInput<'_>, draft: &mut Draft) -> Result<(), PlanRefused> {
    let options = &input.application.sync_policy.sync_options;
    let spared = Spared::of(input, draft);
    let mut seen = BTreeSet::new();
    for surplus in input.surplus {
        let live = surplus.live.as_ref();
        if !seen.insert(live.key()) {
            continue;
        }
        let is_drift = surplus.drift.is_drift();
        let held = not_ours(live, &spared, input)
            .map(|why| (why, is_drift))
            .or_else(|| wanted_elsewhere(live, &spared, input))
            .or_else(|| not_allowed(live, input).map(|why| (why, is_drift)));
        if let Some((why, is_drift)) = held {
            draft.hold(live, why, is_drift);
            continue;
        }
        draft.prunes.push(step(live, propagation(options)));
        if options_of(live).has_over(options, SyncOption::PruneLast) {
            draft.last.push(name_of(live));
        }
    }
    guard(input, draft)?;
    reverse_waves(&mut draft.prunes);
    Ok(())
}

fn step(live: &Object, propagation: Propagation) -> Step {
    Step {
        phase: Phase::Sync,
        wave: wave_of(live).0,
        object: name_of(live),
        action: Action::Prune { propagation },
        why: "removed from git".to_owned(),
        hook: None,
        target: None,
        seen: Some(Seen::of(live)),
        unasked: false,
    }
}

/// The deletion propagation for dependents, by the sync options.
pub(super) fn propagation(options: &[SyncOption]) -> Propagation {
    let last = options.iter().rev().find_map(|option| match option {
        SyncOption::PruneInForeground => Some(Propagation::Foreground),
        SyncOption::PruneInBackground => Some(Propagation::Background),
        SyncOption::PruneOrphaning => Some(Propagation::Orphan),
        _ => None,
    });
    last.unwrap_or_default()
}

/// The objects that git has or the plan applies, under whatever name the cluster lists it: the same object may be served by two groups.
struct Spared {
    keys: BTreeSet<Key>,
    uids: BTreeSet<String>,
    /// Objects in git of kinds that the cluster does not serve: a kind may be spelt wrong.
    unserved: Vec<Key>,
}

impl Spared {
    fn of(input: &PlanInput<'_>, draft: &Draft) -> Self {
        let lives = input.wanted.iter().filter_map(|wanted| wanted.live.as_deref());
        let in_git = input.wanted.iter().map(|wanted| wanted.target.key());
        let applied = draft.applies.iter().map(|step| step.object.key());
        let kinds = input.kinds.with_definitions(input.wanted.iter().map(|wanted| &*wanted.target));
        let is_unserved = |wanted: &&Wanted| kinds.preferred(&wanted.target.gvk().group_kind()).is_none();
        Self {
            keys: in_git.chain(applied).collect(),
            uids: lives.filter_map(uid).map(str::to_owned).collect(),
            unserved: input.wanted.iter().filter(is_unserved).map(|wanted| wanted.target.key()).collect(),
        }
    }

    /// The object in git with the same name, of a kind that the cluster does not serve.
    fn of_an_unserved_kind(&self, key: &Key) -> Option<&Key> {
        let is_it =
            |other: &&Key| other.name == key.name && (other.namespace == key.namespace || other.namespace.is_empty());
        self.unserved.iter().find(is_it)
    }

    fn has(&self, live: &Object) -> bool {
        self.keys.contains(&live.key()) || uid(live).is_some_and(|uid| self.uids.contains(uid))
    }
}

fn uid(live: &Object) -> Option<&str> {
    live.metadata()?.get("uid")?.as_str().filter(|uid| !uid.is_empty())
}

/// Why an object is not one that a prune may delete.
fn not_ours(live: &Object, spared: &Spared, input: &PlanInput<'_>) -> Option<String> {
    if is_created_by_option(input.application, &live.key()) {
        return Some("`CreateNamespace=true` asks for it".to_owned());
    }
    if spared.has(live) {
        return Some("git has it under another name of its kind".to_owned());
    }
    if is_hook(live) || is_skipped(live) {
        return Some("it is a hook, which is never pruned".to_owned());
    }
    if let Err(why) = prove_ours(live, &input.tracking.applyset_id) {
        return Some(format!("{}: trueup deletes only what is provably its own", why.as_str()));
    }
    if let Some(since) = live.metadata().and_then(|metadata| metadata.get("deletionTimestamp")).and_then(Value::as_str)
    {
        return Some(format!("it has been terminating since {since}"));
    }
    None
}

/// Where git may still have an object, or does have it; and whether the application is not as git says because of it.
fn wanted_elsewhere(live: &Object, spared: &Spared, input: &PlanInput<'_>) -> Option<(String, bool)> {
    let key = live.key();
    if let Some(gap) = input.unread.gap_of(&key) {
        return Some((format!("git may still have it: {gap}"), true));
    }
    if let Some(other) = spared.of_an_unserved_kind(&key) {
        return Some((format!("git has `{other}`, whose kind the cluster does not serve"), true));
    }
    // The other application takes it over.
    let other = input.neighbours.other_owner(&key, &input.tracking.applyset_id)?;
    Some((format!("application `{other}` has it in git"), false))
}

/// Why an object stays that git no longer has, and what would let it go.
fn not_allowed(live: &Object, input: &PlanInput<'_>) -> Option<String> {
    let options = options_of(live);
    let has = |option| options.has_over(&input.application.sync_policy.sync_options, option);
    if !input.scope.prune {
        return Some("removed from git; needs `--prune`".to_owned());
    }
    if has(SyncOption::PruneFalse) {
        return Some("`Prune=false` keeps it".to_owned());
    }
    if has(SyncOption::PruneConfirm) && !input.flags.approve {
        return Some("`Prune=confirm` asks for confirmation; needs `--approve`".to_owned());
    }
    let lost = protected(live).filter(|_| !input.flags.prune_protected)?;
    Some(format!("{lost} would be lost with it; needs `--prune-protected`"))
}

/// The data that is lost with an object of this kind.
pub(super) fn protected(live: &Object) -> Option<&'static str> {
    match (live.gvk().group.as_str(), live.kind()) {
        ("", "PersistentVolumeClaim") => Some("its data"),
        ("", "Namespace") => Some("everything in it"),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Some("every object of its kind"),
        _ => None,
    }
}

/// Refuses a plan that deletes more than anybody can have meant.
fn guard(input: &PlanInput<'_>, draft: &Draft) -> Result<(), PlanRefused> {
    let prunes = draft.prunes.len() as u64;
    if prunes == 0 {
        return Ok(());
    }
    let is_resource = |target: &Object| !is_hook(target) && !is_skipped(target);
    let resources = || input.wanted.iter().filter(|wanted| is_resource(&wanted.target));
    if resources().next().is_none() && !input.flags.allow_empty {
        return Err(PlanRefused::Empty(prunes));
    }
    let objects = (resources().filter(|wanted| wanted.live.is_some()).count() + input.surplus.len()) as u64;
    let limit = input.flags.max_prune;
    if prunes > limit.of(objects) {
        return Err(PlanRefused::TooManyPrunes { prunes, objects, limit });
    }
    Ok(())
}
