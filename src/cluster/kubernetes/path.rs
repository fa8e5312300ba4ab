//! Where a kind's objects are in the API: `/apis/apps/v1/namespaces/shop/deployments/web`.
//!
//! In: a kind, a namespace, a name. Out: a path, each part escaped: names come from manifests.
//!
//! Rule: Kubernetes API concepts, "Resource URIs".

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::object::KindFacts;

/// Characters that need no escape in a path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// The path of a kind's objects, or of one of them.
pub(super) fn resource_path(facts: &KindFacts, namespace: Option<&str>, name: Option<&str>) -> String {
    let part = |text: &str| match text {
        // Dots alone would be steps of the path.
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        text => utf8_percent_encode(text, ESCAPED).to_string(),
    };
    let root = if facts.gvk.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", part(&facts.gvk.group)) };
    let mut path = format!("{root}/{}", part(&facts.gvk.version));
    if let Some(namespace) = namespace {
        path.push_str("/namespaces/");
        path.push_str(&part(namespace));
    }
    path.push('/');
    path.push_str(&part(&facts.plural));
    if let Some(name) = name {
        path.push('/');
        path.push_str(&part(name));
    }
    path
}

/// A kind as RBAC names it: `deployments.apps`, `configmaps`.
pub(super) fn resource_name(facts: &KindFacts) -> String {
    if facts.gvk.group.is_empty() { facts.plural.clone() } else { format!("{}.{}", facts.plural, facts.gvk.group) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{Gvk, Scope};

    fn facts(api_version: &str, kind: &str, plural: &str) -> KindFacts {
        let gvk = Gvk::from_api_version(api_version, kind);
        KindFacts { gvk, plural: plural.to_owned(), scope: Scope::Namespaced, verbs: Vec::new() }
    }

    #[test]
    fn paths_are_those_of_the_kubernetes_documentation() {
        let deployments = facts("apps/v1", "Deployment", "deployments");
        let pods = facts("v1", "Pod", "pods");
        for (path, expected) in [
            (resource_path(&pods, None, None), "/api/v1/pods"),
            (resource_path(&pods, Some("shop"), Some("web")), "/api/v1/namespaces/shop/pods/web"),
            (resource_path(&deployments, Some("shop"), None), "/apis/apps/v1/namespaces/shop/deployments"),
            (resource_path(&deployments, None, Some("web")), "/apis/apps/v1/deployments/web"),
        ] {
            assert_eq!(path, expected);
        }
        assert_eq!((resource_name(&pods).as_str(), resource_name(&deployments).as_str()), ("pods", "deployments.apps"));
    }

    /// A manifest's name is no way out of its kind.
    #[test]
    fn a_name_stays_one_part_of_the_path() {
        let roles = facts("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles");
        for (name, last) in [
            ("system:node", "system:node"),
            ("../secrets/x", "..%2Fsecrets%2Fx"),
            ("..", "%2E%2E"),
            ("web?force=true", "web%3Fforce%3Dtrue"),
            ("wéb", "w%C3%A9b"),
        ] {
            let path = resource_path(&roles, None, Some(name));
            assert_eq!(path, format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/{last}"));
        }
    }
}
