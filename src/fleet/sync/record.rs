//! What a sync records of itself: what it is about to do, and what came of it.
//!
//! In: a compared application with its plan and its operation. Out: the [`Attempt`] and the [`Ended`] of the state. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::app::source::SourceBlock;
use crate::fleet::SourceRun;
use crate::fleet::application::Compared;
use crate::fleet::applyset::{is_member, marked};
use crate::fleet::reporting::sources_of;
use crate::object::{GroupKind, Key, Object};
use crate::status::compare::Baseline;
use crate::sync::plan::{Action, Plan, Step};
use crate::sync::state::{Attempt, Block, Ended, SyncedSource, within_room};
use crate::sync::{Operation, OperationPhase, StepResult};

/// The sync that is about to run. Its kinds and namespaces are those of everything that the application has.
pub(crate) fn attempt(compared: &Compared, plan: &Plan, started: Timestamp, by: String) -> Attempt {
    let members = || compared.target.iter().filter(|object| is_member(object));
    let kinds: BTreeSet<GroupKind> = members().map(|object| object.gvk().group_kind()).collect();
    let namespaces = members().map(Object::namespace).filter(|namespace| !namespace.is_empty()).map(str::to_owned);
    Attempt {
        revisions: plan.revisions.clone(),
        started,
        by,
        steps: plan.steps.len(),
        kinds,
        namespaces: namespaces.collect(),
    }
}

/// Whether a sync that succeeded is an entry of the history.
pub(crate) fn is_of_note(compared: &Compared, plan: &Plan, operation: &Operation) -> bool {
    // What a run that was killed had done is this one's.
    let has_steps = !plan.steps.is_empty() || compared.record.last_attempt().is_open();
    operation.phase == OperationPhase::Succeeded && plan.whole && has_steps
}

/// How it ended, and which tools rendered each source.
pub(crate) fn ended(
    compared: &Compared,
    (plan, tools): (&Plan, &[String]),
    operation: &Operation,
    applyset_id: &str,
    at: Timestamp,
) -> Ended {
    let succeeded = operation.phase == OperationPhase::Succeeded;
    let sources = (succeeded && plan.whole).then(|| sources(compared, tools));
    Ended {
        at,
        phase: operation.phase,
        message: operation.message.clone(),
        baseline: succeeded.then(|| baseline(compared, plan, operation, applyset_id)),
        left: left(compared, operation),
        unseen: compared.unseen.clone(),
        sources,
        is_entry: is_of_note(compared, plan, operation),
        history_limit: compared.application.revision_history_limit,
    }
}

/// The record of what is in the cluster now: of a whole sync all that git has, else what was recorded before, with what was
/// done since.
fn baseline(compared: &Compared, plan: &Plan, operation: &Operation, applyset_id: &str) -> Baseline {
    let before = compared.record.baseline.as_deref();
    let applied: BTreeMap<Key, (&Step, &Object)> = operation
        .steps
        .iter()
        .filter(|outcome| outcome.step.hook.is_none())
        .filter_map(|outcome| Some((&outcome.step, outcome.live.as_deref()?)))
        .map(|(step, live)| (live.key(), (step, live)))
        .collect();
    let mut baseline = Baseline::new(plan.revisions.clone());
    let target = compared.target.iter();
    for object in target.filter(|object| is_member(object)) {
        let source = object.source_file().map(ToString::to_string);
        match (applied.get(&object.key()), before) {
            (Some((step, live)), _) => {
                // What was applied may keep live values that a rule protects: then it is not what git says, and once the rule
                // is gone it must not look like it.
                let git = marked(object, applyset_id);
                let target = step.target.as_deref().unwrap_or(&git);
                baseline.record(target, live, source.as_deref());
                baseline.record_git(&git);
            }
            (None, Some(before)) => baseline.keep_in(before, &object.key(), source.as_deref()),
            (None, None) => {}
        }
    }
    if let Some(before) = before {
        let (gone, left) = (gone(operation), surplus(compared));
        // What git dropped, and nobody pruned, was still applied by a sync of ours.
        let is_still_ours = |key: &&Key| !gone.contains(key) && (!plan.whole || left.contains(key));
        before.keys().filter(is_still_ours).for_each(|key| baseline.keep(before, key));
    }
    baseline
}

/// Live objects that git no longer has.
fn left(compared: &Compared, operation: &Operation) -> Vec<Key> {
    let gone = gone(operation);
    compared.surplus.iter().map(|live| live.key()).filter(|key| !gone.contains(key)).collect()
}

fn surplus(compared: &Compared) -> BTreeSet<Key> {
    compared.surplus.iter().map(|live| live.key()).collect()
}

fn gone(operation: &Operation) -> BTreeSet<Key> {
    let pruned = operation.steps.iter().filter(|outcome| {
        matches!((&outcome.step.action, &outcome.result), (Action::Prune { .. }, StepResult::Done(_)))
    });
    pruned.map(|outcome| outcome.step.object.key()).collect()
}

/// The sources of now, as a record keeps them.
fn sources(compared: &Compared, tools: &[String]) -> Vec<SyncedSource> {
    let source = |(position, (run, block)): (usize, (&SourceRun, SourceBlock))| SyncedSource {
        repo_url: run.repo_url.clone(),
        path: run.path.clone(),
        target_revision: run.target_revision.clone(),
        revision: run.revision.clone(),
        block: Block::of(block),
        rendered_by: tools.get(position).unwrap_or(&run.tool).clone(),
    };
    within_room(sources_of(compared, &compared.tools).iter().zip(compared.blocks()).enumerate().map(source).collect())
}

/// Whether the record has the sources of now.
pub(crate) fn has_sources(compared: &Compared) -> bool {
    let recorded = compared.record.sources().iter().map(|source| (&source.revision, &source.block));
    let now = sources(compared, &[]);
    recorded.eq(now.iter().map(|source| (&source.revision, &source.block)))
}
