//! What a project forbids.

use std::fmt;

use crate::object::{GroupKind, Origin};

/// A list of a project, or a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProjectRule {
    /// `sourceRepos`.
    SourceRepos,
    /// `destinations`.
    Destinations,
    /// `permitOnlyProjectScopedClusters`.
    PermitOnlyProjectScopedClusters,
    /// `sourceNamespaces`.
    SourceNamespaces,
    /// `clusterResourceWhitelist`.
    ClusterResourceWhitelist,
    /// `clusterResourceBlacklist`.
    ClusterResourceBlacklist,
    /// `namespaceResourceWhitelist`.
    NamespaceResourceWhitelist,
    /// `namespaceResourceBlacklist`.
    NamespaceResourceBlacklist,
    /// `signatureKeys`.
    SignatureKeys,
    /// `sourceIntegrity`.
    SourceIntegrity,
}

impl ProjectRule {
    /// The field of `spec`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SourceRepos => "sourceRepos",
            Self::Destinations => "destinations",
            Self::PermitOnlyProjectScopedClusters => "permitOnlyProjectScopedClusters",
            Self::SourceNamespaces => "sourceNamespaces",
            Self::ClusterResourceWhitelist => "clusterResourceWhitelist",
            Self::ClusterResourceBlacklist => "clusterResourceBlacklist",
            Self::NamespaceResourceWhitelist => "namespaceResourceWhitelist",
            Self::NamespaceResourceBlacklist => "namespaceResourceBlacklist",
            Self::SignatureKeys => "signatureKeys",
            Self::SourceIntegrity => "sourceIntegrity",
        }
    }
}

/// What is forbidden.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ViolationSubject {
    /// A repository.
    Source {
        /// Its URL, without credentials.
        url: String,
    },
    /// The application's own destination.
    Destination {
        /// The cluster, as the manifest names it.
        cluster: String,
        /// The namespace.
        namespace: String,
    },
    /// The namespace of the Application's manifest.
    ApplicationNamespace {
        /// The namespace.
        namespace: String,
    },
    /// Objects of a kind.
    Kind {
        /// The kind.
        kind: GroupKind,
        /// `namespace/name` of each object, or its name.
        objects: Vec<String>,
    },
    /// Objects in a namespace.
    Namespace {
        /// The cluster, as the manifest names it.
        cluster: String,
        /// The namespace.
        namespace: String,
        /// `Kind/name` of each object.
        objects: Vec<String>,
    },
}

/// Something that a rule of a project forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The project.
    pub project: String,
    /// The rule.
    pub rule: ProjectRule,
    /// The entry that forbids it; `None` where no entry allows it.
    pub entry: Option<String>,
    /// The line of the entry, or that of the list, or of the project where it has no such list.
    pub place: Origin,
    /// What is forbidden.
    pub subject: ViolationSubject,
}

/// So many objects are named; of the others there is a number.
const NAMED: usize = 3;

impl Violation {
    /// Why it is forbidden, by its rule: `no entry of …`.
    pub fn reason(&self) -> String {
        let rule = self.rule.as_str();
        match (&self.entry, self.rule) {
            (Some(entry), ProjectRule::SourceIntegrity) => format!("{entry} of `{rule}` are about it"),
            (Some(entry), _) => format!("`{entry}` in `{rule}` forbids it"),
            (None, ProjectRule::PermitOnlyProjectScopedClusters) => {
                format!("`{rule}` is on, and the cluster is not one of the project's own")
            }
            (None, ProjectRule::SignatureKeys | ProjectRule::SourceIntegrity) => {
                format!("`{rule}` asks for signatures, which this version does not verify")
            }
            (None, _) => format!("no entry of `{rule}` allows it"),
        }
    }
}

impl fmt::Display for ViolationSubject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source { url } => write!(formatter, "the source {url}"),
            Self::Destination { cluster, namespace } if namespace.is_empty() => {
                write!(formatter, "the destination {cluster}")
            }
            Self::Destination { cluster, namespace } => {
                write!(formatter, "the destination {cluster}, namespace `{namespace}`")
            }
            Self::ApplicationNamespace { namespace } => write!(formatter, "Applications in namespace `{namespace}`"),
            Self::Kind { kind, objects } => write!(formatter, "`{kind}` ({})", named(objects)),
            Self::Namespace { cluster, namespace, objects } => {
                write!(formatter, "namespace `{namespace}` of {cluster} ({})", named(objects))
            }
        }
    }
}

fn named(objects: &[String]) -> String {
    let shown = objects.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match objects.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "project `{}` does not permit {}: {}", self.project, self.subject, self.reason())
    }
}
