//! Takes out of a comparison what nobody wants compared, field by field, after it was made.
//!
//! In: the rules of an application, of its git and of `argocd-cm` ([`IgnoreRules`]), what was found to differ, the live objects. Out: each
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

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::cover::Cover;
use self::rules::Names;
use super::compare::{settle_again, shown};
use super::{FieldDrift, GitSinceSync, Ignored, ResourceDrift, ResourceState};
use crate::app::ignore::AppliesWhen;
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
    rules: BTreeSet<usize>,
}

/// Rules being applied to the resources of one application.
#[derive(Debug)]
pub struct Ignoring<'rules> {
    rules: &'rules IgnoreRules,
    subjects: Vec<SelectedObject>,
    /// The objects that each rule selects.
    subjects_of: Vec<Vec<usize>>,
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
        let mut this = Self {
            rules,
            subjects: Vec::new(),
            subjects_of: vec![Vec::new(); rules.len()],
            found: vec![Vec::new(); rules.len()],
            faults: Vec::new(),
        };
        for (resource, drift) in resources.iter().enumerate() {
            // Rules for every application find nothing in most objects: only where something differs they matter.
            let only_own = drift.fields.is_empty() && drift.additions.is_empty();
            let selecting = rules.selecting(drift, only_own);
            if !selecting.is_empty() && !matches!(drift.state, ResourceState::Extra | ResourceState::Unknown) {
                for rule in &selecting {
                    this.subjects_of[*rule].push(this.subjects.len());
                }
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
        let mut unproved = BTreeMap::new();
        for (at, subject) in self.subjects.iter().enumerate() {
            let drift = &mut resources[subject.resource];
            let covers = Covers {
                always: self.cover(at, drift, |when| when == AppliesWhen::Always),
                all: self.cover(at, drift, |_| true),
            };
            ignore(drift, &covers, &mut unproved);
        }
        self.faults
            .extend(unproved.into_iter().map(|(rule, fields)| RuleFault::unproved(self.rules.rule(rule), fields)));
        // Where an object could not be compared, a rule may have been about it.
        let all_compared = resources.iter().all(|drift| drift.state != ResourceState::Unknown);
        for rule in (0..self.rules.len()).filter(|_| all_compared) {
            self.faults.extend(self.of_no_use(rule));
        }
        self.faults
    }

    /// The fields of an object that its rules of some kind name.
    fn cover(&self, at: usize, drift: &ResourceDrift, is_meant: impl Fn(AppliesWhen) -> bool) -> Cover<'rules> {
        let mut cover = Cover::new(self.rules);
        for &rule in self.subjects[at].rules.iter().filter(|rule| is_meant(self.rules.rule(**rule).when)) {
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
        cover
    }

    fn of_no_use(&self, at: usize) -> Option<RuleFault> {
        let rule = self.rules.rule(at);
        if !rule.is_own || self.faults.iter().any(|fault| fault.is_of(rule)) {
            return None;
        }
        let mut subjects = self.subjects_of[at].iter().map(|subject| &self.subjects[*subject]).peekable();
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
        self.subjects_of[rule].iter().flat_map(|&at| {
            let subject = &self.subjects[at];
            SIDES.into_iter().zip(&subject.sides).filter_map(move |(side, value)| Some((at, side, value.as_ref()?)))
        })
    }
}

fn subject(resource: usize, drift: &ResourceDrift, live: Option<&Object>, rules: BTreeSet<usize>) -> SelectedObject {
    let held = drift.live.clone().or_else(|| live.map(shown));
    let managers = live.and_then(|live| live.metadata()?.get("managedFields")?.as_array());
    let name = |entry: &Value| entry.get("manager").and_then(Value::as_str).map(str::to_owned);
    let managers = managers.into_iter().flatten().filter_map(name).collect();
    SelectedObject { resource, sides: [held, drift.target.clone()], managers, rules }
}

/// What the rules of one object name.
struct Covers<'rules> {
    /// By those that are about every difference.
    always: Cover<'rules>,
    /// By all of them, for a field that is as git had it at the last sync.
    all: Cover<'rules>,
}

impl Covers<'_> {
    /// Puts a difference where it belongs. A rule about changes in the cluster that may be one in git counts as not proved.
    fn sort(
        &self,
        field: FieldDrift,
        kept: &mut Vec<FieldDrift>,
        ignored: &mut Vec<Ignored>,
        unproved: &mut BTreeMap<usize, usize>,
    ) {
        if field.git_since_sync == GitSinceSync::Unchanged {
            return self.all.sort(field, kept, ignored);
        }
        if field.git_since_sync == GitSinceSync::Unknown
            && self.always.whole(&field).is_none()
            && let Some(rule) = self.all.whole(&field)
        {
            *unproved.entry(rule).or_default() += 1;
        }
        self.always.sort(field, kept, ignored);
    }
}

/// Takes what is covered out of a resource's differences, and what it says of both sides with it.
fn ignore(drift: &mut ResourceDrift, covers: &Covers<'_>, unproved: &mut BTreeMap<usize, usize>) {
    let mut kept = Vec::new();
    for field in std::mem::take(&mut drift.fields) {
        covers.sort(field, &mut kept, &mut drift.ignored, unproved);
    }
    drift.fields = kept;
    let mut additions = Vec::new();
    for field in std::mem::take(&mut drift.additions) {
        // Not a difference: nothing to warn of.
        covers.sort(field, &mut additions, &mut drift.ignored, &mut BTreeMap::new());
    }
    drift.additions = additions;
    if drift.state == ResourceState::Changed && !drift.ignored.is_empty() {
        settle_again(drift);
    }
}

#[cfg(test)]
mod tests;
