//! Takes out of a comparison what nobody wants compared, field by field, after it was made.
//!
//! In: the rules of an application and of `argocd-cm` ([`IgnoreRules`]), what was found to differ, the live objects. Out: each
//! field that a rule covers is no difference any more but an [`Ignored`](super::Ignored) one; and [`RuleFault`]s: a rule that
//! names nothing in any object, or cannot be followed. jq expressions may not end, so they leave as [`Expression`]s, and the
//! caller brings what they name.
//!
//! Rule: Argo CD `util/argo/normalizers/diff_normalizer.go` and util/argo/managedfields, as in its server-side mode: what a rule
//! names is taken from both sides, each side's lists by its own places, and what is left is compared. Here a rule covers
//! exactly what it names: what else differs in the same object, map or list stays.

mod cover;
mod error;
mod jq;
mod rules;
mod suggestion;

pub use error::RuleFault;
pub use jq::{Named, named};
pub use rules::IgnoreRules;
pub use suggestion::{Suggestion, suggestion};

use std::collections::BTreeSet;

use serde_json::Value;

use self::cover::Cover;
use self::rules::Names;
use super::compare::{settle_again, shown};
use super::{ResourceDrift, ResourceState};
use crate::object::{Object, Pointer};

/// A jq expression, and the values it is to be run on.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// Which rule it is of.
    pub rule: usize,
    /// The expression.
    pub text: String,
    /// The values; those of Secrets are masked.
    pub values: Vec<Value>,
}

/// One object that rules select.
#[derive(Debug)]
struct SelectedObject {
    /// Its place among the resources.
    resource: usize,
    /// The value in the cluster, and what it would hold after a sync; one or both.
    sides: [Option<Value>; 2],
    /// Everybody who holds a field of it.
    managers: BTreeSet<String>,
    /// The rules that select it.
    rules: Vec<usize>,
}

/// Rules being applied to the resources of one application.
#[derive(Debug)]
pub struct Ignoring<'rules> {
    rules: &'rules IgnoreRules,
    subjects: Vec<SelectedObject>,
    /// The fields that each rule selects: by rule, the subject, its side, the place.
    found: Vec<Vec<(usize, ComparedSide, Pointer)>>,
    faults: Vec<RuleFault>,
}

/// A side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ComparedSide {
    Live,
    Target,
}

const SIDES: [ComparedSide; 2] = [ComparedSide::Live, ComparedSide::Target];

impl<'rules> Ignoring<'rules> {
    /// Finds the objects that the rules are about, and what JSON pointers name in them.
    pub fn begin<'live>(
        rules: &'rules IgnoreRules,
        resources: &[ResourceDrift],
        live: impl Fn(&ResourceDrift) -> Option<&'live Object>,
    ) -> Self {
        let mut this = Self { rules, subjects: Vec::new(), found: vec![Vec::new(); rules.len()], faults: Vec::new() };
        for (resource, drift) in resources.iter().enumerate() {
            // Rules for every application find nothing in most objects: only where something differs they matter.
            let only_own = drift.fields.is_empty() && drift.additions.is_empty();
            let selecting = rules.selecting(drift, only_own);
            if !selecting.is_empty() && !matches!(drift.state, ResourceState::Extra | ResourceState::Unknown) {
                this.subjects.push(subject(resource, drift, live(drift), selecting));
            }
        }
        for (at, subject) in this.subjects.iter().enumerate() {
            for &rule in &subject.rules {
                let Names::Pointer(pointer) = &rules.rule(rule).names else { continue };
                for (side, value) in SIDES.into_iter().zip(&subject.sides) {
                    if value.as_ref().is_some_and(|value| pointer.get(value).is_some()) {
                        this.found[rule].push((at, side, pointer.clone()));
                    }
                }
            }
        }
        this
    }

    /// The expressions to be run, each by [`named`], within a deadline.
    pub fn expressions(&self) -> Vec<Expression> {
        let of_rule = |rule: usize| match &self.rules.rule(rule).names {
            Names::Expression(text) => {
                let values = self.sides_of(rule).map(|(_, _, value)| value.clone()).collect();
                Some(Expression { rule, text: text.clone(), values })
            }
            _ => None,
        };
        // One that is about no object is still worth a look: it may be wrong.
        (0..self.rules.len()).filter_map(of_rule).collect()
    }

    /// Takes what an expression names, or why that cannot be known.
    pub fn answer(&mut self, rule: usize, outcome: Result<Vec<Named>, String>) {
        let named = match outcome {
            Ok(named) => named,
            Err(why) => return self.faults.push(RuleFault::broken(self.rules.rule(rule), why)),
        };
        let mut failed = None;
        let mut found = Vec::new();
        for ((subject, side, value), named) in self.sides_of(rule).zip(named) {
            match named {
                Named::Places(places) => {
                    let there = places.into_iter().filter(|place| place.get(value).is_some());
                    found.extend(there.map(|place| (subject, side, place)));
                }
                Named::Absent => {}
                Named::Failed(words) => failed = failed.or(Some(words)),
            }
        }
        self.found[rule].extend(found);
        self.faults.extend(failed.map(|words| RuleFault::failed(self.rules.rule(rule), words)));
    }

    /// Moves what the rules cover out of the differences, and tells which rules were of no use.
    pub fn finish(mut self, resources: &mut [ResourceDrift]) -> Vec<RuleFault> {
        for (at, subject) in self.subjects.iter().enumerate() {
            let drift = &mut resources[subject.resource];
            let mut cover = Cover::new(self.rules);
            for &rule in &subject.rules {
                for (_, side, place) in self.found[rule].iter().filter(|(found, ..)| *found == at) {
                    match side {
                        ComparedSide::Live => cover.live(place.clone(), rule),
                        ComparedSide::Target => cover.target(place, rule, drift),
                    }
                }
                if let Names::Manager(manager) = &self.rules.rule(rule).names {
                    cover.manager(manager, rule);
                }
            }
            ignore(drift, &cover);
        }
        // Where an object could not be compared, a rule may have been about it.
        let all_compared = resources.iter().all(|drift| drift.state != ResourceState::Unknown);
        for rule in (0..self.rules.len()).filter(|_| all_compared) {
            self.faults.extend(self.of_no_use(rule));
        }
        self.faults
    }

    fn of_no_use(&self, at: usize) -> Option<RuleFault> {
        let rule = self.rules.rule(at);
        if !rule.is_own || self.faults.iter().any(|fault| fault.is_of(rule)) {
            return None;
        }
        let mut subjects = self.subjects.iter().filter(|subject| subject.rules.contains(&at)).peekable();
        if subjects.peek().is_none() {
            return Some(RuleFault::selects_nothing(rule));
        }
        let is_used = match &rule.names {
            Names::Manager(manager) => subjects.any(|subject| subject.managers.contains(manager)),
            Names::Pointer(_) | Names::Expression(_) => !self.found[at].is_empty(),
        };
        (!is_used).then(|| RuleFault::names_nothing(rule))
    }

    fn sides_of(&self, rule: usize) -> impl Iterator<Item = (usize, ComparedSide, &Value)> {
        let subjects = self.subjects.iter().enumerate().filter(move |(_, subject)| subject.rules.contains(&rule));
        subjects.flat_map(|(at, subject)| {
            SIDES.into_iter().zip(&subject.sides).filter_map(move |(side, value)| Some((at, side, value.as_ref()?)))
        })
    }
}

fn subject(resource: usize, drift: &ResourceDrift, live: Option<&Object>, rules: Vec<usize>) -> SelectedObject {
    let held = drift.live.clone().or_else(|| live.map(shown));
    let managers = live.and_then(|live| live.metadata()?.get("managedFields")?.as_array());
    let name = |entry: &Value| entry.get("manager").and_then(Value::as_str).map(str::to_owned);
    let managers = managers.into_iter().flatten().filter_map(name).collect();
    SelectedObject { resource, sides: [held, drift.target.clone()], managers, rules }
}

/// Takes what is covered out of a resource's differences, and what it says of both sides with it.
fn ignore(drift: &mut ResourceDrift, cover: &Cover<'_>) {
    let mut kept = Vec::new();
    for field in std::mem::take(&mut drift.fields) {
        cover.sort(field, &mut kept, &mut drift.ignored);
    }
    drift.fields = kept;
    let mut additions = Vec::new();
    for field in std::mem::take(&mut drift.additions) {
        cover.sort(field, &mut additions, &mut drift.ignored);
    }
    drift.additions = additions;
    if drift.state == ResourceState::Changed && !drift.ignored.is_empty() {
        settle_again(drift);
    }
}

#[cfg(test)]
mod tests;
