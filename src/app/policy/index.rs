//! The lines of a policy by whom they are for and what they are about: a question looks at few of them.

use std::collections::HashMap;

use super::fault::PolicyFault;
use super::line::{Effect, Lines, Permission};
use super::pattern::{EngineFailed, FieldPattern};
use super::question::Question;
use super::text::MatchMode;
use crate::app::gobwas::literal_prefix;

/// Lines that were read together, ready to decide.
#[derive(Debug, Clone, Default)]
pub(super) struct PolicyIndex {
    permissions: Vec<Permission>,
    by_subject: HashMap<String, Vec<Bucket>>,
    roles: HashMap<String, Vec<String>>,
}

/// The lines of one subject with the same resource and action.
#[derive(Debug, Clone)]
struct Bucket {
    resource: FieldPattern,
    action: FieldPattern,
    /// Globs that match one object.
    exact: HashMap<String, Vec<usize>>,
    /// Globs that begin with the same text up to a slash, which is a project's as a rule.
    by_project: HashMap<String, Vec<(FieldPattern, usize)>>,
    others: Vec<(FieldPattern, usize)>,
}

/// The first line that allows, and the first that denies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Matched<'policy> {
    pub(super) allow: Option<&'policy Permission>,
    pub(super) deny: Option<&'policy Permission>,
    /// The engine failed on a line.
    pub(super) is_failed: bool,
}

impl PolicyIndex {
    /// Of the first lines, which are built in, no fault is reported.
    pub(super) fn new(lines: Lines, built_in: usize, mode: MatchMode, faults: &mut Vec<PolicyFault>) -> Self {
        let mut index = Self::default();
        for grouping in lines.groupings {
            index.roles.entry(grouping.member).or_default().push(grouping.role);
        }
        let mut buckets: HashMap<(String, String, String), usize> = HashMap::new();
        for (number, permission) in lines.permissions.iter().enumerate() {
            let mut own_faults = Vec::new();
            let patterns = patterns(permission, mode, &mut own_faults);
            if number >= built_in && !own_faults.is_empty() {
                faults.append(&mut own_faults);
                continue;
            }
            let own = index.by_subject.entry(permission.subject.clone()).or_default();
            let key = (permission.subject.clone(), permission.resource.clone(), permission.action.clone());
            let position = *buckets.entry(key).or_insert_with(|| {
                own.push(Bucket::new(patterns.resource, patterns.action));
                own.len() - 1
            });
            own[position].add(&permission.object, patterns.object, number);
        }
        index.permissions = lines.permissions;
        index
    }

    /// The roles that a user, group or role has by one line.
    pub(super) fn roles_of(&self, member: &str) -> &[String] {
        self.roles.get(member).map_or(&[], Vec::as_slice)
    }

    /// Adds what the lines of a subject say to what is known.
    pub(super) fn ask<'policy>(&'policy self, subject: &str, question: &Question, matched: &mut Matched<'policy>) {
        let mut first = [usize::MAX; 2];
        for bucket in self.by_subject.get(subject).into_iter().flatten() {
            let mut take = |number: usize| {
                let slot = usize::from(self.permissions[number].effect == Effect::Deny);
                first[slot] = first[slot].min(number);
            };
            if bucket.ask(question, &mut take).is_err() {
                matched.is_failed = true;
            }
        }
        matched.allow = matched.allow.or_else(|| self.permissions.get(first[0]));
        matched.deny = matched.deny.or_else(|| self.permissions.get(first[1]));
    }
}

struct Patterns {
    resource: FieldPattern,
    action: FieldPattern,
    object: FieldPattern,
}

fn patterns(permission: &Permission, mode: MatchMode, faults: &mut Vec<PolicyFault>) -> Patterns {
    let mut pattern = |field: &'static str, value: &str| match FieldPattern::new(value, mode) {
        Ok(pattern) => pattern,
        Err(why) => {
            let (place, value) = (permission.place.to_string(), value.to_owned());
            faults.push(PolicyFault::Pattern { place, field, value, mode: mode.noun(), why });
            FieldPattern::Unreadable
        }
    };
    let resource = pattern("resource", &permission.resource);
    let action = pattern("action", &permission.action);
    let object = pattern("object", &permission.object);
    Patterns { resource, action, object }
}

impl Bucket {
    fn new(resource: FieldPattern, action: FieldPattern) -> Self {
        let (exact, by_project, others) = Default::default();
        Self { resource, action, exact, by_project, others }
    }

    fn add(&mut self, text: &str, pattern: FieldPattern, number: usize) {
        match pattern {
            FieldPattern::Exactly(object) => self.exact.entry(object).or_default().push(number),
            FieldPattern::Glob(_) if project_of(literal_prefix(text)).is_some() => {
                let project = project_of(text).unwrap_or_default().to_owned();
                self.by_project.entry(project).or_default().push((pattern, number));
            }
            pattern => self.others.push((pattern, number)),
        }
    }

    /// Gives the number of each line that matches.
    fn ask(&self, question: &Question, take: &mut impl FnMut(usize)) -> Result<(), EngineFailed> {
        if !self.resource.matches(&question.resource)? || !self.action.matches(&question.action)? {
            return Ok(());
        }
        self.exact.get(&question.object).into_iter().flatten().for_each(|number| take(*number));
        let own = project_of(&question.object).and_then(|project| self.by_project.get(project));
        for (pattern, number) in own.into_iter().flatten().chain(&self.others) {
            if pattern.matches(&question.object)? {
                take(*number);
            }
        }
        Ok(())
    }
}

/// What stands before the first slash, with it.
fn project_of(object: &str) -> Option<&str> {
    object.find('/').map(|slash| &object[..=slash])
}
