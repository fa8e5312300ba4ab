//! The inputs of every generator.

use super::facts::Facts;
use super::language::Language;
use super::set::ApplicationSet;

/// The inputs of every generator.
pub(super) struct World<'run> {
    pub(super) set: &'run ApplicationSet,
    pub(super) language: &'run Language,
    pub(super) facts: &'run Facts,
}

impl World<'_> {
    /// The namespace of Argo CD's own Secrets and ConfigMaps.
    pub(super) fn argocd_namespace(&self) -> &str {
        match self.facts.argocd_namespace.as_str() {
            "" => &self.set.namespace,
            namespace => namespace,
        }
    }
}
