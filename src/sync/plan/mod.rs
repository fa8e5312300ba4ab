//! The plan: what will be done, in order, and why; as data that is printed, saved, compared and executed.
//!
//! In: [`PlanInput`]: the targets, what is live, the drift, options resolved. Out: a [`Plan`], or why there is none
//! ([`PlanRefused`]). Pure: time comes in as a value. An option or annotation is resolved here into a field of a step;
//! whoever executes reads no annotations.
//!
//! Rules: Argo CD gitops-engine/pkg/sync (`sync_context.go`, `sync_tasks.go`); docs/sync.md.

mod claims;
mod delete;
mod draft;
mod file;
mod hooks;
mod input;
mod moved;
mod namespace;
mod neighbours;
mod order;
mod prune;
mod refused;
mod resources;
mod respect;
mod seen;
mod step;
mod unread;

pub use delete::Deleting;
pub(in crate::sync) use draft::adopt_it;
pub use file::{Making, PlanFileError, SavedPlan, SavedPlans};
pub use hooks::made_of;
pub use input::{Flags, MaxPrune, NotAMaxPrune, PlanInput, Surplus, Wanted};
pub use namespace::{is_created_by_option, managed_namespace};
pub use neighbours::{Neighbour, Neighbours};
pub use refused::{Other, PlanRefused, Shared, TakenName};
pub use seen::Seen;
pub use step::{Action, Held, HookDeletion, Method, Phase, Plan, Step};
pub use unread::Unread;

use std::collections::BTreeSet;

use draft::Draft;

use crate::app::Application;
use crate::app::options::SyncOption;
use crate::object::Kinds;

/// Plans a sync.
pub fn plan(input: &PlanInput<'_>) -> Result<Plan, PlanRefused> {
    claims::refuse_shared(input)?;
    let mut draft = Draft::default();
    if input.scope.apply {
        draft.applies.extend(namespace::create(input));
    }
    resources::plan_resources(input, &mut draft);
    if input.scope.whole {
        hooks::plan_hooks(input, &mut draft, Phase::is_of_sync)?;
    }
    prune::prune(input, &mut draft)?;
    mark_unasked(input, &mut draft.applies);
    let last = order::last_wave(draft.applies.iter().chain(&draft.prunes));
    for prune in draft.prunes.iter_mut().filter(|prune| draft.last.contains(&prune.object)) {
        prune.wave = last.saturating_add(1);
    }
    draft.held.sort_by_cached_key(|held| held.object.key());
    Ok(Plan {
        application: name(input.application),
        cluster: input.cluster.to_owned(),
        revisions: input.revisions.to_vec(),
        whole: input.scope.whole,
        steps: order::ordered(draft.applies, draft.prunes),
        held: draft.held,
        warnings: draft.warnings.into_iter().collect(),
    })
}

/// Plans to delete the application: of its input, what git no longer has is all that is live of it, and what git has are its
/// hooks.
pub fn delete(input: &PlanInput<'_>, deleting: &Deleting<'_>) -> Result<Plan, PlanRefused> {
    let mut draft = Draft::default();
    delete::delete(input, deleting, &mut draft)?;
    draft.held.sort_by_cached_key(|held| held.object.key());
    Ok(Plan {
        application: name(input.application),
        cluster: input.cluster.to_owned(),
        revisions: input.revisions.to_vec(),
        whole: true,
        steps: order::ordered(draft.applies, draft.prunes),
        held: draft.held,
        warnings: draft.warnings.into_iter().collect(),
    })
}

fn name(application: &Application) -> String {
    match application.namespace.as_str() {
        "" => application.name.clone(),
        namespace => format!("{namespace}/{}", application.name),
    }
}

/// Marks what no server can be asked about: it lives in a namespace, or is of a kind, that this plan makes first; or its kind
/// is not served yet, and its options say not to mind (`SkipDryRunOnMissingResource`).
fn mark_unasked(input: &PlanInput<'_>, applies: &mut [Step]) {
    let is_namespace = |step: &&Step| step.object.gvk.kind == "Namespace" && step.object.gvk.group.is_empty();
    let new = applies.iter().filter(is_namespace).filter(|step| step.seen.is_none());
    let namespaces: BTreeSet<String> = new.map(|step| step.object.name.clone()).collect();
    let none = Kinds::default();
    let made = none.with_definitions(applies.iter().filter_map(|step| step.target.as_deref()));
    for step in applies {
        let is_new = |namespace: &String| namespaces.contains(namespace);
        let is_unserved = input.kinds.exact(&step.object.gvk).is_none();
        let is_patient = || {
            let target = step.target.as_deref();
            target.is_some_and(|target| {
                resources::options_of(target)
                    .has_over(&input.application.sync_policy.sync_options, SyncOption::SkipDryRunOnMissingResource)
            })
        };
        step.unasked = step.object.namespace.as_ref().is_some_and(is_new)
            || (is_unserved && (made.exact(&step.object.gvk).is_some() || is_patient()));
    }
}

#[cfg(test)]
mod tests;
