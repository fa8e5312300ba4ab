//! A pair that only the API server can settle, what is asked about it, and what can come back.
//!
//! In: a target and a live object that are not provably in sync. Out: what to ask the server, and what its answers leave.
//! The conductor brings them: nothing is fetched here.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::clean::{Status, cleaned};
use super::contain::dropped;
use super::last_applied::last_applied;
use super::schema::Schema;
use super::shape::Shape;
use super::terms::Terms;
use crate::object::{Object, Pointer};

/// A pair that only the API server can settle.
#[derive(Clone, PartialEq)]
pub struct Question {
    pub(super) target: Object,
    pub(super) live: Arc<Object>,
    pub(super) past: Past,
    pub(super) terms: Arc<Terms>,
    /// Fields that git removed and the server would put back.
    pub(super) defaults: Vec<Pointer>,
}

/// An object's target at the last sync.
#[derive(Clone, Default, PartialEq)]
pub(super) enum Past {
    /// Nobody knows: there was no sync, or its revision cannot be rendered any more.
    #[default]
    Unknown,
    /// All that was applied is as it was applied; what git said then is not at hand.
    Untouched,
    /// There was a sync, and what git said then cannot be found out.
    Lost,
    /// There was no such object.
    Absent,
    /// This; and whether all of it is as it was applied.
    Said(Box<Object>, Touched),
}

impl Past {
    /// The target of the last sync, if it is known, and whether anybody has touched what was applied.
    pub(super) fn last_target(&self, live: &Object, status: Status) -> (Option<Value>, Touched) {
        match self {
            Self::Unknown => (last_applied(live).map(|last| cleaned(&last, status)), Touched::Maybe),
            Self::Untouched => (None, Touched::No),
            Self::Lost => (None, Touched::Maybe),
            Self::Absent => (Some(Value::Null), Touched::Maybe),
            Self::Said(last, touched) => (Some(cleaned(last, status)), *touched),
        }
    }
}

/// Whether anybody has changed what was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touched {
    /// Somebody may have.
    Maybe,
    /// Nobody has.
    No,
}

impl std::fmt::Debug for Question {
    /// Names the object only: the pair may be a Secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Question({})", self.target.key())
    }
}

impl Question {
    /// The question for the server.
    pub fn target(&self) -> &Object {
        &self.target
    }

    /// The value in the cluster.
    pub fn live(&self) -> &Object {
        &self.live
    }

    /// Fields that others applied from git, that are still live, and that git dropped. Applying the target does not tell what becomes of
    /// it; the server does when asked what it would make of the live object without these places.
    pub fn dropped(&self) -> Vec<Pointer> {
        let shape = Shape::of(&self.target.gvk());
        dropped(&self.target, &self.live, shape, &self.terms).into_iter().map(|edit| edit.path).collect()
    }

    /// Takes what the server would make of the live object without what git dropped: what comes back as it was is a default,
    /// and nobody's drift.
    pub fn put_back(&mut self, without: &Object) {
        self.defaults = self.dropped();
        self.defaults.retain(|place| is_same_at(place, self.live.value(), without.value()));
    }

    pub(super) fn status(&self) -> Status {
        self.terms.status_of(&self.target)
    }

    /// Whether a schema would help where nobody can be asked: Kubernetes' own kinds are known without one.
    pub fn needs_schema(&self) -> bool {
        !Shape::is_known(&self.target.gvk())
    }

    /// The last sync's render is not known: where something of it was touched since, no side can be named.
    pub fn forget(&mut self) {
        if self.past != Past::Untouched {
            self.past = Past::Lost;
        }
    }

    /// Brings what git said of the object at the revision of the last sync; nothing when it had no such object.
    pub fn recall(&mut self, said: Option<Object>) {
        let touched = if self.past == Past::Untouched { Touched::No } else { Touched::Maybe };
        self.past = said.map_or(Past::Absent, |said| Past::Said(Box::new(said), touched));
    }
}

/// The result of asking.
#[derive(Clone)]
pub enum Answer {
    /// The object as it would be after applying the target.
    Predicted(Object),
    /// Nobody could be asked, and why.
    Unavailable(String),
    /// Nobody could be asked, and why; the server's schema was there to read.
    Described(Schema, String),
    /// The server would refuse the target, in its words.
    Refused(String),
}

impl std::fmt::Debug for Answer {
    /// Names the kind of answer only: it may be about a Secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Predicted(_) => "Predicted",
            Self::Unavailable(_) => "Unavailable",
            Self::Described(..) => "Described",
            Self::Refused(_) => "Refused",
        })
    }
}

/// Whether a place holds the same in both, and means the same: no list on the way is of another length.
fn is_same_at(place: &Pointer, one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let Some((first, rest)) = place.tokens().split_first() else { return false };
    let (mut one, mut other) = (one.get(first), other.get(first));
    for token in rest {
        (one, other) = match (one, other) {
            (Some(Value::Object(one)), Some(Value::Object(other))) => (one.get(token), other.get(token)),
            (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
                let index = token.parse::<usize>().unwrap_or(usize::MAX);
                (one.get(index), other.get(index))
            }
            _ => return false,
        };
    }
    one.is_some() && one == other
}
