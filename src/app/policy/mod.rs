//! Argo CD's RBAC without its server: who may do what with an application.
//!
//! In: the texts of a policy ([`PolicySettings`]: a `policy.csv`, or the ConfigMap `argocd-rbac-cm`), the roles of `AppProject`s, and a
//! question ([`Subject`], [`Question`]). Out: a [`Decision`], with the line that decided or the line that is missing.
//!
//! A deny wins over every allow, whatever the order; what the default role may do, no deny takes away. Rules: Argo CD
//! docs/operator-manual/rbac.md, util/rbac/rbac.go, server/rbacpolicy/rbacpolicy.go; casbin v2.135. A test asks casbin itself.

mod builtin;
mod csv;
mod decision;
mod fault;
mod index;
mod line;
mod pattern;
mod question;
mod roles;
mod settings;
mod text;
mod validate;

#[cfg(test)]
mod tests;

pub use decision::{Decision, Policy};
pub use fault::PolicyFault;
pub use line::{Effect, PolicyPlace};
pub use question::{Question, Subject, is_known_action, object_of};
pub use roles::{ProjectRole, ProjectRoles, project_roles};
pub use settings::PolicySettings;
pub use text::{MatchMode, PolicyText};
pub use validate::{ValidatedPolicy, validate};
