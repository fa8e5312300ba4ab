//! Who asks, and what for.

/// The resources of Argo CD's RBAC.
pub(super) const RESOURCES: &[&str] = &[
    "accounts",
    "applications",
    "applicationsets",
    "certificates",
    "clusters",
    "exec",
    "extensions",
    "gpgkeys",
    "logs",
    "projects",
    "repositories",
    "write-repositories",
];

/// The actions; `update`, `delete` and `action` of an application may have `/GROUP/KIND/NAMESPACE/NAME` after them.
pub(super) const ACTIONS: &[&str] =
    &["get", "create", "update", "delete", "sync", "rollback", "override", "action", "invoke"];

/// The actions on an application.
const ON_APPLICATIONS: &[&str] = &["get", "create", "update", "delete", "sync", "rollback", "override", "action"];

/// Whether applications have an action of this name.
pub fn is_known_action(action: &str) -> bool {
    let (name, path) = action.split_once('/').map_or((action, None), |(name, path)| (name, Some(path)));
    ON_APPLICATIONS.contains(&name) && (path.is_none() || matches!(name, "update" | "delete" | "action"))
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// A user, or a role: `role:NAME`, `proj:PROJECT:NAME`.
    pub user: Option<String>,
    /// The user's groups.
    pub groups: Vec<String>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// The resource, as `applications`.
    pub resource: String,
    /// The action, as `sync` or `delete/apps/Deployment/shop/web`.
    pub action: String,
    /// The object: of an application [`object_of`].
    pub object: String,
}

impl Question {
    /// A question about an application.
    pub fn of_application(action: &str, object: &str) -> Self {
        Self { resource: "applications".to_owned(), action: action.to_owned(), object: object.to_owned() }
    }

    /// The project that the object belongs to, where one of this resource belongs to one.
    pub(super) fn project(&self) -> Option<&str> {
        match self.resource.as_str() {
            "applications" | "applicationsets" | "repositories" | "clusters" | "logs" | "exec" => {
                self.object.split_once('/').map(|(project, _)| project)
            }
            "projects" => Some(&self.object),
            _ => None,
        }
    }
}

/// How a policy names an application: `project/name`, with its namespace between them outside of Argo CD's own.
///
/// Rule: Argo CD util/security/rbac.go, `RBACName`.
pub fn object_of(project: &str, namespace: Option<&str>, name: &str, argocd_namespace: &str) -> String {
    let project = if project.is_empty() { "default" } else { project };
    match namespace.filter(|namespace| !namespace.is_empty() && *namespace != argocd_namespace) {
        Some(namespace) if !argocd_namespace.is_empty() => format!("{project}/{namespace}/{name}"),
        _ => format!("{project}/{name}"),
    }
}
