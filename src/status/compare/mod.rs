//! Decides, field by field, what differs between git and a cluster.
//!
//! In: the target, the live object, the [`Baseline`] of the last sync, the [`Terms`] of the application. Out: in sync with its proof, changed with its
//! evidence, or a [`Question`] for the server, whose [`Answer`] settles it. Nothing is fetched here. The namespace of a
//! target is filled in by the caller.
//!
//! Rules: docs/compare.md. Argo CD: gitops-engine/pkg/diff. Kubernetes: KEP-555, server-side apply.

mod additions;
mod aggregated;
mod baseline;
mod clean;
mod contain;
mod difference;
mod empties;
mod found;
mod last_applied;
mod managers;
mod moved;
mod named;
mod owned;
mod path;
mod question;
mod schema;
mod shape;
mod terms;

use std::sync::Arc;

use serde_json::{Map, Value};

use self::aggregated::with_aggregated_rules;
pub use self::aggregated::{with_live_aggregated_rules, without_aggregated_rules};
pub use self::baseline::{Baseline, BaselineFault, Pieces, Recorded, is_of_record};
use self::clean::{Status, cleaned};
use self::contain::{contain, dropped, with_removals};
use self::difference::{Difference, Edit, Pairs, apply, differences, has_same_order};
use self::empties::says_nothing;
pub use self::managers::predecessors;
use self::moved::Views;
use self::named::is_named;
pub use self::question::{Answer, Question};
use self::question::{Past, Touched};
pub use self::schema::Schema;
use self::shape::{ListKey, ListKind, Merge, Shape};
pub use self::terms::{Effects, Terms};
use super::{FieldDrift, InSyncProof, Moved, ResourceDrift, ResourceState};
use crate::object::annotations::has_compare_option;
use crate::object::mask::Masker;
use crate::object::{Gvk, Key, Object, Pointer};

/// The verdict on a pair without a question to the server.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// Everything.
    Settled(Box<ResourceDrift>),
    /// Not enough: what would the server make of the target?
    Ask(Box<Question>),
}

/// Compares without asking anybody: settled where nothing was touched since the last sync, or where every value of the
/// target is provably in the live object.
pub fn first_look(
    target: &Object,
    live: Option<&Arc<Object>>,
    baseline: Option<&Baseline>,
    terms: &Arc<Terms>,
) -> Look {
    let recorded = baseline.and_then(|baseline| baseline.of(&target.key()));
    let Some(live) = live else {
        let moved = match (baseline, recorded) {
            (None, _) => Moved::Unknown,
            (Some(_), None) => Moved::Git,
            (Some(_), Some(_)) => Moved::Cluster,
        };
        return Look::Settled(Box::new(ResourceDrift { moved, ..missing(target) }));
    };
    let shape = Shape::of(&target.gvk());
    let untouched = recorded.filter(|recorded| recorded.is_untouched(live));
    let is_gits = untouched.is_some_and(|recorded| recorded.has_target(target));
    if is_gits && has_same_order(target.value(), live.value(), shape) {
        return Look::Settled(Box::new(in_sync(target, live, InSyncProof::Ownership, None)));
    }
    let target = &*with_aggregated_rules(target, live);
    let found = contain(target, live, shape, terms);
    if found.is_proven() {
        return Look::Settled(Box::new(in_sync(target, live, InSyncProof::Structural, None)));
    }
    // Git says what it said: then somebody moved items.
    let past = if untouched.is_some() && !is_gits { Past::Untouched } else { Past::Unknown };
    let (target, live, terms) = (target.clone(), Arc::clone(live), Arc::clone(terms));
    Look::Ask(Box::new(Question { target, live, past, terms, defaults: Vec::new() }))
}

/// Settles a question with what came of asking.
pub fn second_look(question: &Question, answer: Answer) -> ResourceDrift {
    match answer {
        Answer::Predicted(predicted) => by_prediction(question, &predicted),
        Answer::Unavailable(reason) => by_structure(question, &reason, None),
        Answer::Described(schema, reason) => by_structure(question, &reason, Some(&schema)),
        Answer::Refused(words) => by_refusal(question, &words),
    }
}

/// A live object of the application that git no longer has.
pub fn extra(live: &Object, baseline: Option<&Baseline>) -> ResourceDrift {
    let is_tolerated = has_compare_option(live, "IgnoreExtraneous");
    let moved = match baseline {
        None => Moved::Unknown,
        Some(baseline) if baseline.of(&live.key()).is_some() => Moved::Git,
        Some(_) => Moved::Cluster,
    };
    ResourceDrift { live: Some(shown(live)), moved, is_tolerated, ..drift(live, ResourceState::Extra) }
}

/// An object that git no longer has and that could not be looked for, and why; its version is what the cluster prefers.
pub fn unseen_extra(key: &Key, version: String, why: String) -> ResourceDrift {
    let gvk = Gvk { group: key.group.clone(), version, kind: key.kind.clone() };
    ResourceDrift { note: Some(why), ..ResourceDrift::new(gvk, &key.namespace, &key.name, ResourceState::Unknown) }
}

/// A target that could not be compared, and why.
pub fn unknown(target: &Object, why: String) -> ResourceDrift {
    ResourceDrift { target: Some(shown(target)), note: Some(why), ..drift(target, ResourceState::Unknown) }
}

fn missing(target: &Object) -> ResourceDrift {
    ResourceDrift { target: Some(shown(target)), ..drift(target, ResourceState::Missing) }
}

fn by_prediction(question: &Question, predicted: &Object) -> ResourceDrift {
    let Question { target, live, terms, defaults, .. } = question;
    let (shape, status) = (Shape::of(&target.gvk()), question.status());
    let spelled = cleaned(target, status);
    let found = differences(&cleaned(predicted, status), &cleaned(live, status), Some(&spelled), shape);
    // What git does not name stays as it is, whatever else the server would do at the same time.
    let is_gits = |difference: &Difference| {
        terms.effects == Effects::All
            || is_named(&spelled, live, difference, shape)
            || managers::is_ours(live, &difference.edit.path, shape)
    };
    let edits: Vec<Edit> = found.into_iter().filter(is_gits).map(|difference| difference.edit).collect();
    let mut removals = dropped(target, live, shape, terms);
    removals.retain(|edit| !defaults.contains(&edit.path));
    let edits = with_removals(edits, removals);
    settle(question, &edits, shape, InSyncProof::Server, None)
}

fn by_structure(question: &Question, reason: &str, schema: Option<&Schema>) -> ResourceDrift {
    let shape = schema.map_or_else(|| Shape::of(&question.target.gvk()), Schema::shape);
    let found = contain(&question.target, &question.live, shape, &question.terms);
    let note = Some(format!("compared without the server: {reason}"));
    let doubt = found.doubts.first().map(|doubt| format!("only the server can decide `{}`", doubt.dotted()));
    let proof = if schema.is_some() { InSyncProof::Schema } else { InSyncProof::Structural };
    settle(question, &found.edits, shape, proof, joined(note, doubt))
}

fn by_refusal(question: &Question, words: &str) -> ResourceDrift {
    let Question { target, live, .. } = question;
    let mut masker = Masker::default();
    masker.mask(&mut cleaned(target, question.status()));
    masker.mask(&mut cleaned(live, question.status()));
    let note = if masker.would_reveal(words) {
        "the server refuses this Secret; its message is not shown because it can quote values".to_owned()
    } else {
        format!("the server refuses it: {words}")
    };
    let shape = Shape::of(&target.gvk());
    let found = contain(target, live, shape, &question.terms);
    let settled = settle(question, &found.edits, shape, InSyncProof::Structural, Some(note));
    let mut settled = ResourceDrift { is_refused: true, ..settled };
    if settled.fields.is_empty() {
        settle_again(&mut settled);
    }
    settled
}

/// The end of every comparison: the edits applied to the live object, masked, and distinguished again, so that the fields
/// and the two values say the same.
fn settle(
    question: &Question,
    edits: &[Edit],
    shape: &Shape,
    proof: InSyncProof,
    note: Option<String>,
) -> ResourceDrift {
    let (Question { target, live, past, .. }, status) = (question, question.status());
    let (gvk, shown) = (target.gvk(), cleaned(live, status));
    let edits: Vec<Edit> = edits.iter().filter(|edit| !says_nothing(&gvk, edit, &shown)).cloned().collect();
    if edits.is_empty() {
        return in_sync(target, live, proof, note);
    }
    let wanted = apply(shown.clone(), &edits);
    let mut masker = Masker::default();
    let (shown, wanted) = (masker.masked(shown), masker.masked(wanted));
    let found = differences(&wanted, &shown, None, shape);
    if found.is_empty() {
        return in_sync(target, live, proof, note);
    }
    // An edit may have added nulls that are no difference: what is shown is made of the fields alone.
    let edits: Vec<Edit> = found.iter().map(|difference| difference.edit.clone()).collect();
    let wanted = apply(shown.clone(), &edits);
    let spelled = masker.masked(cleaned(target, status));
    let (last, touched) = past.last_target(live, status);
    let last = last.map(|last| masker.masked(last));
    let views = Views {
        live: &shown,
        target: &spelled,
        last: last.as_ref(),
        recorded: last.as_ref().filter(|_| matches!(past, Past::Said(..))),
        untouched: touched == Touched::No,
        is_lost: *past == Past::Lost,
        has_managers: managers::has_managers(live),
    };
    let fields = managers::attributed(found, live, &views, shape);
    ResourceDrift {
        proof,
        moved: Moved::of_all(&fields),
        additions: additions::additions(target, live, &fields, || shown.clone()),
        fields,
        live: Some(shown),
        target: Some(wanted),
        note: joined(note, being_deleted(live)),
        ..drift(target, ResourceState::Changed)
    }
}

fn in_sync(target: &Object, live: &Object, proof: InSyncProof, note: Option<String>) -> ResourceDrift {
    let additions = additions::additions(target, live, &[], || shown(live));
    let live_shown = (!additions.is_empty()).then(|| shown(live));
    ResourceDrift {
        proof,
        additions,
        live: live_shown,
        note: joined(note, being_deleted(live)),
        ..drift(target, ResourceState::InSync)
    }
}

/// An object as reports show it: without what never counts, masked.
pub(super) fn shown(object: &Object) -> Value {
    Masker::default().masked(cleaned(object, Status::Never))
}

/// Which item of a target's list is which of the live one: for each, its place there. Nothing where items are distinguished by
/// their places alone.
pub fn counterparts(gvk: &Gvk, list: &Pointer, target: &[Value], live: &[Value]) -> Option<Vec<Option<usize>>> {
    Pairs::of(shape_at(gvk, list), target, live).map(|pairs| pairs.other)
}

/// Whether a kind is one of Kubernetes' own.
pub fn is_builtin(gvk: &Gvk) -> bool {
    Shape::is_known(gvk)
}

/// Whether a place of a kind holds a list or a map that is applied as a whole, so that what is not in it goes; nothing where
/// that is not known.
pub fn is_applied_whole(gvk: &Gvk, place: &Pointer) -> Option<bool> {
    match shape_at(gvk, place) {
        Shape::List(kind, _) => Some(matches!(kind, ListKind::Atomic)),
        Shape::Struct(_, merge) | Shape::Map(merge, _) => Some(*merge == Merge::Atomic),
        _ => None,
    }
}

fn shape_at(gvk: &Gvk, place: &Pointer) -> &'static Shape {
    place.tokens().iter().fold(Shape::of(gvk), |shape, token| match shape {
        Shape::List(..) => shape.item(),
        _ => shape.child(token),
    })
}

/// The key of a list item, where its kind has such lists: the parts of its key that it has.
pub(super) fn item_key(gvk: &Gvk, list: &Pointer, item: &Value) -> Option<Map<String, Value>> {
    let keys = shape_at(gvk, list).list_keys()?;
    let part = |key: &ListKey| Some((key.name.clone().into_owned(), item.get(&*key.name)?.clone()));
    Some(keys.iter().filter_map(part).collect()).filter(|key: &Map<_, _>| !key.is_empty())
}

/// Makes both sides of a changed resource say what its fields say, after some of these were taken out. What the server
/// refuses is never in sync: nobody knows what the rest of it would become.
pub(super) fn settle_again(drift: &mut ResourceDrift) {
    drift.moved = Moved::of_all(&drift.fields);
    if drift.fields.is_empty() {
        drift.target = None;
        drift.state = if drift.is_refused { ResourceState::Unknown } else { ResourceState::InSync };
        if drift.is_refused {
            drift.proof = InSyncProof::None;
        }
        return;
    }
    let edit = |field: &FieldDrift| Edit { path: field.path.clone(), git: field.git.clone() };
    let edits: Vec<Edit> = drift.fields.iter().map(edit).collect();
    drift.target = drift.live.clone().map(|live| apply(live, &edits));
}

/// Counts additions as drift (`--strict`): git says nothing of them, so that they would have to go.
pub fn count_additions(drift: &mut ResourceDrift, live: &Object) {
    if drift.additions.is_empty() {
        return;
    }
    drift.fields.append(&mut drift.additions);
    drift.fields.sort_by(|one, other| one.path.place_order(&other.path));
    drift.state = ResourceState::Changed;
    drift.live.get_or_insert_with(|| shown(live));
    settle_again(drift);
}

fn being_deleted(live: &Object) -> Option<String> {
    let since = live.metadata()?.get("deletionTimestamp")?.as_str()?;
    Some(format!("it has been terminating since {since}"))
}

fn joined(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first}; {second}")),
        (first, second) => first.or(second),
    }
}

fn drift(object: &Object, state: ResourceState) -> ResourceDrift {
    let origin = object.origin().cloned();
    ResourceDrift { origin, ..ResourceDrift::new(object.gvk(), object.namespace(), object.name(), state) }
}

#[cfg(test)]
mod tests;
