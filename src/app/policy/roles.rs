//! The roles of `AppProject`s: each project's own policies and groups.
//!
//! Rules: Argo CD pkg/apis/application/v1alpha1 `ProjectPoliciesString`, `validatePolicy`.

use std::sync::Arc;

use serde_json::Value;

use super::fault::PolicyFault;
use super::line::{Effect, Grouping, Lines, Permission, PolicyPlace};
use super::text::PolicyText;
use crate::object::Pointer;
use crate::object::yaml::{self, Document, Limits, WithPositions};

/// The roles of one project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectRoles {
    /// The project's name.
    pub project: String,
    /// Its roles, in order.
    pub roles: Vec<ProjectRole>,
}

/// One role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRole {
    /// The name, without the project's.
    pub name: String,
    /// Its policies, each with its place.
    pub policies: Vec<PolicyText>,
    /// The groups that have it.
    pub groups: Vec<String>,
    /// Where it is.
    pub place: PolicyPlace,
}

/// What a role of a project may have policies about.
const RESOURCES: [&str; 6] = ["applications", "applicationsets", "repositories", "clusters", "logs", "exec"];

impl ProjectRoles {
    /// The lines that the roles stand for.
    pub(super) fn lines(&self, faults: &mut Vec<PolicyFault>) -> Lines {
        let mut lines = Lines::default();
        for role in &self.roles {
            let subject = format!("proj:{}:{}", self.project, role.name);
            lines.permissions.push(Permission {
                place: role.place.clone(),
                subject: subject.clone(),
                resource: "projects".to_owned(),
                action: "get".to_owned(),
                object: self.project.clone(),
                effect: Effect::Allow,
            });
            let before = lines.permissions.len();
            role.policies.iter().for_each(|policy| lines.read(policy, faults));
            for permission in &lines.permissions[before..] {
                faults.extend(self.fault_of(permission, &subject));
            }
            let grouping = |group: &String| Grouping { member: group.clone(), role: subject.clone() };
            lines.groupings.extend(role.groups.iter().map(grouping));
        }
        lines
    }

    /// What only the policy of the whole installation may say.
    fn fault_of(&self, permission: &Permission, subject: &str) -> Option<PolicyFault> {
        let (what, help) = if permission.subject != subject {
            (format!("a policy for `{}`", permission.subject), format!("its subject is `{subject}`"))
        } else if !RESOURCES.contains(&permission.resource.as_str()) {
            (format!("a policy about `{}`", permission.resource), format!("one of: {}", RESOURCES.join(", ")))
        } else if !permission.object.starts_with(&format!("{}/", self.project)) {
            let help = format!("write `{0}/*` or `{0}/NAME`", self.project);
            (format!("a policy about `{}`, outside of the project", permission.object), help)
        } else {
            return None;
        };
        let (place, project) = (permission.place.to_string(), self.project.clone());
        Some(PolicyFault::Role { place, project, what, help })
    }

    /// Reads an `AppProject`, as a cluster has it.
    pub fn of_object(place: &str, object: &Value) -> Option<Self> {
        Self::of(&place.into(), object, &|_pointer| 1)
    }

    fn of(file: &Arc<str>, object: &Value, line: &dyn Fn(&Pointer) -> usize) -> Option<Self> {
        let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
        let is_project = text(object, "kind").as_deref() == Some("AppProject")
            && text(object, "apiVersion").is_some_and(|version| version.starts_with("argoproj.io/"));
        let project = text(object.get("metadata").filter(|_| is_project)?, "name")?;
        let spec = object.get("spec");
        let roles = spec.and_then(|spec| spec.get("roles")).and_then(Value::as_array).into_iter().flatten();
        let at = Pointer::root().child("spec").child("roles");
        let role = |(index, role): (usize, &Value)| {
            let at = at.index(index);
            let items = |field: &str| role.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
            let policy = |(index, policy): (usize, &Value)| {
                let first_line = line(&at.child("policies").index(index));
                Some(PolicyText { file: Arc::clone(file), text: policy.as_str()?.to_owned(), first_line })
            };
            Some(ProjectRole {
                name: text(role, "name")?,
                policies: items("policies").iter().enumerate().filter_map(policy).collect(),
                groups: items("groups").iter().filter_map(|group| group.as_str().map(str::to_owned)).collect(),
                place: PolicyPlace { file: Arc::clone(file), line: line(&at) },
            })
        };
        Some(Self { project, roles: roles.enumerate().filter_map(role).collect() })
    }
}

/// The roles of every `AppProject` in the text of a manifest file. What is not YAML is for others to report.
pub fn project_roles(file: &str, bytes: &[u8]) -> Vec<ProjectRoles> {
    let Ok(text) = yaml::decode(bytes) else { return Vec::new() };
    if !text.contains("AppProject") {
        return Vec::new();
    }
    let file: Arc<str> = file.into();
    let documents = yaml::read(&text, &Limits::default(), WithPositions::Yes).into_iter().flatten();
    documents.flat_map(|document| of_document(&file, &text, &document)).collect()
}

fn of_document(file: &Arc<str>, text: &str, document: &Document) -> Vec<ProjectRoles> {
    let line = |base: &Pointer, pointer: &Pointer| {
        let place = pointer.tokens().iter().fold(base.clone(), |place, token| place.child(token));
        let span = document.positions.as_ref().and_then(|positions| positions.nearest(&place));
        span.map_or(document.line, |span| super::text::line_at(text, span.offset))
    };
    if let Some(items) = document.value.get("items").and_then(Value::as_array) {
        let base = |index| Pointer::root().child("items").index(index);
        let items = items.iter().enumerate();
        return items
            .filter_map(|(index, item)| ProjectRoles::of(file, item, &|pointer| line(&base(index), pointer)))
            .collect();
    }
    let project = ProjectRoles::of(file, &document.value, &|pointer| line(&Pointer::root(), pointer));
    project.into_iter().collect()
}
