//! Checks a policy without asking it anything: what cannot be read, and what matches nothing.

use super::fault::PolicyFault;
use super::index::PolicyIndex;
use super::line::{Lines, Permission};
use super::pattern::FieldPattern;
use super::question::{ACTIONS, RESOURCES};
use super::settings::PolicySettings;
use super::text::MatchMode;

/// A file of policies after it was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValidatedPolicy {
    /// How many `p` lines there are, those of projects' roles among them.
    pub permissions: usize,
    /// How many `g` lines there are.
    pub groupings: usize,
    /// Everything that is wrong.
    pub faults: Vec<PolicyFault>,
}

/// Checks a `policy.csv`, or a manifest with `argocd-rbac-cm` and `AppProject`s.
pub fn validate(file: &str, bytes: &[u8]) -> ValidatedPolicy {
    let mut validated = ValidatedPolicy::default();
    let projects = super::roles::project_roles(file, bytes);
    for project in &projects {
        let lines = project.lines(&mut validated.faults);
        validated.permissions += lines.permissions.len() - project.roles.len();
        validated.groupings += lines.groupings.len();
        // Each project's roles follow the mode of the installation, which is not known here: globs are the default.
        PolicyIndex::new(lines, 0, MatchMode::Glob, &mut validated.faults);
    }
    match PolicySettings::read(file, bytes) {
        Ok(settings) => {
            let mut lines = Lines::default();
            settings.texts.iter().for_each(|text| lines.read(text, &mut Vec::new()));
            validated.permissions += lines.permissions.len();
            validated.groupings += lines.groupings.len();
            validated.faults.extend(settings.faults());
        }
        Err(faults) if projects.is_empty() || !faults.iter().all(PolicyFault::is_absence) => {
            validated.faults.extend(faults);
        }
        Err(_) => {}
    }
    validated
}

impl PolicySettings {
    /// Everything that is wrong with it, also what does no harm: lines that match nothing.
    pub fn faults(&self) -> Vec<PolicyFault> {
        let mut faults = Vec::new();
        let mut lines = Lines::default();
        self.texts.iter().for_each(|text| lines.read(text, &mut faults));
        faults.extend(lines.permissions.iter().filter_map(|permission| self.idle(permission)));
        faults.extend(self.unreadable_role(&lines));
        PolicyIndex::new(lines, 0, self.match_mode, &mut faults);
        faults
    }

    /// A built-in role where regular expressions are asked for: its lines are globs.
    fn unreadable_role(&self, lines: &Lines) -> Option<PolicyFault> {
        let is_built_in = |role: &&str| matches!(*role, "role:admin" | "role:readonly");
        let roles = lines.groupings.iter().map(|grouping| grouping.role.as_str()).chain(self.default_role.as_deref());
        let role = roles.into_iter().find(is_built_in).filter(|_| self.match_mode == MatchMode::Regex)?;
        let place = self.texts.first().map_or_else(String::new, |text| text.file.to_string());
        Some(PolicyFault::Setting {
            place,
            key: "policy.matchMode",
            found: format!("regex`, and `{role}"),
            help: "the built-in roles are globs, and Argo CD refuses all that they allow: define a role of your own",
        })
    }

    /// Why a permission matches nothing that Argo CD asks for.
    fn idle(&self, permission: &Permission) -> Option<PolicyFault> {
        let place = permission.place.to_string();
        let resource = FieldPattern::new(&permission.resource, self.match_mode).ok()?;
        if !RESOURCES.iter().any(|name| resource.matches(name) == Ok(true)) {
            return Some(PolicyFault::Resource { place, found: permission.resource.clone() });
        }
        let action = FieldPattern::new(&permission.action, self.match_mode).ok()?;
        let has_path = ["update/", "delete/", "action/"].iter().any(|path| permission.action.contains(path));
        if has_path || ACTIONS.iter().any(|name| action.matches(name) == Ok(true)) {
            return None;
        }
        let (resource, found) = (permission.resource.clone(), permission.action.clone());
        Some(PolicyFault::Action { place, resource, found })
    }
}
