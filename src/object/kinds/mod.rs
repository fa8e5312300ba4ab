//! What is known of kinds: their scope, their plural name, the versions a cluster serves.
//!
//! In: a cluster's discovery, or the table of Kubernetes' own kinds that this build knows; and the
//! `CustomResourceDefinition`s rendered beside. Out: [`Kinds`], which flows into rendering and comparing.
//!
//! Rules: apimachinery pkg/version `CompareKubeAwareVersionStrings` (which version is preferred), apiextensions v1 and
//! v1beta1 (what a definition says).

mod definition;
mod version;

pub use version::{InvalidKubeVersion, KubeVersion, parse_kube_version};

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use super::{GroupKind, Gvk, Object};

/// The newest Kubernetes version whose kinds this build knows by heart.
pub const NEWEST_KUBERNETES: &str = "v1.36.3";

/// Kubernetes' own kinds; its first lines say how it is written.
const BUILTIN: &str = include_str!("builtin.txt");

/// The usual verbs of a kind; `all` in the table.
const USUAL_VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

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
    /// The verbs: `get`, `list`, `patch` …
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
    /// Whether Kubernetes' own kinds come from the table of this build, and not from a cluster.
    by_heart: bool,
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

    /// Adds the kinds that `CustomResourceDefinition`s among these objects define, where they are not known yet; where
    /// there are none, which is usual, nothing is copied.
    #[must_use]
    pub fn with_definitions<'a>(&self, objects: impl Iterator<Item = &'a Object>) -> Cow<'_, Self> {
        let mut kinds = Cow::Borrowed(self);
        for facts in objects.filter(|object| definition::is_definition(object)).flat_map(definition::defined) {
            kinds.to_mut().add(facts);
        }
        kinds
    }

    /// The same kinds, those of a scope without these verbs.
    #[must_use]
    pub fn without_verbs(&self, scope: Scope, verbs: &[&str]) -> Self {
        let mut kinds = self.clone();
        for facts in kinds.by_kind.values_mut().flatten().filter(|facts| facts.scope == scope) {
            facts.verbs.retain(|verb| !verbs.contains(&verb.as_str()));
        }
        kinds
    }

    /// Kubernetes' own kinds, from the table of this build; for rendering without a cluster.
    ///
    /// Kinds and versions that `server_version` no longer serves are there, too: git may still write them, and their
    /// scope is known. The preferred version is the one that [`NEWEST_KUBERNETES`] prefers.
    pub fn builtin(server_version: &str) -> Self {
        let mut kinds = Self::new(server_version);
        for facts in BUILTIN.lines().filter_map(facts_of_line) {
            kinds.add(facts);
        }
        kinds.by_heart = true;
        kinds
    }

    /// Whether a kind is only here because this build knows it, and no cluster said that it serves it.
    pub fn is_by_heart(&self, gvk: &Gvk) -> bool {
        static TABLE: LazyLock<HashSet<Gvk>> =
            LazyLock::new(|| BUILTIN.lines().filter_map(facts_of_line).map(|facts| facts.gvk).collect());
        self.by_heart && TABLE.contains(gvk)
    }

    /// Whether Kubernetes' own kinds are those that a cluster says it serves, and not those that this build knows.
    pub fn are_served(&self) -> bool {
        !self.by_heart
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

/// One line of the table: `apps/v1 Deployment deployments Namespaced all`.
fn facts_of_line(line: &str) -> Option<KindFacts> {
    if line.starts_with('#') {
        return None;
    }
    let mut words = line.split_ascii_whitespace();
    let (api_version, kind, plural) = (words.next()?, words.next()?, words.next()?);
    let scope = if words.next()? == "Namespaced" { Scope::Namespaced } else { Scope::Cluster };
    let verbs = match words.next()? {
        "all" => usual_verbs(),
        some => some.split(',').map(str::to_owned).collect(),
    };
    Some(KindFacts { gvk: Gvk::from_api_version(api_version, kind), plural: plural.to_owned(), scope, verbs })
}

fn usual_verbs() -> Vec<String> {
    USUAL_VERBS.iter().map(|verb| (*verb).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: serde_json::Value) -> Object {
        Object::new(value).unwrap()
    }

    fn of(group: &str, kind: &str) -> GroupKind {
        GroupKind { group: group.to_owned(), kind: kind.to_owned() }
    }

    #[test]
    fn kubernetes_own_kinds_are_known_without_a_cluster() {
        let kinds = Kinds::builtin(NEWEST_KUBERNETES);
        for (group, kind, version, plural, scope) in [
            ("", "Namespace", "v1", "namespaces", Scope::Cluster),
            ("", "Endpoints", "v1", "endpoints", Scope::Namespaced),
            ("apps", "Deployment", "v1", "deployments", Scope::Namespaced),
            ("autoscaling", "HorizontalPodAutoscaler", "v2", "horizontalpodautoscalers", Scope::Namespaced),
            ("rbac.authorization.k8s.io", "ClusterRole", "v1", "clusterroles", Scope::Cluster),
            ("networking.k8s.io", "NetworkPolicy", "v1", "networkpolicies", Scope::Namespaced),
            ("policy", "PodSecurityPolicy", "v1beta1", "podsecuritypolicies", Scope::Cluster),
            ("extensions", "Ingress", "v1beta1", "ingresses", Scope::Namespaced),
        ] {
            let facts = kinds.preferred(&of(group, kind)).unwrap();
            assert_eq!(
                (facts.gvk.version.as_str(), facts.plural.as_str(), facts.scope),
                (version, plural, scope),
                "{kind}"
            );
            assert!(facts.is_listable() && facts.is_patchable(), "{kind}");
        }
        assert_eq!(kinds.server_version, NEWEST_KUBERNETES);
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        let written = BUILTIN.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        assert_eq!(Kinds::builtin("v1.30.0").iter_all().count(), written);
    }

    #[test]
    fn reviews_can_only_be_created() {
        let kinds = Kinds::builtin(NEWEST_KUBERNETES);
        let facts = kinds.preferred(&of("authentication.k8s.io", "TokenReview")).unwrap();
        assert!(!facts.is_listable() && !facts.is_patchable());
    }

    #[test]
    fn definitions_in_the_same_render_count() {
        let definitions = [
            object(json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": { "name": "widgets.shop.example.com" },
                "spec": {
                    "group": "shop.example.com", "scope": "Cluster",
                    "names": { "kind": "Widget", "plural": "widgets" },
                    "versions": [
                        { "name": "v1alpha1", "served": true }, { "name": "v1beta1", "served": true },
                        { "name": "v1", "served": true }, { "name": "v2", "served": false },
                    ],
                },
            })),
            object(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "no definition" } })),
        ];
        let known = Kinds::builtin(NEWEST_KUBERNETES);
        let kinds = known.with_definitions(definitions.iter());
        let widget = of("shop.example.com", "Widget");
        assert_eq!(kinds.scope(&widget), Some(Scope::Cluster));
        let versions: Vec<_> =
            kinds.iter_all().filter(|facts| facts.gvk.group_kind() == widget).map(|facts| &facts.gvk.version).collect();
        assert_eq!(versions, ["v1", "v1beta1", "v1alpha1"]);
        assert_eq!(kinds.preferred(&widget).unwrap().plural, "widgets");
    }

    #[test]
    fn a_cluster_knows_its_kinds_better_than_git() {
        let mut kinds = Kinds::new("v1.36.3");
        let gvk = Gvk::from_api_version("shop.example.com/v1", "Widget");
        kinds.add(KindFacts { gvk, plural: "widgets".to_owned(), scope: Scope::Namespaced, verbs: usual_verbs() });
        let definition = object(json!({
            "apiVersion": "apiextensions.k8s.io/v1beta1", "kind": "CustomResourceDefinition",
            "metadata": { "name": "widgets.shop.example.com" },
            "spec": {
                "group": "shop.example.com", "scope": "Cluster", "version": "v1",
                "names": { "kind": "Widget", "plural": "widgets" },
            },
        }));
        let kinds = kinds.with_definitions(std::iter::once(&definition));
        assert_eq!(kinds.scope(&of("shop.example.com", "Widget")), Some(Scope::Namespaced));
    }

    #[test]
    fn half_a_definition_defines_nothing() {
        for spec in [json!(null), json!("x"), json!({ "group": 3 }), json!({ "group": "g", "names": {} })] {
            let definition = object(json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec,
            }));
            assert_eq!(*Kinds::default().with_definitions(std::iter::once(&definition)), Kinds::default());
        }
    }
}
