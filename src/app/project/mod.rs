//! AppProjects: which sources, clusters, namespaces and kinds a team may use, and when it may sync.
//!
//! In: the documents of manifests, the global projects of `argocd-cm`. Out: [`Projects`], which answers for the name of a project
//! with its [`ProjectRules`]: its own rules and those of its global projects. The rules say of an Application and its objects
//! what they forbid, each as a [`Violation`] with the rule and its line.
//!
//! Rules: Argo CD `pkg/apis/application/v1alpha1/app_project_types.go`, util/argo/argo.go (`ValidatePermissions`,
//! `GetAppVirtualProject`, `GetAppProjectByName`), controller/sync.go (`validateSyncPermissions`).

mod check;
mod decode;
mod integrity;
mod lookup;
mod pattern;
mod repo_url;
mod rules;
mod violation;

pub use check::{CheckedResource, DestinationCluster};
pub use decode::{AppProject, InvalidProject, OrphanIgnore, OrphanedResources};
pub use integrity::{IntegrityMode, IntegrityPolicy};
pub use lookup::{ProjectLookup, ProjectScoped, Projects, ScopedCluster};
pub use rules::ProjectRules;
pub use violation::{ProjectRule, Violation, ViolationSubject};

pub(super) use decode::decode;

#[cfg(test)]
mod tests;
