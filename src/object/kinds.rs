//! What is known of kinds: their scope, their plural name, the versions a cluster serves.
//!
//! In: a cluster's discovery, or the table of Kubernetes' own kinds that this build knows; and the
//! CustomResourceDefinitions rendered beside. Out: [`Kinds`], which flows into rendering and comparing.

use std::collections::BTreeMap;

use super::{GroupKind, Gvk, Object};

/// Whether objects of a kind live in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// They do.
    Namespaced,
    /// They do not.
    Cluster,
}

/// One kind in one version, as a cluster serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindFacts {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// The name in URLs: `deployments`.
    pub plural: String,
    /// Namespaced or not.
    pub scope: Scope,
    /// What can be done with it: `get`, `list`, `patch` …
    pub verbs: Vec<String>,
}

impl KindFacts {
    /// Whether the server lets a client list this kind at all.
    pub fn is_listable(&self) -> bool {
        self.verbs.iter().any(|verb| verb == "list")
    }

    /// Whether the server lets a client patch this kind at all.
    pub fn is_patchable(&self) -> bool {
        self.verbs.iter().any(|verb| verb == "patch")
    }
}

/// Every kind that is known, with each version, the preferred version first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    by_kind: BTreeMap<GroupKind, Vec<KindFacts>>,
    /// Group-versions that discovery could not answer for (a broken aggregated API), with the reason.
    pub unavailable: BTreeMap<String, String>,
    /// The Kubernetes version, such as `v1.36.3`.
    pub server_version: String,
}

impl Kinds {
    /// Nothing known yet of a cluster of this version.
    pub fn new(server_version: impl Into<String>) -> Self {
        Self { server_version: server_version.into(), ..Self::default() }
    }

    /// Adds one kind in one version, after those already there.
    pub fn add(&mut self, facts: KindFacts) {
        let versions = self.by_kind.entry(facts.gvk.group_kind()).or_default();
        if !versions.iter().any(|known| known.gvk.version == facts.gvk.version) {
            versions.push(facts);
        }
    }

    /// Adds the kinds that CustomResourceDefinitions among these objects define, where they are not known yet.
    pub fn with_definitions<'a>(&self, _objects: impl Iterator<Item = &'a Object>) -> Self {
        todo!()
    }

    /// Kubernetes' own kinds, from the table of this build; for rendering without a cluster.
    pub fn builtin(_server_version: &str) -> Self {
        todo!()
    }

    /// One kind in exactly this version.
    pub fn exact(&self, gvk: &Gvk) -> Option<&KindFacts> {
        self.by_kind.get(&gvk.group_kind())?.iter().find(|facts| facts.gvk.version == gvk.version)
    }

    /// One kind in the version the server prefers.
    pub fn preferred(&self, kind: &GroupKind) -> Option<&KindFacts> {
        self.by_kind.get(kind)?.first()
    }

    /// The scope of a kind in whatever version.
    pub fn scope(&self, kind: &GroupKind) -> Option<Scope> {
        self.preferred(kind).map(|facts| facts.scope)
    }

    /// Every kind in its preferred version, in stable order.
    pub fn iter(&self) -> impl Iterator<Item = &KindFacts> {
        self.by_kind.values().filter_map(|versions| versions.first())
    }

    /// Every kind in every version, in stable order.
    pub fn iter_all(&self) -> impl Iterator<Item = &KindFacts> {
        self.by_kind.values().flatten()
    }
}
