//! Who an account is, and what it may be asked about.

/// Who the server takes an account for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterUser {
    /// The user's name.
    pub name: String,
    /// The user's groups.
    pub groups: Vec<String>,
}

/// One verb on one resource, as RBAC names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessNeed {
    /// The API group; empty for the core group.
    pub group: String,
    /// The resource, as `deployments`.
    pub resource: String,
    /// The verb.
    pub verb: &'static str,
}
