//! Decides, field by field, what differs between git and a cluster.
//!
//! In: the target, the live object. Out: in sync with its proof, changed with its evidence, or a [`Question`] for the
//! server, whose [`Answer`] settles it. Nothing is fetched here. The namespace of a target is filled in by the caller.
//!
//! Rules: docs/design.md, "Compare". Argo CD: gitops-engine/pkg/diff. Kubernetes: KEP-555, server-side apply.

mod additions;
mod clean;
mod contain;
mod difference;
mod managers;
mod path;
mod shape;

use std::cmp::Ordering;

use serde_json::{Map, Value};

use self::clean::cleaned;
use self::contain::contain;
use self::difference::{Edit, apply, differences};
use self::shape::{ListKey, Shape};
use super::{FieldDrift, Proof, ResourceDrift, ResourceState};
use crate::object::annotations::has_compare_option;
use crate::object::mask::Masker;
use crate::object::{Gvk, Object, Pointer};

/// What can be said of a pair without asking anybody.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// Everything.
    Settled(Box<ResourceDrift>),
    /// Not enough: what would the server make of the target?
    Ask(Box<Question>),
}

/// A pair that only the API server can settle.
#[derive(Clone, PartialEq)]
pub struct Question {
    target: Object,
    live: Object,
}

impl std::fmt::Debug for Question {
    /// Names the object only: the pair may be a Secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Question({})", self.target.key())
    }
}

impl Question {
    /// What to ask the server about.
    pub fn target(&self) -> &Object {
        &self.target
    }

    /// What the cluster holds.
    pub fn live(&self) -> &Object {
        &self.live
    }
}

/// What came of asking.
#[derive(Clone, PartialEq)]
pub enum Answer {
    /// The object as it would be after applying the target.
    Predicted(Object),
    /// Nobody could be asked, and why.
    Unavailable(String),
    /// The server would refuse the target, in its words.
    Refused(String),
}

impl std::fmt::Debug for Answer {
    /// Names the kind of answer only: it may be about a Secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Predicted(_) => "Predicted",
            Self::Unavailable(_) => "Unavailable",
            Self::Refused(_) => "Refused",
        })
    }
}

/// Compares without asking anybody: settled where every value of the target is provably in the live object.
pub fn first_look(target: &Object, live: Option<&Object>) -> Look {
    let Some(live) = live else { return Look::Settled(Box::new(missing(target))) };
    let found = contain(target, live);
    if found.is_proven() {
        return Look::Settled(Box::new(in_sync(target, live, Proof::Structural, None)));
    }
    Look::Ask(Box::new(Question { target: target.clone(), live: live.clone() }))
}

/// Settles a question with what came of asking.
pub fn second_look(question: Question, answer: Answer) -> ResourceDrift {
    let Question { target, live } = question;
    match answer {
        Answer::Predicted(predicted) => by_prediction(&target, &live, &predicted),
        Answer::Unavailable(reason) => by_structure(&target, &live, &reason),
        Answer::Refused(words) => by_refusal(&target, &live, &words),
    }
}

/// A live object of the application that git no longer has.
pub fn extra(live: &Object) -> ResourceDrift {
    let is_tolerated = has_compare_option(live, "IgnoreExtraneous");
    ResourceDrift { live: Some(shown(live)), is_tolerated, ..drift(live, ResourceState::Extra) }
}

/// A target that could not be compared, and why.
pub fn unknown(target: &Object, why: String) -> ResourceDrift {
    ResourceDrift { target: Some(shown(target)), note: Some(why), ..drift(target, ResourceState::Unknown) }
}

fn missing(target: &Object) -> ResourceDrift {
    ResourceDrift { target: Some(shown(target)), ..drift(target, ResourceState::Missing) }
}

fn by_prediction(target: &Object, live: &Object, predicted: &Object) -> ResourceDrift {
    let spelled = cleaned(target);
    let found = differences(&cleaned(predicted), &cleaned(live), Some(&spelled), Shape::of(&target.gvk()));
    let edits: Vec<Edit> = found.into_iter().map(|difference| difference.edit).collect();
    settle(target, live, &edits, Proof::Server, None)
}

fn by_structure(target: &Object, live: &Object, reason: &str) -> ResourceDrift {
    let found = contain(target, live);
    let note = Some(format!("compared without the server: {reason}"));
    let doubt = found.doubts.first().map(|doubt| format!("only the server could settle `{}`", doubt.dotted()));
    settle(target, live, &found.edits, Proof::Structural, joined(note, doubt))
}

fn by_refusal(target: &Object, live: &Object, words: &str) -> ResourceDrift {
    let mut masker = Masker::default();
    masker.mask(&mut cleaned(target));
    masker.mask(&mut cleaned(live));
    let note = if masker.would_reveal(words) {
        "the server refuses this Secret, in words that may quote its values".to_owned()
    } else {
        format!("the server refuses it: {words}")
    };
    let found = contain(target, live);
    let settled = settle(target, live, &found.edits, Proof::Structural, Some(note));
    if settled.state == ResourceState::Changed {
        return settled;
    }
    ResourceDrift { state: ResourceState::Unknown, proof: Proof::None, ..settled }
}

/// The end of every comparison: the edits applied to the live object, masked, and told apart again, so that the fields
/// and the two values say the same.
fn settle(target: &Object, live: &Object, edits: &[Edit], proof: Proof, note: Option<String>) -> ResourceDrift {
    if edits.is_empty() {
        return in_sync(target, live, proof, note);
    }
    let shape = Shape::of(&target.gvk());
    let shown = cleaned(live);
    let wanted = apply(shown.clone(), edits);
    let mut masker = Masker::default();
    let (shown, wanted) = (masker.masked(shown), masker.masked(wanted));
    let fields = managers::attributed(differences(&wanted, &shown, None, shape), live, shape);
    if fields.is_empty() {
        return in_sync(target, live, proof, note);
    }
    ResourceDrift {
        proof,
        additions: additions::additions(target, live, &fields, || shown.clone()),
        fields,
        live: Some(shown),
        target: Some(wanted),
        note: joined(note, being_deleted(live)),
        ..drift(target, ResourceState::Changed)
    }
}

fn in_sync(target: &Object, live: &Object, proof: Proof, note: Option<String>) -> ResourceDrift {
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
    Masker::default().masked(cleaned(object))
}

/// What tells an item of a list from the others, where its kind has such lists: the parts of its key that it has.
pub(super) fn item_key(gvk: &Gvk, list: &Pointer, item: &Value) -> Option<Map<String, Value>> {
    let step = |shape: &'static Shape, token: &String| match shape {
        Shape::List(..) => shape.item(),
        _ => shape.child(token),
    };
    let keys = list.tokens().iter().fold(Shape::of(gvk), step).list_keys()?;
    let part = |key: &ListKey| Some((key.name.to_owned(), item.get(key.name)?.clone()));
    Some(keys.iter().filter_map(part).collect()).filter(|key: &Map<_, _>| !key.is_empty())
}

/// Makes both sides of a changed resource say what its fields say, after some of these were taken out.
pub(super) fn settle_anew(drift: &mut ResourceDrift) {
    if drift.fields.is_empty() {
        (drift.state, drift.target) = (ResourceState::InSync, None);
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
    drift.fields.sort_by(|one, other| in_order(&one.path, &other.path));
    drift.state = ResourceState::Changed;
    drift.live.get_or_insert_with(|| shown(live));
    settle_anew(drift);
}

/// The order of places in an object, in which the items of lists follow each other by their number.
fn in_order(one: &Pointer, other: &Pointer) -> Ordering {
    let step = |(one, other): (&String, &String)| match (one.parse::<usize>(), other.parse::<usize>()) {
        (Ok(one), Ok(other)) => one.cmp(&other),
        _ => one.cmp(other),
    };
    let steps = one.tokens().iter().zip(other.tokens()).map(step);
    steps.fold(Ordering::Equal, Ordering::then).then(one.tokens().len().cmp(&other.tokens().len()))
}

fn being_deleted(live: &Object) -> Option<String> {
    let since = live.metadata()?.get("deletionTimestamp")?.as_str()?;
    Some(format!("it is being deleted since {since}"))
}

fn joined(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first}; {second}")),
        (first, second) => first.or(second),
    }
}

fn drift(object: &Object, state: ResourceState) -> ResourceDrift {
    ResourceDrift {
        gvk: object.gvk(),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        state,
        proof: Proof::None,
        origin: object.origin().cloned(),
        fields: Vec::new(),
        additions: Vec::new(),
        ignored: Vec::new(),
        is_tolerated: false,
        live: None,
        target: None,
        note: None,
    }
}

#[cfg(test)]
mod tests;
