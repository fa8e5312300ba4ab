//! The answer to a question, and the line that gives it.

use std::collections::{BTreeMap, HashSet};

use super::builtin;
use super::fault::PolicyFault;
use super::index::{Matched, PolicyIndex};
use super::line::{Lines, Permission, PolicyPlace};
use super::question::{Question, Subject};
use super::roles::ProjectRoles;
use super::settings::PolicySettings;

/// How many roles may be between a user and a line, as in casbin.
const DEPTH: usize = 10;

/// A policy, ready to decide.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    global: PolicyIndex,
    projects: BTreeMap<String, PolicyIndex>,
    default_role: Option<String>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A line allows it, and none denies it.
    Allowed {
        /// Where the line is.
        place: PolicyPlace,
        /// The line.
        line: String,
    },
    /// A line denies it.
    Denied {
        /// Where the line is.
        place: PolicyPlace,
        /// The line.
        line: String,
    },
    /// No line allows it.
    NoLine {
        /// The lines that would.
        missing: Vec<String>,
        /// The `AppProject` whose role they belong to; the policy of the installation otherwise.
        project: Option<String>,
    },
}

impl Decision {
    /// Whether it is allowed.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }

    /// Why, in words.
    pub fn reason(&self) -> String {
        match self {
            Self::Allowed { place, line } => format!("allowed by {place}: `{line}`"),
            Self::Denied { place, line } => format!("denied by {place}: `{line}`"),
            Self::NoLine { missing, project } => {
                let lines: Vec<String> = missing.iter().map(|line| format!("`{line}`")).collect();
                match project {
                    Some(project) => {
                        format!("no line allows it; missing in AppProject `{project}`: {}", lines.join(", "))
                    }
                    None => format!("no line allows it; missing: {}", lines.join(", ")),
                }
            }
        }
    }
}

impl Policy {
    /// Makes a policy ready, with the roles of projects; or everything that is wrong with it.
    pub fn new(settings: &PolicySettings, projects: &[ProjectRoles]) -> Result<Self, Vec<PolicyFault>> {
        let mut faults = Vec::new();
        let mut lines = Lines::default();
        lines.read(&builtin::text(), &mut faults);
        let built_in = lines.permissions.len();
        settings.texts.iter().for_each(|text| lines.read(text, &mut faults));
        // Quirk: the built-in globs are taken for regular expressions where those are asked for, and then refuse everything.
        let global = PolicyIndex::new(lines, built_in, settings.match_mode, &mut faults);
        let mut policy = Self { global, projects: BTreeMap::new(), default_role: settings.default_role.clone() };
        for project in projects {
            let index = PolicyIndex::new(project.lines(&mut faults), 0, settings.match_mode, &mut faults);
            policy.projects.insert(project.project.clone(), index);
        }
        if faults.is_empty() { Ok(policy) } else { Err(faults) }
    }

    /// Decides a question.
    pub fn decide(&self, subject: &Subject, question: &Question) -> Decision {
        let default_role = self.default_role.as_deref();
        let mut denied = None;
        // What the default role may do, nothing takes away: it is asked before the project is.
        let mut layers = vec![&self.global];
        if let Some(allowed) = default_role.and_then(|role| Self::enforced(&layers, role, question, &mut None)) {
            return allowed;
        }
        let project = question.project().and_then(|name| Some((name, self.projects.get(name)?)));
        let token = subject.user.as_deref().and_then(project_role);
        if let Some((name, index)) = project {
            if token.is_some_and(|(own, _)| own != name) {
                return self.no_line(subject, question);
            }
            layers.push(index);
        }
        let has_role = |group: &&String| layers.iter().any(|layer| !layer.roles_of(group).is_empty());
        let groups = subject.groups.iter().filter(has_role).map(String::as_str);
        let groups = groups.filter(|_| token.is_none() || project.is_none());
        for asking in default_role.into_iter().chain(subject.user.as_deref()).chain(groups) {
            if let Some(allowed) = Self::enforced(&layers, asking, question, &mut denied) {
                return allowed;
            }
        }
        denied.unwrap_or_else(|| self.no_line(subject, question))
    }

    /// Whether the lines of one subject and its roles allow it; what denies it is kept.
    fn enforced(
        layers: &[&PolicyIndex],
        subject: &str,
        question: &Question,
        denied: &mut Option<Decision>,
    ) -> Option<Decision> {
        let mut matched = Matched::default();
        let roles = reached(layers, subject);
        for layer in layers {
            let mut of_layer = Matched::default();
            for role in &roles {
                let mut of_role = Matched::default();
                layer.ask(role, question, &mut of_role);
                of_layer.allow = first(of_layer.allow, of_role.allow);
                of_layer.deny = first(of_layer.deny, of_role.deny);
                of_layer.is_failed |= of_role.is_failed;
            }
            matched.allow = matched.allow.or(of_layer.allow);
            matched.deny = matched.deny.or(of_layer.deny);
            matched.is_failed |= of_layer.is_failed;
        }
        match (matched.deny, matched.allow) {
            (Some(line), _) => {
                let (place, line) = (line.place.clone(), line.written());
                denied.get_or_insert(Decision::Denied { place, line });
                None
            }
            (None, Some(line)) if !matched.is_failed => {
                Some(Decision::Allowed { place: line.place.clone(), line: line.written() })
            }
            _ => None,
        }
    }

    /// The lines that are missing.
    fn no_line(&self, subject: &Subject, question: &Question) -> Decision {
        let line = |subject: &str| {
            let Question { resource, action, object } = question;
            format!("p, {subject}, {resource}, {action}, {object}, allow")
        };
        if let Some(user) = &subject.user {
            let project = project_role(user).map(|(project, _)| project.to_owned());
            return Decision::NoLine { missing: vec![line(user)], project };
        }
        // A line for a group counts only where the group has a role.
        let role = subject.groups.iter().find_map(|group| self.global.roles_of(group).first());
        let missing = match (role, subject.groups.first()) {
            (Some(role), _) => vec![line(role)],
            (None, Some(group)) => vec![format!("g, {group}, role:ROLE"), line("role:ROLE")],
            (None, None) => vec![line("USER")],
        };
        Decision::NoLine { missing, project: None }
    }
}

/// The line that stands first.
fn first<'policy>(one: Option<&'policy Permission>, other: Option<&'policy Permission>) -> Option<&'policy Permission> {
    match (one, other) {
        (Some(one), Some(other)) if other.place < one.place => Some(other),
        (one, other) => one.or(other),
    }
}

/// A subject, and every role that it has through others.
fn reached(layers: &[&PolicyIndex], subject: &str) -> Vec<String> {
    let mut reached = vec![subject.to_owned()];
    let mut seen: HashSet<String> = reached.iter().cloned().collect();
    let mut from = 0;
    for _ in 0..DEPTH {
        let end = reached.len();
        for position in from..end {
            let member = reached[position].clone();
            for role in layers.iter().flat_map(|layer| layer.roles_of(&member)) {
                if seen.insert(role.clone()) {
                    reached.push(role.clone());
                }
            }
        }
        from = end;
    }
    reached
}

/// The project and the name of `proj:PROJECT:ROLE`.
fn project_role(subject: &str) -> Option<(&str, &str)> {
    let (project, role) = subject.strip_prefix("proj:")?.split_once(':')?;
    (!role.contains(':')).then_some((project, role))
}
